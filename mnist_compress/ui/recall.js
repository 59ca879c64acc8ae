// Cards to recall: the front is turned by a click or a key, then the learner says who knew it.

import {follow, frame, make, marked, send} from "./widget.js";

export default {
  render({model, el}) {
    const count = make("p", {className: "mc-card-count"});
    const front = make("button", {type: "button", className: "mc-card", onclick: turn});
    const back = make("p", {className: "mc-card", role: "status"});
    const knew = make("button", {type: "button", onclick: () => say(true)}, "I knew it");
    const not = make("button", {type: "button", onclick: () => say(false)}, "I did not");
    const said = make("div", {className: "mc-row", role: "group", tabIndex: -1,
      "aria-label": "Did you know it?"}, knew, not);
    const end = make("p", {role: "status"});
    const next = () => model.get("cards").find(({id}) => !(id in model.get("known")));

    function turn() {
      back.replaceChildren(...marked(next().back));
      back.hidden = said.hidden = false;
      said.focus();  // and not a button, which a second Enter would press unread
    }
    function say(known) {
      send(model, {known: {...model.get("known"), [next().id]: known}});
      if (next()) front.focus();
    }
    follow(model, ["known"], () => {
      const card = next(), all = model.get("cards"), place = all.indexOf(card) + 1;
      count.textContent = `Card ${place} of ${all.length}: say the answer to yourself, then turn.`;
      front.replaceChildren(...marked(card?.front ?? ""));
      back.replaceChildren();
      count.hidden = front.hidden = !card;
      back.hidden = said.hidden = true;
    });
    follow(model, ["sentence", "known"], () => {
      end.textContent = next() ? "" : model.get("sentence");
    });
    frame(model, el, count, front, back, said, end).classList.add("mc-cards");
  },
};

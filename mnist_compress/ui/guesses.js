// The field for a guess: the page shows, the kernel keeps the number.

import {follow, frame, make, marked, send} from "./widget.js";

export default {
  render({model, el}) {
    const said = make("p", {role: "status"});
    const input = make("input", {type: "number", min: 0, step: "any", inputMode: "decimal"});
    const commit = () => {
      if (input.value !== "") send(model, {guessed: input.valueAsNumber});
      input.value = "";
    };
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.metaKey) commit();
    });
    const again = make("button", {type: "button", onclick: () => send(model, {guessed: null})},
      "Forget it and start afresh");
    follow(model, ["sentence", "guessed"], () => {
      said.replaceChildren(...marked(model.get("sentence")));
      again.hidden = model.get("guessed") === null;
    });
    const box = frame(model, el,
      make("label", {className: "mc-row"}, `Your guess: ${model.get("question")}`,
        make("span", {className: "mc-row"}, input, model.get("unit"))),
      make("div", {className: "mc-row"},
        make("button", {type: "button", onclick: commit}, "Commit my guess"), again),
      said);
    box.classList.add("mc-guess");
  },
};

// Questions to click on: feedback comes with the question, the kernel keeps answers and score.

import {follow, frame, make, marked, post, radioGroup, send} from "./widget.js";

function field(model, question, title) {
  const {id, options} = question;
  const name = radioGroup();
  const chosen = () => model.get("chosen")[id];
  // Arrow keys only look at the options, though they click; Space, Enter or a pointer answers.
  let walking = false;

  const answer = (place) => send(model, {chosen: {...model.get("chosen"), [id]: place}});
  const radios = options.map((_, place) => make("input", {type: "radio", name,
    onclick: () => { if (!walking) answer(place); walking = false; show(); }}));
  const labels = options.map((option, place) => make("label", {className: "mc-option"},
    radios[place], make("span", {}, `${"abcd"[place]}) `, ...marked(option.text))));
  const feedback = make("p");
  const evidence = make("p", {className: "mc-evidence"});
  const again = make("button", {type: "button", onclick: () => {
    const rest = {...model.get("chosen")};
    delete rest[id];
    send(model, {chosen: rest});
    radios[0].focus();
  }}, "Try again");
  const prove = make("button", {type: "button", onclick: () => {
    if (model.get("evidence")[id]) return;  // it stands there already
    prove.disabled = true;
    prove.textContent = "Computing ...";
    post(model, {show: id});
  }}, "Show me");
  prove.hidden = !question.shows;
  again.setAttribute("aria-label", `Try again: ${question.question}`);
  prove.setAttribute("aria-label", `Show me the computation: ${question.question}`);

  function show() {
    const place = chosen(), right = place !== undefined && options[place].right;
    feedback.replaceChildren(...(place === undefined ? [] : marked(options[place].feedback)));
    feedback.className = `mc-feedback ${right ? "mc-right" : "mc-wrong"}`;
    feedback.hidden = again.hidden = place === undefined;
  }
  follow(model, ["chosen"], () => {
    radios.forEach((radio, place) => { radio.checked = place === chosen(); });
    show();
  });
  follow(model, ["evidence", "problem"], () => {
    const text = model.get("evidence")[id];
    evidence.replaceChildren(...marked(text ?? ""));
    evidence.hidden = !text;
    prove.disabled = false;
    prove.textContent = "Show me";
  });

  const set = make("fieldset", {}, make("legend", {}, `${title} (${question.level}). `,
    ...marked(question.question)), ...labels, make("div", {role: "status"}, feedback, evidence),
  make("div", {className: "mc-row"}, prove, again));
  set.addEventListener("keydown", (event) => {
    const place = radios.indexOf(event.target);
    const plain = !(event.shiftKey || event.ctrlKey || event.metaKey || event.altKey);
    walking = place >= 0 && plain && event.key.startsWith("Arrow");
    if (place >= 0 && plain && (event.key === " " || event.key === "Enter")) {
      event.preventDefault();
      radios[place].checked = true;
      answer(place);
    }
  });
  set.addEventListener("pointerdown", () => { walking = false; });
  return set;
}

export default {
  render({model, el}) {
    const questions = model.get("questions");
    const score = make("p", {className: "mc-score", role: "status"});
    score.hidden = questions.length < 2;
    follow(model, ["score"], () => { score.textContent = model.get("score"); });
    const box = frame(model, el, ...questions.map((question, place) =>
      field(model, question, `Question${questions.length > 1 ? ` ${place + 1}` : ""}`)), score);
    box.classList.add("mc-quiz");
  },
};

// The field for a guess: the page shows, the kernel keeps the number.

import {follow, frame, make, send} from "./widget.js";

export default {
  render({model, el}) {
    const said = make("p", {role: "status"});
    const input = make("input", {type: "number", min: 0, step: "any", inputMode: "decimal"});
    const commit = () => {
      if (input.value !== "") send(model, {guessed: input.valueAsNumber});
    };
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.metaKey) commit();
    });
    follow(model, ["sentence"], () => { said.textContent = model.get("sentence"); });
    const box = frame(model, el,
      make("label", {className: "mc-row"}, `Your guess: ${model.get("question")}`, input,
        model.get("unit")),
      make("div", {className: "mc-row"},
        make("button", {type: "button", onclick: commit}, "Commit my guess")),
      said);
    box.classList.add("mc-guess");
  },
};

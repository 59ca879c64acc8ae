// Sliders, choices, the picture that belongs to them and its sentence.

import {follow, frame, make, post, radioGroup} from "./widget.js";

// One control -> {element, read, write}: its value for the kernel, and the way back.
function slider(control, moved) {
  const value = make("span", {className: "mc-ex-value", "aria-hidden": "true"});
  const input = make("input", {type: "range", min: 0, max: control.values.length - 1, step: 1});
  const tell = () => {
    value.textContent = control.texts[input.value];
    input.setAttribute("aria-valuetext", value.textContent);
  };
  input.addEventListener("input", () => { tell(); moved(); });
  return {
    element: make("label", {className: "mc-ex-slider"}, make("span", {}, control.label), input,
      value),
    read: () => control.values[input.value],
    write: (wanted) => { input.value = control.values.indexOf(wanted); tell(); },
  };
}

function choice(control, moved) {
  const name = radioGroup();
  const inputs = control.values.map(() => make("input", {type: "radio", name}));
  for (const input of inputs) input.addEventListener("input", moved);
  return {
    element: make("fieldset", {className: "mc-ex-choice"}, make("legend", {}, control.label),
      ...inputs.map((input, place) => make("label", {}, input, " ", control.texts[place]))),
    read: () => control.values[inputs.findIndex((input) => input.checked)],
    write: (wanted) => { inputs[control.values.indexOf(wanted)].checked = true; },
  };
}

let views = 0;

function render({ model, el }) {
  const parts = new Map(), view = `${Date.now()}-${views++}`;
  // What moved since the last question, and what that question was about; one at a time.
  let moved = {}, sent = {}, asked = 0, waiting = false;
  const ask = () => {
    [sent, moved, waiting] = [moved, {}, true];
    post(model, {values: sent, question: `${view}-${++asked}`});
  };
  const write = () => { // what the learner moved stays: the kernel does not know it yet
    for (const [name, part] of parts) {
      if (!(name in moved || name in sent)) part.write(model.get("values")[name]);
    }
  };
  for (const control of model.get("controls")) {
    const part = (control.kind === "slider" ? slider : choice)(control, () => {
      moved[control.name] = part.read();
      if (!waiting) ask();
    });
    parts.set(control.name, part);
  }
  let picture = make("img", {alt: ""}), url = "";
  const sentence = make("p", {role: "status"});
  frame(model, el, ...[...parts.values()].map((part) => part.element),
    make("div", {className: "mc-ex-picture"}, picture), sentence);

  follow(model, ["values"], write);
  model.on("change:answered", () => {
    if (model.get("answered") !== `${view}-${asked}`) return; // another view's
    [sent, waiting] = [{}, false];
    write();
    if (Object.keys(moved).length) ask();
  });
  follow(model, ["png"], async () => {
    const fresh = URL.createObjectURL(new Blob([model.get("png")], {type: "image/png"}));
    const next = make("img", {src: fresh, alt: model.get("sentence"), width: model.get("width")});
    const png = model.get("png");
    await next.decode().catch(() => {}); // the old picture stays until the new one is ready
    if (png !== model.get("png")) return URL.revokeObjectURL(fresh); // a newer one is under way
    picture.replaceWith(next); // in a box of its own: a fieldset's new child would end a drag
    URL.revokeObjectURL(url);
    [picture, url] = [next, fresh];
  });
  follow(model, ["sentence"], () => {
    sentence.textContent = picture.alt = model.get("sentence");
  });
  return () => URL.revokeObjectURL(url);
}

export default { render };

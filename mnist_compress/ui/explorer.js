// Sliders, choices, the picture that belongs to them and its sentence.

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

let groups = 0;

function choice(control, moved) {
  const name = `mc-ex-${groups++}`;
  const inputs = control.values.map(() => make("input", {type: "radio", name}));
  for (const input of inputs) input.addEventListener("input", moved);
  return {
    element: make("fieldset", {className: "mc-ex-choice"}, make("legend", {}, control.label),
      ...inputs.map((input, place) => make("label", {}, input, " ", control.texts[place]))),
    read: () => control.values[inputs.findIndex((input) => input.checked)],
    write: (wanted) => { inputs[control.values.indexOf(wanted)].checked = true; },
  };
}

function render({ model, el }) {
  const parts = new Map();
  let moved = false, waiting = false; // at most one question to the kernel; then the newest
  const ask = () => {
    moved = false;
    waiting = true;
    const values = [...parts].map(([name, part]) => [name, part.read()]);
    model.send({values: Object.fromEntries(values)});
  };
  const note = () => {
    moved = true;
    if (!waiting) ask();
  };
  for (const control of model.get("controls")) {
    parts.set(control.name, (control.kind === "slider" ? slider : choice)(control, note));
  }
  let picture = make("img", {alt: ""}), url = "";
  const sentence = make("p", {role: "status"});
  frame(model, el, ...[...parts.values()].map((part) => part.element), picture, sentence);

  follow(model, ["values"], () => {
    if (moved) return; // the learner is further on already
    for (const [name, part] of parts) part.write(model.get("values")[name]);
  });
  model.on("change:answers", () => {
    waiting = false;
    if (moved) ask();
  });
  follow(model, ["png"], async () => {
    const fresh = URL.createObjectURL(new Blob([model.get("png")], {type: "image/png"}));
    const next = make("img", {src: fresh, alt: model.get("sentence"), width: model.get("width")});
    const png = model.get("png");
    await next.decode().catch(() => {}); // the old picture stays until the new one is ready
    if (png !== model.get("png")) return URL.revokeObjectURL(fresh); // a newer one is under way
    picture.replaceWith(next);
    URL.revokeObjectURL(url);
    [picture, url] = [next, fresh];
  });
  follow(model, ["sentence"], () => {
    sentence.textContent = picture.alt = model.get("sentence");
  });
  return () => URL.revokeObjectURL(url);
}

export default { render };

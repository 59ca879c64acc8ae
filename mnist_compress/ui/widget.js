// What all widgets of the course share. Each imports it; widget.py hands out both as one text.

// make("p", {className: "x"}, child, "text") -> an element; keys with a dash become attributes
export function make(tag, settings = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(settings)) {
    if (key.includes("-") || key === "role" || key === "for") element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children);
  return element;
}

// The widget's frame. JupyterLab reads letters and arrows as commands ("a" adds a cell), so no key
// leaves it, except those that run a cell or leave the output.
export function frame(model, el, ...children) {
  const problem = make("p", {className: "mc-problem", role: "alert"});
  const box = make("div", {className: "mc"}, ...children, problem);
  box.addEventListener("keydown", (event) => {
    const runs = event.key === "Enter" && (event.shiftKey || event.ctrlKey || event.metaKey);
    if (event.key !== "Escape" && !runs) event.stopPropagation();
  });
  follow(model, ["problem"], () => {
    problem.textContent = model.get("problem");
    problem.hidden = !model.get("problem");
  });
  el.append(box);
  return box;
}

// Run `show` now and after each change of these traits.
export function follow(model, names, show) {
  for (const name of names) model.on(`change:${name}`, show);
  show();
}

// Set traits and send them to the kernel.
export function send(model, values) {
  model.set(values);
  model.save_changes();
}

// A name for the radios that belong together. Each widget has its copy of this file, and a widget
// may be shown twice in one page: no two views may share a name.
export function radioGroup() {
  return `mc-${crypto.randomUUID?.() ?? Math.random()}`;
}

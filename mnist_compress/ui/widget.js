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

// Nodes of a text: `code` between backticks, links to notebooks, 01_data, and to headings, 01_data,
// "Guess first", and no line break between a number and its %.
export function marked(text) {
  return text.split(/(`[^`]*`|\b\d\d_\w+(?:, "[^"]+")?)/).map((part) => {
    if (part.startsWith("`")) return make("code", {}, part.slice(1, -1));
    const [, notebook, heading] = part.match(/^(\d\d_\w+)(?:, "(.+)")?$/) ?? [];
    if (!notebook) return part.replace(/(\d) (?=%|KB\b)/g, "$1\u00a0");
    const path = `${notebook}.ipynb`, id = heading ? `#${heading.replaceAll(" ", "-")}` : "";
    const folder = decodeURIComponent(location.pathname).match(/\/tree\/(.*\/)?[^/]*$/)?.[1] ?? "";
    return make("a", {href: `${path}${id}`,  // JupyterLab opens it as it does links in text
      "data-commandlinker-command": "rendermime:handle-local-link",
      "data-commandlinker-args": JSON.stringify({path: folder + path, id})}, part);
  });
}

// The widget's frame. JupyterLab reads letters and arrows as commands ("a" adds a cell), so no key
// leaves it, except those that run a cell or leave the output.
export function frame(model, el, ...children) {
  const problem = make("p", {className: "mc-problem", role: "alert"});
  const body = make("fieldset", {className: "mc-body", role: "presentation"}, ...children);
  const box = make("div", {className: "mc"}, body, problem);
  box.addEventListener("keydown", (event) => {
    const runs = event.key === "Enter" && (event.shiftKey || event.ctrlKey || event.metaKey);
    if (event.key !== "Escape" && !runs) event.stopPropagation();
  });
  let lost = false;
  const tell = () => {
    const text = lost ? "The kernel does not answer: run this cell again to go on."
      : model.get("problem");
    problem.textContent = text;
    problem.hidden = !text;
  };
  follow(model, ["problem"], tell);
  watch(model, box, (silent) => { body.disabled = lost = silent; tell(); });
  el.append(box);
  return box;
}

const PATIENCE = 1000; // milliseconds

// Ask the kernel whether it is there, now and whenever somebody is at the widget; call lose(true)
// once it is silent for too long though it has nothing to do, and lose(false) when it is back.
function watch(model, box, lose) {
  let heard = -PATIENCE, waiting;
  const wait = () => {
    waiting = setTimeout(() => {
      if (model.widget_manager?.kernel?.status === "busy") return wait();
      waiting = undefined;
      lose(true);
    }, PATIENCE);
  };
  const ask = () => {
    if (waiting || performance.now() - heard < PATIENCE) return;
    wait();
    post(model, {ping: true});
  };
  model.on("msg:custom", (message) => {
    if (!message.pong) return;
    clearTimeout(waiting);
    [waiting, heard] = [undefined, performance.now()];
    lose(false);
  });
  box.addEventListener("pointerdown", ask, true);
  box.addEventListener("keydown", ask, true);
  ask();
}

// Run `show` now and after each change of these traits.
export function follow(model, names, show) {
  for (const name of names) model.on(`change:${name}`, show);
  show();
}

// Set traits and send them to the kernel.
export function send(model, values) {
  model.set(values);
  attempt(() => model.save_changes());
}

// Send a message to the kernel.
export function post(model, message) {
  attempt(() => model.send(message));
}

// Without a kernel sending fails, which `watch` notices.
function attempt(sending) {
  try { sending(); } catch (error) { console.warn(error); }
}

// A name for the radios that belong together. Each widget has its copy of this file, and a widget
// may be shown twice in one page: no two views may share a name.
export function radioGroup() {
  return `mc-${crypto.randomUUID?.() ?? Math.random()}`;
}

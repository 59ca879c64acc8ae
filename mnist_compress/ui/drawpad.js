// The draw pad. The page draws and shows; the kernel centres the digit and answers.

import {follow, frame, make, send} from "./widget.js";

const DRAWN = 280, SENT = 140, SEEN = 28, PEN = 28;  // pixels; the last is the width of a line
let pads = 0;  // views so far, so that each has ids of its own

function render({model, el}) {
  const id = `mc-pad-${++pads}`;
  const paper = make("canvas", {
    className: "mc-pad-paper", width: DRAWN, height: DRAWN, role: "img", "aria-label": "Draw here"});
  const seen = make("canvas", {
    className: "mc-pad-seen", width: SEEN, height: SEEN, tabIndex: 0, role: "application",
    "aria-label": "What the network sees: move it with the arrow keys",
    "aria-describedby": `${id}-help`});
  const help = make("p", {id: `${id}-help`},
    "Draw a digit with mouse, finger or pen, or pick a test digit. To move what the network sees, ",
    "focus its picture and press arrow keys; Home puts it back.");
  const clear = make("button", {type: "button"}, "Clear");
  const number = make("input", {
    type: "number", min: 0, max: model.get("count") - 1, step: 1, required: true});
  const previous = make("button", {type: "button"}, "Previous"),
    next = make("button", {type: "button"}, "Next");
  const picking = make("div", {className: "mc-row mc-pad-pick", hidden: !model.get("count")},
    make("label", {}, `Test digit, 0 to ${model.get("count") - 1}: `, number), previous, next);
  const sentence = make("p", {className: "mc-pad-sentence", role: "status"});
  const cells = {}, table = probabilityTable(model.get("names"), cells);
  const trace = make("div", {
    className: "mc-pad-scroll", tabIndex: 0, role: "region", "aria-label": "Prediction trace"});
  const details = make("details", {},
    make("summary", {}, "This digit on its way through five layers"), trace);

  frame(model, el, help,
    make("div", {className: "mc-row mc-pad-pictures"},
      make("figure", {}, paper, make("figcaption", {"aria-hidden": "true"}, "Draw here")),
      make("figure", {}, seen, make("figcaption", {}, "What the network sees"))),
    make("div", {className: "mc-row"}, clear, picking), sentence, table, details);

  // What is drawn
  let sent;
  const pen = paper.getContext("2d", {willReadFrequently: true});
  const stroke = drawing(paper, pen, () => {
    send(model, {drawing: sent = bytesOf(paper), position: null, down: 0, right: 0});
  });
  follow(model, ["drawing"], () => {
    if (stroke.active || model.get("drawing") === sent) return;
    if (same(model.get("drawing"), bytesOf(paper))) return;
    pen.clearRect(0, 0, DRAWN, DRAWN);  // another view drew, or a test digit was picked
    if (model.get("drawing").byteLength !== SENT * SENT) return;  // none, or the kernel's problem
    pen.drawImage(grey(model.get("drawing"), SENT), 0, 0, DRAWN, DRAWN);
  });

  // What is picked and moved
  const pick = (position) =>
    send(model, {drawing: new DataView(new ArrayBuffer(0)), position, down: 0, right: 0});
  const step = (by) => {
    const from = model.get("position") ?? (by > 0 ? -1 : 0), count = model.get("count");
    pick((from + by + count) % count);
  };
  clear.onclick = () => pick(null);
  previous.onclick = () => step(-1);
  next.onclick = () => step(1);
  number.onchange = () => { if (number.reportValidity()) pick(number.valueAsNumber); };
  follow(model, ["position"], () => { number.value = model.get("position") ?? ""; });
  seen.onkeydown = (event) => {
    const [down, right] = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1],
      ArrowRight: [0, 1], Home: [0, 0]}[event.key] ?? [];
    if (down === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const moved = (name, by) => event.key === "Home" ? 0
      : Math.max(-SEEN, Math.min(SEEN, model.get(name) + by));
    send(model, {down: moved("down", down), right: moved("right", right)});
  };

  // What comes of it
  follow(model, ["seen"], () => {
    seen.getContext("2d").clearRect(0, 0, SEEN, SEEN);
    seen.getContext("2d").drawImage(grey(model.get("seen"), SEEN), 0, 0);
  });
  follow(model, ["sentence"], () => {
    sentence.textContent = model.get("sentence").replaceAll(" %", "\u00a0%");  // kept on one line
  });
  follow(model, ["trace_html"], () => {
    trace.innerHTML = model.get("trace_html");  // made by the kernel from numbers and model names
    details.hidden = !model.get("trace_html");
  });
  follow(model, ["probabilities"], () => {
    for (const [name, column] of Object.entries(cells)) {
      const values = model.get("probabilities")[name] ?? [], best = Math.max(...values);
      column.forEach(({cell, bar, text}, digit) => {
        const value = values[digit];
        text.textContent = value === undefined ? "" : `${(100 * value).toFixed(1)} %`;
        bar.style.width = `${100 * (value ?? 0)}%`;
        cell.classList.toggle("mc-pad-best", value !== undefined && value === best);
      });
    }
  });
}

// A table of ten rows, a column for each model; `cells` gets {model: [{cell, bar, text}, ...]}.
function probabilityTable(names, cells) {
  const head = make("tr", {}, make("th", {scope: "col"}, "digit"),
    ...names.map((name) => make("th", {scope: "col"}, name)));
  const rows = Array.from({length: 10}, (none, digit) => make("tr", {},
    make("th", {scope: "row"}, String(digit)), ...names.map((name) => {
      const text = make("span", {}), bar = make("i", {}), cell = make("td", {},
        make("div", {}, text, make("span", {className: "mc-pad-bar", "aria-hidden": "true"}, bar)));
      (cells[name] ??= []).push({cell, bar, text});
      return cell;
    })));
  return make("table", {className: "mc-pad-table"},
    make("caption", {}, "Probability of each digit"),
    make("thead", {}, head), make("tbody", {}, ...rows));
}

// Let a pointer of any kind draw on `paper`; `done` is called when it lifts.
function drawing(paper, pen, done) {
  const state = {active: null};
  Object.assign(pen, {lineWidth: PEN, lineCap: "round", lineJoin: "round"});
  const place = (event) => {
    const box = paper.getBoundingClientRect();
    return [(event.clientX - box.left) * DRAWN / box.width,
      (event.clientY - box.top) * DRAWN / box.height];
  };
  let last;
  const line = (event) => {
    const to = place(event);
    pen.beginPath();
    pen.moveTo(...(last ?? to));
    pen.lineTo(...to);
    pen.stroke();
    last = to;
  };
  paper.onpointerdown = (event) => {
    if (state.active || event.button) return;  // a second finger, or a button that does not draw
    event.preventDefault();
    state.active = {pointer: event.pointerId};
    paper.setPointerCapture(event.pointerId);
    last = undefined;
    line(event);
  };
  paper.onpointermove = (event) => {
    if (event.pointerId !== state.active?.pointer) return;
    const between = event.getCoalescedEvents?.() ?? [];
    for (const each of between.length ? between : [event]) line(each);
  };
  paper.onpointerup = paper.onpointercancel = (event) => {
    if (event.pointerId !== state.active?.pointer) return;
    state.active = null;
    done();
  };
  return state;
}

// The ink of a canvas, shrunk: SENT * SENT bytes in a DataView.
function bytesOf(paper) {
  const small = make("canvas", {width: SENT, height: SENT})
    .getContext("2d", {willReadFrequently: true});
  small.drawImage(paper, 0, 0, SENT, SENT);
  const all = small.getImageData(0, 0, SENT, SENT).data;
  return new DataView(Uint8Array.from({length: SENT * SENT}, (none, at) => all[4 * at + 3]).buffer);
}

// A canvas with these bytes as black ink.
function grey(view, side) {
  const canvas = make("canvas", {width: side, height: side}), pen = canvas.getContext("2d");
  const image = pen.createImageData(side, side);
  for (let at = 0; at < side * side; at++) image.data[4 * at + 3] = view.getUint8(at);
  pen.putImageData(image, 0, 0);
  return canvas;
}

// Whether two DataViews hold the same; an empty one is the same as a blank one.
function same(one, other) {
  if (one.byteLength && one.byteLength !== other.byteLength) return false;
  for (let at = 0; at < other.byteLength; at++) {
    if ((one.byteLength ? one.getUint8(at) : 0) !== other.getUint8(at)) return false;
  }
  return true;
}

export default {render};

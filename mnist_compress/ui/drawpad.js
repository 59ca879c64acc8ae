// The draw pad. The page draws and shows; the kernel centres the digit and answers.

import {follow, frame, make, send} from "./widget.js";

const DRAWN = 280, SENT = 140, SEEN = 28;  // pixels: the paper, what is sent, what the network sees
const PEN = 28, SENT_PEN = 16;  // the width of a line on the paper and in what is sent
const STEP = 1 / 28;  // of the paper, for one press of an arrow key
let pads = 0;  // views so far, so that each has ids of its own

function render({model, el}) {
  const id = `mc-pad-${++pads}`;
  const paper = make("canvas", {
    className: "mc-pad-paper", width: DRAWN, height: DRAWN, tabIndex: 0, role: "application",
    "aria-label": "Draw here", "aria-describedby": `${id}-help`});
  const seen = make("canvas", {
    className: "mc-pad-seen", width: SEEN, height: SEEN, tabIndex: 0, role: "application",
    "aria-label": "What the network sees: move it with the arrow keys",
    "aria-describedby": `${id}-help`});
  const help = make("p", {id: `${id}-help`},
    "Draw a digit with mouse, finger, pen or keys: on the focused paper arrow keys move, space ",
    "lowers or lifts the pen, Delete clears. Most 1s of MNIST are one slanted stroke, without flag ",
    "or foot. To move what the network sees, focus its picture and press arrow keys; Home puts it ",
    "back.");
  const clear = make("button", {type: "button"}, "Clear");
  const number = make("input", {
    type: "number", min: 0, max: model.get("count") - 1, step: 1, required: true});
  const previous = make("button", {type: "button"}, "Previous"),
    next = make("button", {type: "button"}, "Next");
  const picking = make("div", {className: "mc-row mc-pad-pick", hidden: !model.get("count")},
    make("label", {}, `Picture, 0 to ${model.get("count") - 1}: `, number), previous, next);
  const sentence = make("p", {className: "mc-pad-sentence", role: "status"});
  const cells = {}, table = probabilityTable(model.get("names"), cells);
  const trace = make("div", {
    className: "mc-pad-scroll", tabIndex: 0, role: "region", "aria-label": "Prediction trace"});
  const details = make("details", {},
    make("summary", {}, "This digit on its way through five layers"), trace);

  frame(model, el, help,
    make("div", {className: "mc-row mc-pad-pictures"},
      make("figure", {}, paper, make("figcaption", {"aria-hidden": "true"}, "Draw here")),
      make("figure", {}, seen, make("figcaption", {}, "What the network sees")), table),
    make("div", {className: "mc-row"}, clear, picking), sentence, details);

  // What is drawn
  const pen = paper.getContext("2d");
  let mine;  // the strokes that this view sent
  const stroke = drawing(paper, (strokes) => send(model, {
    strokes: mine = strokes, drawing: cleanCopy(strokes), position: null, down: 0, right: 0}),
    () => pick(null));
  follow(model, ["strokes", "drawing"], () => {
    if (stroke.active || model.get("strokes") === mine) return;
    stroke.put(mine = model.get("strokes"));  // another view drew, or a picture was picked
    if (mine.length || model.get("drawing").byteLength !== SENT * SENT) return;
    pen.drawImage(grey(model.get("drawing"), SENT), 0, 0, DRAWN, DRAWN);  // the kernel's
  });

  // What is picked and moved
  const pick = (position) =>
    send(model, {strokes: [], drawing: new DataView(new ArrayBuffer(0)), position, down: 0,
      right: 0});
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
        text.textContent = value === undefined ? "" : `${(100 * value).toFixed(1)}\u00a0%`;
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

// Let a pointer of any kind or keys draw on `paper`; `done` gets the strokes, lists of places x, y
// from 0 to 1, when the pen lifts; `wipe` is called by Delete.
function drawing(paper, done, wipe) {
  const pen = paper.getContext("2d");
  const state = {active: null, put(strokes) {
    all = strokes.map((stroke) => [...stroke]);
    pen.clearRect(0, 0, DRAWN, DRAWN);
    ink(pen, all, DRAWN, 0, 0, PEN);
  }};
  let all = [], cursor = [0.5, 0.5], down = false;
  const place = (event) => {
    const box = paper.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  const line = (to) => {
    const stroke = all.at(-1), from = stroke.at(-1) ?? to;
    stroke.push(to);
    ink(pen, [[from, to]], DRAWN, 0, 0, PEN);
  };
  const lift = () => {
    state.active = null;
    done(all = [...all]);
  };
  paper.onpointerdown = (event) => {
    if (state.active || event.button) return;  // a second finger, or a button that does not draw
    event.preventDefault();
    paper.focus({preventScroll: true});
    state.active = {pointer: event.pointerId};
    paper.setPointerCapture(event.pointerId);
    all.push([]);
    line(place(event));
  };
  paper.onpointermove = (event) => {
    if (event.pointerId !== state.active?.pointer) return;
    const between = event.getCoalescedEvents?.() ?? [];
    for (const each of between.length ? between : [event]) line(place(each));
  };
  paper.onpointerup = paper.onpointercancel = (event) => {
    if (event.pointerId === state.active?.pointer) lift();
  };
  paper.onkeydown = (event) => {
    const moved = {ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP],
      ArrowDown: [0, STEP]}[event.key];
    if (event.ctrlKey || event.altKey || event.metaKey || state.active) return;
    if (moved) cursor = cursor.map((at, axis) => Math.min(0.95, Math.max(0.05, at + moved[axis])));
    else if (event.key === " ") down = !down;
    else if (event.key === "Delete") return wipe();
    else return;
    event.preventDefault();
    if (event.key === " " && down) all.push([]);
    if (down) {
      if (!all.length) all.push([]);  // cleared with the pen down
      line(cursor);
    }
    const [x, y] = cursor.map((at) => `${100 * at}%`), ink = down ? "#d55e00" : "#0072b2";
    paper.style.background = `radial-gradient(circle at ${x} ${y}, ${ink} 9px, #ffffff 10px)`;
    if (down) done(all = [...all]);
  };
  paper.onblur = () => { paper.style.background = ""; };
  return state;
}

// Draw strokes with a round pen, `scale` pixels for 1, moved by so many pixels.
function ink(pen, strokes, scale, right, down, wide) {
  Object.assign(pen, {lineWidth: wide, lineCap: "round", lineJoin: "round"});
  for (const [first, ...others] of strokes) {
    pen.beginPath();
    for (const [x, y] of [first, first, ...others]) pen.lineTo(x * scale + right, y * scale + down);
    pen.stroke();
  }
}

// The strokes as large as they can be, with a pen as wide as MNIST's beside its digits, however
// large they were drawn: SENT * SENT bytes of ink in a DataView.
function cleanCopy(strokes) {
  const pen = make("canvas", {width: SENT, height: SENT})
    .getContext("2d", {willReadFrequently: true});
  const [across, along] = [0, 1].map((axis) => strokes.flat().map((place) => place[axis]));
  const ends = [across, along].map((each) => [Math.min(...each), Math.max(...each)]);
  const scale = (SENT - SENT_PEN - 2) / Math.max(0.02, ...ends.map(([low, high]) => high - low));
  const [right, down] = ends.map(([low, high]) => SENT / 2 - scale * (low + high) / 2);
  ink(pen, strokes, scale, right, down, SENT_PEN);
  const all = pen.getImageData(0, 0, SENT, SENT).data;
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

export default {render};

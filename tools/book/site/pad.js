// The draw pad without a kernel: what drawpad.py and trace.py do, in the browser.

import {center} from "./center.js";
import {networks} from "./networks.js";
import {Model} from "./model.js";

const SIDE = 28, SENT = 140;
const NOTHING = "There is no ink yet. Draw a digit, or pick a picture.";

// data: what data/networks.js holds. names: of the networks that answer.
export async function pad(data, names) {
  const {digits, labels, read} = await networks(data);
  const blank = {seen: view(Array(SIDE * SIDE).fill(0)), probabilities: {}, trace_html: ""};

  function look(model) {
    const [drawing, position] = ["drawing", "position"].map((name) => model.get(name));
    const [down, right] = ["down", "right"].map((name) => model.get(name));
    let pixels = Array(SIDE * SIDE).fill(0), what = "Your drawing";
    if (drawing.byteLength) {
      pixels = center(Array.from({length: SENT * SENT}, (none, at) => drawing.getUint8(at)), SENT);
    } else if (position !== null) {
      [pixels, what] = [digits[position], `Picture ${position}, a ${labels[position]}`];
    }
    pixels = shifted(pixels, down, right);
    if (!pixels.some(Boolean)) return model.set({...blank, sentence: NOTHING});
    const found = read(pixels, names);
    const answers = Object.entries(found).map(([name, {chances}]) => {
      const [best] = largest(chances);
      return `${name} says ${best} (${(100 * chances[best]).toFixed(0)} %)`;
    });
    model.set({seen: view(pixels), trace_html: traceTable(pixels, found),
      probabilities: Object.fromEntries(Object.entries(found).map(([name, {chances}]) =>
        [name, chances])),
      sentence: `${what}${moved(down, right)}: ${answers.join(", ")}.`});
  }

  const model = new Model({...blank, strokes: [], drawing: view([]), position: 0, down: 0, right: 0,
    count: labels.length, names, sentence: ""}, {saved: look});
  look(model);
  return model;
}

const view = (pixels) => new DataView(Uint8Array.from(pixels).buffer);

// Places of the values, that of the largest first
const largest = (values) => [...values.keys()].sort((one, other) => values[other] - values[one]);

const shifted = (pixels, down, right) => pixels.map((none, place) => {
  const row = Math.floor(place / SIDE) - down, column = place % SIDE - right;
  const inside = [row, column].every((at) => at >= 0 && at < SIDE);
  return inside ? pixels[SIDE * row + column] : 0;
});

function moved(down, right) {
  const parts = [[right, "right", "left"], [down, "down", "up"]].filter(([steps]) => steps)
    .map(([steps, ahead, back]) => `${Math.abs(steps)} ${steps > 0 ? ahead : back}`);
  return parts.length ? `, moved ${parts.join(" and ")}` : "";
}

// Five layers: the pixels that move the strongest unit most, the strongest units, how many weights
// feed them, their integers, the two likeliest digits. Other networks of integers only answer.
function traceTable(pixels, found) {
  const names = Object.keys(found);
  const alike = (name) => name === "int8" || !found[name].integers;
  const units = largest(found.float.hidden).slice(0, 4), strongest = found.float.weights[units[0]];
  const places = largest(pixels.map((pixel, place) => Math.abs(pixel * strongest[place])))
    .slice(0, 4).sort((one, other) => one - other);
  const cells = {
    "input": [784, (name) => places.map((place) =>
      name === "int8" ? pixels[place] : (pixels[place] / 255).toFixed(2))],
    "hidden (dense)": [128, (name) => units.map((unit) => found[name].hidden[unit].toFixed(2))],
    "pruning applied": [128, (name) => units.map((unit) =>
      found[name].weights[unit].filter(Boolean).length)],
    "quantization applied": [128, (name) =>
      units.map((unit) => found[name].integers?.[unit] ?? "")],
    "output (softmax)": [10, (name) => [largest(found[name].chances).slice(0, 2).map((digit) =>
      `${digit}: ${(100 * found[name].chances[digit]).toFixed(1)} %`).join(", ")]],
  };
  const line = (tag, texts, more = "") =>
    `<tr>${texts.map((text) => `<${tag}${more}>${text}</${tag}>`).join("")}</tr>`;
  const lines = Object.entries(cells).map(([layer, [wide, of]]) =>
    line("td", [layer, `1 x ${wide}`, ...names.map((name) =>
      alike(name) || layer.startsWith("output") ? of(name).join(" ") : "")]));
  return `<table><thead>${line("th", ["layer", "shape", ...names], ' scope="col"')}</thead>` +
    `<tbody>${lines.join("")}</tbody></table>`;
}

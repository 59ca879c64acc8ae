// What the page tells about one digit, in numbers and texts, without a document.
import {floor} from "./integers.js";

// widths, layers and activations of a network -> a function of 784 pixels. It gives {answer, texts,
// chances}: the answer is "?" for a blank picture; a text for each of five layers; probabilities.
export const tracer = (widths, layers, activations) => {
  let scale = 1 / 255, all = 0, left = 0;  // scale: what 1 means in a logit
  // convolutions say a size and no rescale: what 1 means is the same in all that they read
  layers.forEach(({units, scale: [[number, shift]], rescale, size}, index) => {
    scale *= number / 2 ** shift;
    if (rescale) scale *= 2 ** rescale[0][1] / rescale[0][0];
    all += size ?? widths[index] * widths[index + 1];
    units.forEach(unit => left += unit && unit.weights.filter(Boolean).length);
  });
  const order = values => [...values.keys()].sort((one, other) => values[other] - values[one]);

  return pixels => {
    const outputs = activations(pixels), logits = outputs.at(-1);
    const powers = logits.map(logit => Math.exp((logit - Math.max(...logits)) * scale));
    const total = powers.reduce((sum, power) => sum + power);
    const chances = powers.map(power => power / total);
    const best = order(logits), units = order(outputs[0]).slice(0, 4);
    const ink = pixels.filter(Number).length;
    const list = values => units.map(unit => `#${unit}:\xa0${values[unit]}`).join(", ");
    let spent = 0, runs = 0;  // the same digit again and again, for 2 milliseconds
    for (const began = performance.now(); spent < 2; runs++)
      activations(pixels), spent = performance.now() - began;
    return {answer: ink ? best[0] : "?", chances, texts: [
      `${ink} of 784 pixels hold ink`,
      `int32 accumulators ${list(outputs[0])}`,
      `${left} of ${all} weights are left`,
      `ReLU, 8 bits: ${list(outputs[1])}`,
      best.slice(0, 3).map(digit => `${digit}:\xa0${(100 * chances[digit]).toFixed(1)}\xa0%`)
        .join(", ") + `, in ${floor(1e3 * spent / runs)}\xa0µs`]};
  };
};

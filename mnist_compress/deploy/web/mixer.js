// Context mixing: the twin of packed/context_mixing.py.
import {floor} from "./integers.js";

// squash: log-odds in units of 1/256, plus edge -> probability in units of 2**-16. stretch undoes
// it for probabilities in units of 2**-12; it fills as they are met.
const edge = 2559, squash = [], stretch = [];
for (let power = 2 ** 24, place = 0; place <= edge; place++) {
  squash[edge - place] = 65536 - (squash[edge + place] = floor(2 ** 40 / (2 ** 24 + power)));
  power = floor((power * 16711808 + 2 ** 23) / 2 ** 24);
}

// The bytes of a stream -> two functions: the next bit, and the next number 0..most. kind and
// contexts are whole numbers that say what is known about it.
export const mixer = stream => {
  const counters = {};  // of a context: [probability of a 1 in units of 2**-22, how often seen]
  const mix = [];  // of each kind: the weights of its contexts
  let at = 0, low = 0, span = 2 ** 32 - 1;
  const shift = () => low = low * 256 + (stream[at++] | 0);  // behind the end come zeros
  while (at < 4) shift();

  const bit = (kind, contexts) => {
    const seen = [];
    for (const context of contexts) seen.push(counters[
      [context, kind, seen.length]] ??= [seen[0] ? seen[0][0] : 2 ** 21, 0]);
    const weights = mix[kind] ??= contexts.map(() => floor(72090 / contexts.length));
    const inputs = seen.map(([chance]) => stretch[chance >>= 10] ??=
      squash.findIndex(value => value >= 16 * chance + 8) - edge);
    const total = inputs.reduce((sum, input, place) => sum + weights[place] * input, 0);
    const chance = squash[Math.min(Math.max(floor(total / 65536), -edge), edge) + edge];
    const part = floor(span * chance / 65536), one = +(low < part);
    if (one) span = part;
    else low -= part, span -= part;
    for (; span < 2 ** 24; span *= 256) shift();
    const error = (one * 65536 - chance) * (2 + floor(200 / (seen[0][1] + 20)));
    seen.forEach((counter, place) => {
      weights[place] += floor(inputs[place] * error / 65536 + .5);
      counter[0] += floor((one * 2 ** 22 - counter[0]) / (counter[1] + 2));
      if (counter[1] < 1000) counter[1]++;
    });
    return one;
  };

  const number = (kind, contexts, most) => {
    const next = known => bit(kind, contexts.map(context => context * 65536 + known));
    let size = 0, value = 1;
    while (2 ** size < most / 2 + 1 && next(size)) size++;
    for (let place = size; place--;)
      value = 2 * value + next((size << 5 | place) << 5 | Math.min(value, 31));
    return value - 1;
  };
  return [bit, number];
};

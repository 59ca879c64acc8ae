// Context mixing, and the order of all weights: the twin of packed/context_mixing.py.
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
const mixer = stream => {
  const counters = {};  // of a context: [probability of a 1 in units of 2**-22, how often seen]
  const mix = [];  // of each kind: the weights of its contexts
  let at = 0, low = 0, span = 2 ** 32 - 1;
  const shift = () => low = low * 256 + (stream[at++] | 0);  // behind the end come zeros
  while (at < 4) shift();

  const bit = (kind, contexts) => {
    const seen = [];
    for (const context of contexts) seen.push(counters[
      context * 65536 + 16 * kind + seen.length] ??= [seen[0] ? seen[0][0] : 2 ** 21, 0]);
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
    const next = known => bit(kind, contexts.map(context => context << 16 | known));
    let size = 0, value = 1;
    while (2 ** size < most / 2 + 1 && next(size)) size++;
    for (let place = size; place--;)
      value = 2 * value + next((size << 5 | place) << 5 | Math.min(value, 31));
    return value - 1;
  };
  return [bit, number];
};

// What readHeader gives -> its layers, now with units: 0 for a unit without use, or its weights, a
// list of [input, weight], and its bias.
export const decode = (tied, widths, layers, stream) => {
  const [bit, number] = mixer(stream);
  let inputs = Array(widths[0] / 4 ** tied).fill(1);  // units before, or pixels; 0: no weights

  const readLayer = (layer, index) => {
    const kind = 8 * index, side = kind ? 0 : Math.sqrt(inputs.length);  // of the picture
    const columns = inputs.map(() => []);  // of each input: its last weights as [unit, sign]
    const levels = [];  // the magnitudes that weights have, rising
    let bias = 0, alive = 2;  // of the unit before; 2: there was none

    const readLevel = level =>
      bit(1, [2 * (level == 127) + (levels.at(-1) == level - 1)]) && levels.push(level);

    const readUnit = (none, unit) => {
      const weights = [];
      const here = [];  // signs so far, in lines of side + 1: 1 for a negative, 2 for a positive
      const agree = Array(unit).fill(0);  // of each earlier unit: signs like ours less signs unlike

      const readWeight = (input, place) => {
        if (!input) return;
        const contexts = [0, place, unit], signs = [0], column = columns[place];
        let spot = 0, vote = 0;
        if (side) {
          spot = place + floor(place / side);
          const [left, corner, above, other] =
            [1, side + 2, side + 1, side].map(back => here[spot - back] | 0);
          contexts.push(!left + 2 * !corner + 4 * !above + 8 * !other);
          signs.push(9 * left + 3 * above + corner, 9 * left + 3 * above + other);
        }
        if (!bit(kind + 5, contexts)) return;
        column.forEach(([earlier, turn]) => vote += agree[earlier] * turn);
        signs.push(Math.clz32(vote) - Math.clz32(-vote));  // tells the vote's sign and its size
        const up = bit(kind + 6, signs), sign = 2 * up - 1;
        const weight =
          sign * levels[number(kind + 7, [0, unit, contexts.at(-1)], levels.length - 1)];
        here[spot] = 1 + up;
        column.forEach(([earlier, turn]) => agree[earlier] += sign * turn);
        if (column.push([unit, sign]) > 64) column.shift();
        const first = 2 * (place + side * floor(place / side)), below = first + 2 * side;
        for (const pixel of side && tied ? [first, first + 1, below, below + 1] : [place])
          weights.push([pixel, weight]);
      };

      alive = bit(kind + 2, [alive]);
      if (!alive) return 0;
      const change = number(kind + 3, [0], 2 ** 32);
      bias += change && bit(kind + 4, [0]) ? -change : change;
      inputs.forEach(readWeight);
      return {weights, bias: bias * layer.step};
    };

    for (let level = 1; level < 128; level++) readLevel(level);
    inputs = layer.units = Array.from({length: widths[index + 1]}, readUnit);
  };

  layers.forEach(readLayer);
  return layers;
};

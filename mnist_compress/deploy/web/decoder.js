// The order of all weights in a stream: the twin of _LayerWalk in packed/context_mixing.py.
import {floor} from "./integers.js";
import {mixer} from "./mixer.js";

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

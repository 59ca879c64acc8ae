// The record coder and the integer network: the twin of packed_decoder.py and reader.py.
// Every number is an integer below 2**53, so a double holds it exactly. The header gives floor,
// data and at (the next byte), tied, widths and layers: [rows, biases, scale, rescale, step].
const edge = 2559, squash = [], stretch = [], states = {}, mix = [];
for (let power = 2 ** 24, place = 0; place <= edge; place++) {
  squash[edge + place] = floor(2 ** 40 / (2 ** 24 + power));
  squash[edge - place] = place ? 65536 - squash[edge + place] : squash[edge];
  power = floor((power * 16711808 + 2 ** 23) / 2 ** 24);
}

// Arithmetic decoding and logistic mixing.
let low = 0, span = 2 ** 32 - 1;
for (let place = 0; place < 4; place++) low = low * 256 + (data[at++] | 0);
const bit = (kind, contexts) => {
  const found = [];
  contexts.forEach((context, place) => found.push(
    states[context * 65536 + 16 * kind + place] ??= [found.length ? found[0][0] : 2 ** 21, 0]));
  const weights = mix[kind] ??= contexts.map(() => floor(72090 / contexts.length));
  const inputs = found.map(([chance]) => stretch[chance >>= 10] ??=
    squash.findIndex(value => value >= 16 * chance + 8) - edge);
  const total = inputs.reduce((sum, input, place) => sum + weights[place] * input, 0);
  const chance = squash[Math.min(Math.max(floor(total / 65536), -edge), edge) + edge];
  const part = floor(span * chance / 65536), one = low < part ? 1 : 0;
  if (one) span = part;
  else low -= part, span -= part;
  for (; span < 2 ** 24; span *= 256) low = low * 256 + (data[at++] | 0);
  const error = (one * 65536 - chance) * (2 + floor(200 / (found[0][1] + 20)));
  found.forEach((state, place) => {
    weights[place] += floor((inputs[place] * error + 32768) / 65536);
    state[0] += floor((one * 2 ** 22 - state[0]) / (state[1] + 2));
    state[1] = Math.min(state[1] + 1, 1000);
  });
  return one;
};
const number = (kind, contexts, most) => {
  let size = 0, value = 1;
  while (2 ** (size + 1) <= most + 1 && bit(kind, contexts.map(context => context << 16 | size)))
    size++;
  for (let place = size; place--;) {
    const known = (size << 5 | place) << 5 | Math.min(value, 31);
    value = 2 * value + bit(kind, contexts.map(context => context << 16 | known));
  }
  return value - 1;
};

// The walk over all weights. A row of a layer becomes a list of [input, weight].
let alive = Array(widths[0] / (tied ? 4 : 1)).fill(1);
layers.forEach(([rows, biases, , , step], index) => {
  const inputs = alive.length, root = Math.sqrt(inputs), side = index || root % 1 ? 0 : root;
  const kind = 8 * index, levels = [], columns = alive.map(() => []), live = [];
  let bias = 0, last = 2;
  for (let size = 1; size < 128; size++)
    if (bit(1, [2 * (size == 127) + (levels.at(-1) == size - 1)])) levels.push(size);
  for (let unit = 0; unit < widths[index + 1]; unit++) {
    const row = rows[unit] = [], here = [], agree = [];
    biases[unit] = 0;
    live[unit] = last = bit(kind + 2, [last]);
    if (!last) continue;
    const change = number(kind + 3, [0], 2 ** 32);
    bias += change && bit(kind + 4, [0]) ? -change : change;
    biases[unit] = bias * step;
    alive.forEach((lives, place) => {
      if (!lives) return;
      const contexts = [0, place, unit], signs = [0], column = columns[place];
      const spot = place + floor(place / side) + side + 2;
      if (side) {
        const [left, corner, above, other] =
          [1, side + 2, side + 1, side].map(back => here[spot - back] | 0);
        contexts.push(!!left + 2 * !!corner + 4 * !!above + 8 * !!other);
        signs.push(9 * left + 3 * above + corner, 9 * left + 3 * above + other);
      }
      if (!bit(kind + 5, contexts)) return;
      const vote = column.reduce((sum, [earlier, turn]) => sum + (agree[earlier] | 0) * turn, 0);
      signs.push(2 * (32 - Math.clz32(Math.abs(vote))) + (vote > 0));
      const sign = 2 * bit(kind + 6, signs) - 1;
      const rank = number(kind + 7, [0, unit, contexts.at(-1)], levels.length - 1);
      here[spot] = 1 + (sign > 0);
      column.forEach(([earlier, turn]) => agree[earlier] = (agree[earlier] | 0) + sign * turn);
      columns[place] = [...column.slice(-63), [unit, sign]];
      const first = 4 * side * floor(place / side) + 2 * (place % side);
      for (const input of tied && !index ? [0, 1, 2 * side, 2 * side + 1].map(step => first + step)
           : [place]) row.push([input, sign * levels[rank]]);
    });
  }
  alive = live;
});

// Pixels 0..255 -> of each layer the sums and, but for the last, the values 0..255.
const activations = pixels => {
  const outputs = [];
  for (const [rows, biases, , rescale] of layers) {
    const sums = rows.map((row, unit) =>
      row.reduce((sum, [input, weight]) => sum + weight * pixels[input], biases[unit]));
    outputs.push(sums);
    if (rescale) outputs.push(pixels = sums.map((sum, unit) => {
      const [multiplier, shift] = rescale[unit % rescale.length];
      return Math.min(floor((Math.max(sum, 0) * multiplier + 2 ** (shift - 1)) / 2 ** shift), 255);
    }));
  }
  return outputs;
};

// Networks of convolutions: the twin of IntegerConvolution in integer/convolution.py and of
// packed/convolutions.py. It stands in for decoder.js and network.js.
import {floor} from "./integers.js";
import {mixer} from "./mixer.js";

// Layers are [groups, channels that a channel reads, channels, kernel, pool, is it rescaled?,
// stride, if it is not 1]. They get units, which are channels with all their weights.
export const decode = (tied, widths, layers, stream) => {
  const [bit, number] = mixer(stream);
  layers.forEach((layer, place) => {
    const [groups, reads, channels, kernel, , hidden] = layer;
    const base = place * 2 ** 20, kind = 8 * kernel + 64 * (groups > 1);
    const step = 2 ** number(1, [0], 30);
    let bias = 0;
    layer.units = Array.from({length: channels}, (none, unit) => {
      const rescale = hidden &&
        [number(16, [0, place], 2 ** 24 - 2) + 1, number(24, [0, place], 62) + 1];
      const change = number(3, [place], 2 ** 32), weights = [];
      bias += change && bit(4, [place]) ? -change : change;
      for (let at = 0; at < reads * kernel ** 2; at++) {
        const contexts = [0, base + at, base + unit];
        const left = at % kernel && Math.sign(weights[at - 1]);
        const above = floor(at / kernel) % kernel && Math.sign(weights[at - kernel]);
        weights.push(bit(kind + 5, contexts) &&
          (2 * bit(kind + 6, [0, 3 * left + above + 4]) - 1) * (number(kind + 7, contexts, 126) + 1));
      }
      return {weights, rescale, bias: bias * step};
    });
  });
  return layers;
};

// As integerNetwork in network.js. A hidden layer that is not rescaled has no activations.
export const integerNetwork = layers => values => {
  const outputs = [];
  for (const layer of layers) {
    const [groups, reads, channels, kernel, pool, hidden, stride = 1] = layer, {units} = layer;
    const inputs = values, side = Math.sqrt(inputs.length / groups / reads);
    const places = Math.ceil(side / stride), half = kernel >> 1;
    const spots = [...Array(places ** 2).keys()];
    outputs.push(values = units.flatMap(({weights, bias}, unit) => {
      const add = (total, spot) => weights.reduce((sum, weight, at) => {
        const y = floor(spot / places) * stride + floor(at / kernel) % kernel - half;
        const x = spot % places * stride + at % kernel - half;
        const channel = floor(unit * groups / channels) * reads + floor(at / kernel ** 2);
        return Math.min(x, y) < 0 || Math.max(x, y) >= side ? sum :
          sum + weight * inputs[(channel * side + y) * side + x];
      }, total);
      return pool ? spots.map(spot => add(bias, spot)) : spots.reduce(add, bias);
    }));
    if (pool > 1) values = values.flatMap((value, place) =>
      place % places % 2 && floor(place / places) % places % 2 ? Math.max(value,
        values[place - 1], values[place - places], values[place - places - 1]) : []);
    if (hidden) outputs.push(values = values.map((sum, place) => {
      const [multiplier, shift] = units[floor(place * channels / values.length)].rescale;
      return Math.min(floor((Math.max(sum, 0) * multiplier + 2 ** (shift - 1)) / 2 ** shift), 255);
    }));
  }
  return outputs;
};

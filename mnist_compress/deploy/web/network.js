// The network of integers: the twin of IntegerNetwork in integer/.
import {floor} from "./integers.js";

// Layers that decode gives -> a function. From pixels, 784 numbers 0..255, it makes the list of
// each layer's accumulators and, but for the last, activations 0..255.
export const integerNetwork = layers => values => {
  const outputs = [];
  for (const {units, rescale} of layers) {
    outputs.push(values = units.map(unit => unit && unit.weights.reduce(
      (sum, [input, weight]) => sum + weight * values[input], unit.bias)));
    if (rescale) outputs.push(values = values.map((sum, unit) => {
      const [multiplier, shift] = rescale[unit % rescale.length];
      return Math.min(floor((Math.max(sum, 0) * multiplier + 2 ** (shift - 1)) / 2 ** shift), 255);
    }));
  }
  return outputs;
};

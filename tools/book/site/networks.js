// The networks of the draw pads: floats and pruned ones in doubles, the others in their integers.

import {bytes} from "./load.js";
import {integerNetwork} from "./network.js";

// What tools/book/networks.py wrote -> {digits: 784 pixels each, labels, read}; read(pixels, names)
// gives {name: {hidden, integers, weights, chances}}, integers only for networks of integers.
export async function networks({float, masks, integers, digits, labels}) {
  const dense = await Promise.all(float.map(async ({weight, bias}) =>
    rows(halves(await inflate(weight)), bias)));
  const ways = {float: (pixels) => inFloat(dense, pixels)};
  for (const [name, mask] of Object.entries(masks)) {
    const bits = await Promise.all(mask.map(inflate));
    const pruned = dense.map((layer, place) => layer.map(({weights, bias}, unit) => ({bias,
      weights: weights.map((weight, at) => weight * bit(bits[place], unit * weights.length + at))})));
    ways[name] = (pixels) => inFloat(pruned, pixels);
  }
  for (const [name, network] of Object.entries(integers)) ways[name] = await inIntegers(network);
  const images = await inflate(digits);
  return {
    labels,
    digits: labels.map((none, place) => [...images.subarray(784 * place, 784 * place + 784)]),
    read: (pixels, names) => Object.fromEntries(names.map((name) => [name, ways[name](pixels)])),
  };
}

function inFloat(layers, pixels) {
  const hidden = product(layers[0], pixels.map((pixel) => pixel / 255))
    .map((value) => Math.max(value, 0));
  return {hidden, weights: layers[0].map((unit) => unit.weights),
    chances: softmax(product(layers[1], hidden))};
}

// {layers, scales} -> a function as inFloat, of pixels alone
async function inIntegers({layers, scales}) {
  const whole = await Promise.all(layers.map(async ({weight, bias, rescale}) =>
    ({units: rows([...new Int8Array((await inflate(weight)).buffer)], bias), rescale})));
  const network = integerNetwork(whole.map(({units, rescale}) => ({rescale, units: units.map(
    ({weights, bias}) => ({bias, weights: weights.map((weight, input) => [input, weight])
      .filter(([, weight]) => weight)}))})));
  return (pixels) => {
    const [, hidden, logits] = network(pixels);
    return {integers: hidden, hidden: hidden.map((value) => value * scales[0]),
      weights: whole[0].units.map((unit) => unit.weights),
      chances: softmax(logits.map((value) => value * scales[1]))};
  };
}

// Base64 of deflated bytes -> Uint8Array
async function inflate(text) {
  const stream = new Blob([bytes(text)]).stream().pipeThrough(
    new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Low bytes, then high bytes, of float16 -> numbers
function halves(planes) {
  const count = planes.length / 2;
  return Array.from({length: count}, (none, place) => {
    const high = planes[count + place], part = (high & 3) * 256 + planes[place];
    const exponent = high >> 2 & 31;
    const size = exponent ? (1024 + part) * 2 ** (exponent - 25) : part * 2 ** -24;
    return high & 128 ? -size : size;
  });
}

const bit = (packed, place) => packed[place >> 3] >> (place & 7) & 1;

// All weights of a layer, one unit's after the other's -> [{weights, bias}]
function rows(all, biases) {
  const wide = all.length / biases.length;
  return biases.map((bias, unit) => ({bias, weights: all.slice(unit * wide, unit * wide + wide)}));
}

const product = (units, inputs) => units.map(({weights, bias}) =>
  weights.reduce((sum, weight, input) => sum + weight * inputs[input], bias));

function softmax(logits) {
  const powers = logits.map((logit) => Math.exp(logit - Math.max(...logits)));
  const total = powers.reduce((sum, power) => sum + power);
  return powers.map((power) => power / total);
}

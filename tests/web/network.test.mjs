import assert from "node:assert/strict";
import {test} from "node:test";
import * as convolutions from "../../mnist_compress/deploy/web/convolution.js";
import {decode} from "../../mnist_compress/deploy/web/decoder.js";
import {readHeader} from "../../mnist_compress/deploy/web/header.js";
import {integerNetwork} from "../../mnist_compress/deploy/web/network.js";
import * as shapes from "../../mnist_compress/deploy/web/shapes.js";
import {tracer} from "../../mnist_compress/deploy/web/trace.js";
import {cases, mc} from "./cases.mjs";

test("a header of three layers with scales a unit", () => {
  const varint = value => value < 128 ? [value] : [value % 128 + 128, ...varint(value >> 7)];
  const pair = (number, shift) => varint(number * 64 + shift);
  const bytes = Uint8Array.from([109, 99, 20, 2 | 2 << 2, ...varint(784), 2, 10,
    ...pair(5, 3), ...pair(7, 4), ...pair(9, 20), ...pair(11, 21), ...pair(3, 6), ...pair(300, 9),
    ...pair(1, 0), 1, 2, 3]);
  assert.deepEqual(readHeader(bytes), [0, [784, 2, 10], [
    {scale: [[5, 3], [7, 4]], rescale: [[9, 20], [11, 21]], step: 192},
    {scale: [[300, 9]], rescale: false, step: 1}], Uint8Array.of(1, 2, 3)]);
});

test("the pretrained network has the weights it was left with", () => {
  const [tied, widths, layers, stream] = readHeader(mc("thousand"));
  assert.equal(tied, 1);
  assert.deepEqual(widths, [784, 128, 10]);
  const weights = decode(tied, widths, layers, stream).map(({units}) =>
    units.flatMap(unit => unit ? unit.weights : []));
  assert.deepEqual(weights.map(all => all.length), [1372, 217]);
  assert.ok(weights[0].every(([input, weight]) => input >= 0 && input < 784 && weight));
});

test("two networks do not share what they learned", () => {
  const read = name => decode(...readHeader(mc(name)));
  const alone = read("thousand");
  read("perceptron");
  assert.deepEqual(read("thousand"), alone);
});

test("activations round half up, and end at 0 and 255", () => {
  const unit = (weight, bias) => ({weights: [[0, weight]], bias});
  const layers = [
    {units: [unit(1, 1), unit(1, 0), unit(-1, 0), 0, unit(100, 0)], rescale: [[1, 1]]},
    {units: [{weights: [[0, 2], [4, -1]], bias: 5}], rescale: false}];
  assert.deepEqual(integerNetwork(layers)([6]),
    [[7, 6, -6, 0, 600], [4, 3, 0, 0, 255], [2 * 4 - 255 + 5]]);
  layers[0].rescale = [[1, 1], [1, 2], [1, 1], [1, 1], [3, 4]];
  assert.deepEqual(integerNetwork(layers)([6])[1], [4, 2, 0, 0, 113]);
});

test("the trace tells the same as the numbers", () => {
  const outputs = [[3, 9, 1, 0, 7], [1, 4, 0, 0, 3], [0, 2, 1, 0, 0, 0, 0, 0, 0, 0]];
  const layers = [
    {units: [0, {weights: [[0, 1], [5, 2]]}], scale: [[255, 2]], rescale: [[1, 2]]},
    {units: [{weights: [[0, 1]]}], scale: [[1, 0]]}];
  const trace = tracer([784, 5, 10], layers, () => outputs);
  const pixels = Array(784).fill(0);
  assert.equal(trace(pixels).answer, "?");
  pixels[400] = 7;
  const {answer, chances, texts} = trace(pixels);
  assert.equal(answer, 1);
  const total = Math.exp(2) + Math.exp(1) + 8;  // a logit means 1: 1/255 * 255/4 * 4 * 1
  assert.ok(Math.abs(chances[1] - Math.exp(2) / total) < 1e-12);
  assert.ok(Math.abs(chances.reduce((sum, chance) => sum + chance) - 1) < 1e-12);
  const plain = texts.map(text => text.replaceAll("\xa0", " "));
  assert.deepEqual(plain.slice(0, 4), [
    "1 of 784 pixels hold ink", "int32 accumulators #1: 9, #4: 7, #0: 3, #2: 1",
    "3 of 3970 weights are left", "ReLU, 8 bits: #1: 4, #4: 3, #0: 1, #2: 0"]);
  assert.match(plain[4], /^1: 40\.8 %, 2: 15\.0 %, 0: 5\.5 %, in \d+ µs$/);
});

for (const {name, bytes, pixels, accumulators} of cases("network"))
  test(`the accumulators of ${name} are Python's`, () => {
    const activations = integerNetwork(decode(...readHeader(bytes)));
    pixels.forEach((digit, place) => {
      const outputs = activations(digit);
      accumulators.forEach((layer, index) => assert.deepEqual(outputs[2 * index], layer[place]));
    });
  });

for (const {name, bytes, pixels, widths, scale, accumulators} of cases("convolution"))
  test(`the accumulators of ${name} are Python's`, () => {
    const [tied, units, layers, stream] = shapes.readHeader(bytes);
    assert.deepEqual(units, widths);
    const activations = convolutions.integerNetwork(
      convolutions.decode(tied, units, layers, stream));
    const [number, shift] = layers.at(-1).scale[0];
    assert.equal(number / 2 ** shift, scale);
    pixels.forEach((digit, place) => {
      const outputs = activations(digit);
      let at = 0;
      accumulators.forEach((layer, index) => {
        assert.deepEqual(outputs[at], layer[place], `layer ${index}`);
        at += layers[index][5] ? 2 : 1;
      });
      assert.equal(outputs.length, at);
    });
    const {texts, chances} = tracer(units, layers, activations)(pixels[0]);
    const weights = layers.flatMap(layer => layer.units.flatMap(unit => unit.weights));
    const left = weights.filter(weight => weight != 0).length;
    assert.equal(texts[2], `${left} of ${weights.length} weights are left`);
    const powers = accumulators.at(-1)[0].map((logit, digit, all) =>
      Math.exp((logit - Math.max(...all)) * scale / 255));
    const total = powers.reduce((sum, power) => sum + power);
    chances.forEach((chance, digit) => assert.ok(Math.abs(chance - powers[digit] / total) < 1e-9));
  });

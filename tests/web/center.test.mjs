import assert from "node:assert/strict";
import {test} from "node:test";
import {center} from "../../mnist_compress/deploy/web/center.js";
import {cases} from "./cases.mjs";

test("nothing drawn, a dot, and ink too faint to stay", () => {
  const blank = Array(784).fill(0), dot = Array(35).fill(0), faint = Array(140 * 140).fill(0);
  assert.deepEqual(center(Array(35).fill(0), 7), blank);
  dot[16] = 9;
  assert.deepEqual(center(dot, 7), blank.map((none, place) => {
    const row = Math.floor(place / 28), column = place % 28;  // 20 x 20 pixels, its middle at 14
    return row >= 5 && row < 25 && column >= 5 && column < 25 ? 9 : 0;
  }));
  faint[0] = faint[140 * 140 - 1] = 1;
  assert.deepEqual(center(faint, 140), blank);
});

for (const {name, ink, wide, picture} of cases("center"))
  test(`${name} is centered as in Python`, () => assert.deepEqual(center(ink, wide), picture));

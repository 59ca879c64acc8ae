// A drawing goes the way that MNIST's pictures went: the twin of center_digit in data.py.
import {floor} from "./integers.js";

// ink: numbers 0..255, wide in each line -> 784 of them: scaled into 20 x 20, centered by mass.
export const center = (ink, wide) => {
  let top = wide * wide, left = wide, bottom = -1, right = -1;
  const each = visit => ink.forEach((value, place) =>
    value && visit(value, floor(place / wide), place % wide));
  each((value, row, column) => {
    top = Math.min(top, row), left = Math.min(left, column);
    bottom = Math.max(bottom, row), right = Math.max(right, column);
  });
  const picture = Array(784).fill(0), side = Math.max(bottom - top, right - left) + 1;
  if (bottom < 0) return picture;
  const sums = Array(400).fill(0), overlap = (place, cell) =>
    Math.min(20 * place + 20, cell * side + side) - Math.max(20 * place, cell * side);
  each((value, row, column) => {
    row -= top, column -= left;
    for (let down = floor(20 * row / side); down * side < 20 * row + 20; down++)
      for (let across = floor(20 * column / side); across * side < 20 * column + 20; across++)
        sums[20 * down + across] += value * overlap(row, down) * overlap(column, across);
  });
  let total = 0, down = 0, across = 0;
  const small = sums.map((sum, place) => {
    const value = floor((2 * sum + side * side) / (2 * side * side));
    total += value, down += value * floor(place / 20), across += value * (place % 20);
    return value;
  });
  const move = (mass, length) => Math.max(0, Math.min(
    28 - Math.ceil(20 * length / side), floor((14.5 * total - mass) / total)));
  down = move(down, bottom - top + 1), across = move(across, right - left + 1);
  small.forEach((value, place) => value &&
    (picture[28 * (floor(place / 20) + down) + place % 20 + across] = value));
  return picture;
};

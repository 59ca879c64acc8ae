// The draw pad. Its picture goes the way MNIST's did: a box of 20 x 20, then centred by mass.
const centre = (ink, wide) => {
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

const size = 140, step = 5;
const [pad, clear, answer, small, bars, ...cells] =
  [..."pcasbvwxyz"].map(id => document.getElementById(id));
const [pen, preview] = [pad, small].map(canvas =>
  canvas.getContext("2d", {willReadFrequently: true}));
pen.lineWidth = 14, pen.lineCap = pen.lineJoin = "round";
let x = size / 2, y = x, down = 0, scale = 1 / 255, all = 0, left = 0;
layers.forEach(([rows, , [[number, shift]], rescale], index) => {
  scale *= number / 2 ** shift;
  if (rescale) scale *= 2 ** rescale[0][1] / rescale[0][0];
  all += widths[index] * widths[index + 1], rows.forEach(row => left += row.length);
});
for (let digit = 0; digit < 10; digit++) bars.append(document.createElement("i"));

const drawn = () => {
  const every = pen.getImageData(0, 0, size, size).data;
  return Array.from({length: size * size}, (none, place) => every[4 * place + 3]);
};
const show = () => {
  const pixels = centre(drawn(), size), outputs = activations(pixels), sums = outputs.at(-1);
  const powers = sums.map(sum => Math.exp((sum - Math.max(...sums)) * scale));
  const total = powers.reduce((sum, power) => sum + power);
  const order = values => [...values.keys()].sort((one, other) => values[other] - values[one]);
  const best = order(sums), units = order(outputs[0]).slice(0, 4), ink = pixels.filter(Number);
  const list = values => units.map(unit => `#${unit}: ${values[unit]}`).join(", ");
  let spent = 0, runs = 0;  // the same digit again and again, for 2 milliseconds
  for (const began = performance.now(); spent < 2; runs++)
    activations(pixels), spent = performance.now() - began;
  answer.textContent = ink.length ? best[0] : "?";
  [`${ink.length} of 784 pixels hold ink`, `int32 sums ${list(outputs[0])}`,
   `${left} of ${all} weights are left`,
   `ReLU, 8 bits: ${list(outputs[1])}`,
   best.slice(0, 3).map(digit => `${digit}: ${(100 * powers[digit] / total).toFixed(1)} %`).join(", ")
     + `, in ${floor(1e3 * spent / runs)} µs`
  ].forEach((text, place) => cells[place].textContent = text);
  [...bars.children].forEach((bar, digit) => bar.style.height = 50 * powers[digit] / total + "px");
  const image = preview.createImageData(28, 28);
  pixels.forEach((value, place) => image.data[4 * place + 3] = value);
  preview.putImageData(image, 0, 0);
};
const go = (nextX, nextY, draw) => {
  pen.beginPath(), pen.moveTo(x, y), pen.lineTo(x = nextX, y = nextY);
  if (draw) pen.stroke(), show();
};
const point = event =>
  [event.offsetX, event.offsetY].map(place => place * size / pad.clientWidth);
const wipe = () => {
  pen.clearRect(0, 0, size, size), show();
};
pad.onpointerdown = event => {
  [x, y] = point(event), pad.setPointerCapture(event.pointerId), go(x, y, 1);
};
pad.onpointermove = event => {
  if (event.buttons) go(...point(event), 1);
};
pad.onkeydown = event => {
  const turn = ["ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"].indexOf(event.key);
  const near = value => Math.max(7, Math.min(size - 7, value));
  if (turn >= 0) go(near(x + [-step, 0, step, 0][turn]), near(y + [0, -step, 0, step][turn]), down);
  else if (event.key == " ") down = !down, go(x, y, down);
  else if (event.key == "Delete") wipe();
  else return;
  event.preventDefault();
  pad.style.background = `radial-gradient(circle at ${x / 1.4}% ${y / 1.4}%,${down ? "red" : "#06c"} 6px,#fff 7px)`;
};
clear.onclick = wipe;
show();

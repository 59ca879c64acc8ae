// The draw pad, and the trace of one digit below it: fills the elements of pad.html.
import {center} from "./center.js";

const size = 140, step = 5;  // pixels of the pad; one press of an arrow key
const wide = 14, clean = 16;  // the pen: on the pad, and when the drawing fills it, as in MNIST

// trace: what trace.js makes. It is called with 784 pixels after every stroke.
export const startPad = (document, trace) => {
  const [pad, answer, clear, , seen, bars] = document.querySelectorAll("[id]");
  const texts = document.querySelectorAll("span");
  const copy = pad.copy = pad.cloneNode(), [pen, preview, large] = [pad, seen, copy].map(canvas =>
    canvas.getContext("2d", {willReadFrequently: true}));
  let x = size / 2, y = x, down = 0;  // where the pen is, and whether a key lowered it
  let path, places;  // all strokes, and where they turn: [[x, x, ...], [y, y, ...]]

  const draw = (canvas, width) => {
    canvas.lineWidth = width, canvas.lineCap = canvas.lineJoin = "round", canvas.stroke(path);
  };
  // All strokes, as large as the pad.
  const enlarge = () => {
    const ends = places.map(all => [Math.min(...all), Math.max(...all)]);
    const times = (size - clean - 2) / Math.max(3, ...ends.map(([low, high]) => high - low));
    const [right, below] = ends.map(([low, high]) => (size - times * (low + high)) / 2);
    copy.width = size;  // wipes it
    large.setTransform(times, 0, 0, times, right, below), draw(large, clean / times);
  };
  const show = () => {
    const drawn = large.getImageData(0, 0, size, size).data;
    const pixels = center(drawn.filter((none, place) => place % 4 == 3), size);
    const told = trace(pixels), image = preview.createImageData(28, 28);
    answer.textContent = told.answer;
    told.texts.forEach((text, place) => texts[place].textContent = text);
    told.chances.forEach((chance, digit) =>
      bars.children[digit].style.borderTopWidth = 50 * chance + "px");
    pixels.forEach((value, place) => image.data[4 * place + 3] = value);
    preview.putImageData(image, 0, 0);
  };
  const go = (nextX, nextY, lowered) => {
    path.moveTo(x, y), x = nextX, y = nextY;
    if (lowered)
      path.lineTo(x, y), places[0].push(x), places[1].push(y), draw(pen, wide), enlarge(), show();
  };
  const point = event =>
    [event.offsetX, event.offsetY].map(place => place * size / pad.clientWidth);
  const wipe = () => {
    path = new Path2D(), places = [[], []], pad.width = copy.width = size, show();
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
    if (turn >= 0)
      go(near(x + [-step, 0, step, 0][turn]), near(y + [0, -step, 0, step][turn]), down);
    else if (event.key == " ") down = !down, go(x, y, down);
    else if (event.key == "Delete") wipe();
    else return;
    event.preventDefault();
    pad.style.background =
      `radial-gradient(circle at ${x / 1.4}% ${y / 1.4}%,${down ? "red" : "#06c"} 16px,#fff 17px)`;
  };
  clear.onclick = wipe;
  for (let digit = 0; digit < 10; digit++)
    bars.append(Object.assign(document.createElement("b"), {textContent: digit}));
  wipe();
};

// The smallest draw pad: the answer stands above it, a double click clears. The strokes are drawn
// once more for the network: the longer side of the box around the pen's places is 17.7 of 28
// pixels long, the mean of the places is in the middle, and the pen is as wide as in MNIST's digits.
// TITLE, PAD and SEEN are the elements of qr.html. loader.js leaves PACKED, the stream alone;
// page.py writes TIED, WIDTHS and LAYERS, which readHeader would give for a whole file.
import {decode} from "./decoder.js";
import {integerNetwork} from "./network.js";

const activations = integerNetwork(decode(TIED, WIDTHS, LAYERS, PACKED));
const [pen, preview] = [PAD, SEEN].map(canvas => canvas.getContext("2d"));
let path, places;  // all strokes; where the pen was: [[x, x, ...], [y, y, ...]]
(ondblclick = () => (PAD.width = 300, path = new Path2D, places = [[], []]))();
onpointerdown = ({offsetX, offsetY}) => path.moveTo(offsetX, offsetY);
PAD.onpointermove = ({buttons, offsetX, offsetY}) => {
  if (!buttons) return;
  path.lineTo(offsetX, offsetY), places[0].push(offsetX), places[1].push(offsetY);
  pen.lineWidth = 35, pen.stroke(path);
  SEEN.width = SEEN.height = 28;
  const times = 17.7 / Math.max(9, ...places.map(all => Math.max(...all) - Math.min(...all)));
  preview.setTransform(times, 0, 0, times, ...places.map(all =>
    14 - times * all.reduce((sum, place) => sum + place) / all.length));
  preview.lineWidth = 2.3 / times, preview.lineCap = preview.lineJoin = "round";
  preview.stroke(path);
  const pixels = preview.getImageData(0, 0, 28, 28).data.filter((none, place) => place % 4 == 3);
  const logits = activations(pixels).at(-1);
  TITLE.textContent = logits.indexOf(Math.max(...logits));
};

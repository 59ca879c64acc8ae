// The smallest draw pad: the answer stands above it, a double click clears. Where the pen was says
// where the digit is, by the mean of its places, and how large, by their standard deviation: so it
// fills about 20 x 20 of 28 x 28 pixels with its mass in the middle, as MNIST's digits do.
// TITLE, PAD and SEEN are the elements of qr.html. loader.js leaves PACKED, the stream alone;
// page.py writes TIED, WIDTHS and LAYERS, which readHeader would give for a whole file.
import {decode} from "./decoder.js";
import {integerNetwork} from "./network.js";

const activations = integerNetwork(decode(TIED, WIDTHS, LAYERS, PACKED));
const [pen, preview] = [PAD, SEEN].map(canvas => canvas.getContext("2d"));
let count, x, y, squares;  // of the pen's places: how many, and sums
(ondblclick = () => (PAD.width = 300, count = x = y = squares = 0))();
onpointerdown = () => pen.beginPath();
PAD.onpointermove = ({buttons, offsetX, offsetY}) => {
  if (!buttons) return;
  pen.lineWidth = 35, pen.lineTo(offsetX, offsetY), pen.stroke();
  count++, x += offsetX, y += offsetY, squares += offsetX ** 2 + offsetY ** 2;
  const side = 49 + 3.5 * (squares / count - (x / count) ** 2 - (y / count) ** 2) ** .5;
  SEEN.width = SEEN.height = 28;
  preview.drawImage(PAD, x / count - side / 2, y / count - side / 2, side, side, 0, 0, 28, 28);
  const pixels = preview.getImageData(0, 0, 28, 28).data.filter((none, place) => place % 4 == 3);
  const logits = activations(pixels).at(-1);
  TITLE.textContent = logits.indexOf(Math.max(...logits));
};

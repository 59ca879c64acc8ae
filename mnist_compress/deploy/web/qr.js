// The smallest draw pad: draw large, the answer stands above it, a double click clears. The browser
// scales the drawing, whatever its size, to 20 x 20 pixels; then its centre of mass is moved.
document.body.innerHTML = "<h1>Draw large</h1><canvas height=60 style=width:300px;border:solid;touch-action:none></canvas><canvas height=28>";
const [title, pad, tiny] = document.body.children;
const [pen, small] = [pad, tiny].map(canvas => canvas.getContext("2d"));
const look = (x, y) => {
  tiny.width = 28, small.drawImage(pad, x, y, 20, 20);
  return small.getImageData(0, 0, 28, 28).data.filter((none, place) => place % 4 == 3);
};
(ondblclick = () => pad.width = 60)();
onpointerdown = () => pen.beginPath();
pad.onpointermove = event => {
  if (!event.buttons) return;
  pen.lineWidth = 7, pen.lineTo(event.offsetX / 5, event.offsetY / 5), pen.stroke();
  let total = 0, across = 0, down = 0;
  look(0, 0).map((value, place) => {
    total += value, across += value * (place % 28), down += value * floor(place / 28);
  });
  const sums = activations(look(14.5 - across / total | 0, 14.5 - down / total | 0)).at(-1);
  title.textContent = sums.indexOf(Math.max(...sums));
};

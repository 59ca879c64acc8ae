// As much of a document as the pages' scripts ask for.

// A canvas that paints a square of `ink` by `ink` pixels around each end of a line.
export const canvas = (width, height, ink = 7) => {
  const alpha = new Uint8ClampedArray(width * height), calls = [];
  let end;
  const pen = {
    calls, alpha, beginPath() {}, moveTo() {}, lineTo(...place) { end = place; },
    stroke() {
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++)
          if (Math.abs(x - end[0]) < ink && Math.abs(y - end[1]) < ink) alpha[y * width + x] = 255;
    },
    clearRect() { alpha.fill(0); },
    drawImage(...values) { calls.push(values); },
    createImageData: (wide, high) => ({data: new Uint8ClampedArray(4 * wide * high)}),
    getImageData: () => ({data: Uint8ClampedArray.from(
      {length: 4 * alpha.length}, (none, at) => at % 4 == 3 ? alpha[at >> 2] : 0)}),
    putImageData({data}) { alpha.forEach((none, at) => alpha[at] = data[4 * at + 3]); }};
  return {...element(), pen, width, height, clientWidth: 2 * width,
    getContext: () => pen, setPointerCapture() {}};
};

export const element = () => ({
  style: {}, children: [], append(child) { this.children.push(child); }});

// The elements of pad.html in its order, and a document that finds them.
export const padDocument = () => {
  const parts = {pad: canvas(140, 140), answer: element(), clear: element(), help: element(),
    seen: canvas(28, 28), bars: element()};
  const texts = Array.from({length: 5}, element);
  return {...parts, texts, createElement: element,
    querySelectorAll: what => what == "span" ? texts : Object.values(parts)};
};

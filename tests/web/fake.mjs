// As much of a document as the pages' scripts ask for.

globalThis.Path2D = class {
  places = [];
  moveTo() {}
  lineTo(...place) { this.places.push(place); }
};

// A canvas that paints a square of `ink` by `ink` pixels around each end of a line; to set its width
// wipes it.
export const canvas = (width, height, ink = 7) => {
  const alpha = new Uint8ClampedArray(width * height);
  let transform = [1, 0, 0, 1, 0, 0];
  const pen = {
    alpha,
    setTransform(...values) { transform = values; },
    stroke({places}) {
      const [times, , , , right, below] = transform;
      for (const end of places)
        for (let y = 0; y < height; y++)
          for (let x = 0; x < width; x++)
            if (Math.abs(x - end[0] * times - right) < ink &&
                Math.abs(y - end[1] * times - below) < ink) alpha[y * width + x] = 255;
    },
    get transform() { return transform; },
    createImageData: (wide, high) => ({data: new Uint8ClampedArray(4 * wide * high)}),
    getImageData: () => ({data: Uint8ClampedArray.from(
      {length: 4 * alpha.length}, (none, at) => at % 4 == 3 ? alpha[at >> 2] : 0)}),
    putImageData({data}) { alpha.forEach((none, at) => alpha[at] = data[4 * at + 3]); }};
  return {...element(), pen, set width(value) { alpha.fill(0), transform = [1, 0, 0, 1, 0, 0]; },
    height, clientWidth: 2 * width, getContext: () => pen, setPointerCapture() {},
    cloneNode: () => canvas(width, height, ink)};
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

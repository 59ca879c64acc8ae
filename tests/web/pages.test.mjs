import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import vm from "node:vm";
import {deflateRawSync} from "node:zlib";
import {readHeader} from "../../mnist_compress/deploy/web/header.js";
import {startPad} from "../../mnist_compress/deploy/web/pad.js";
import {mc} from "./cases.mjs";
import {canvas, element, padDocument} from "./fake.mjs";

const WEB = new URL("../../mnist_compress/deploy/web/", import.meta.url);

test("the loader runs the script and leaves the network", async () => {
  const digits = [];  // of each letter its digit, as loader.js reads it
  for (let code = 33; code < 127; code++)
    if (!'"#%<\\'.includes(String.fromCharCode(code))) digits[(68 * code + 7) % 87] ??= code;
  const script = deflateRawSync("the script, the script"), bytes = [...script, 200, 0, 255];
  while (bytes.length % 4) bytes.push(0);
  const words = new Uint32Array(Uint8Array.from(bytes).buffer);
  const letters = [...words].flatMap(word => [4, 3, 2, 1, 0].map(place =>
    String.fromCharCode(digits[Math.floor(word / 85 ** place) % 85]))).join("");
  const text = await new Promise(run => {
    const world = vm.createContext({
      LETTERS: letters, SIZE: script.length, RUN: run,
      Response, DecompressionStream, Uint8Array, Uint32Array});
    vm.runInContext(readFileSync(new URL("loader.js", WEB), "utf8"), world);
    assert.deepEqual([...world.PACKED.subarray(0, 3)], [200, 0, 255]);
  });
  assert.equal(text, "the script, the script");
});

test("mouse, keys and the button draw, wipe and show", () => {
  const page = padDocument(), seen = [];
  startPad(page, pixels => {
    seen.push(pixels);
    return {answer: "7", texts: [..."abcde"], chances: [.5, 0, 0, 0, 0, 0, 0, 0, 0, .5]};
  });
  const {pad, clear, bars, texts} = page, ink = () => pad.pen.alpha.filter(Boolean).length;
  assert.equal(seen.length, 1);  // once before anything is drawn
  assert.deepEqual([page.answer.textContent, ...texts.map(text => text.textContent)],
    ["7", "a", "b", "c", "d", "e"]);
  assert.deepEqual(bars.children.map(bar => bar.textContent), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(bars.children[9].style.borderTopWidth, "25px");

  pad.onpointermove({buttons: 0, offsetX: 20, offsetY: 20});
  assert.equal(ink(), 0);
  pad.onpointerdown({pointerId: 1, offsetX: 100, offsetY: 100});  // twice as wide on the screen
  assert.equal(pad.pen.alpha[50 * 140 + 50], 255);
  pad.onpointermove({buttons: 1, offsetX: 240, offsetY: 100});
  assert.equal(pad.pen.alpha[50 * 140 + 120], 255);
  assert.equal(Math.max(...page.seen.pen.alpha), 255);
  assert.equal(pad.copy.pen.alpha[70 * 140 + 131], 255);  // the line as long as the pad
  clear.onclick();
  assert.equal(ink(), 0);

  let stopped = 0;
  const press = key => pad.onkeydown({key, preventDefault: () => stopped++});
  press("ArrowUp");
  assert.equal(ink(), 0);
  press(" ");
  for (let count = 0; count < 40; count++) press("ArrowDown");
  assert.ok(ink() && pad.pen.alpha[139 * 140 + 120]);  // down to the edge, not over it
  assert.match(pad.style.background, /circle at 85\.7\d*% 95% ?,red/);
  press("Delete");
  assert.equal(ink(), 0);
  assert.equal(stopped, 43);
  press("Tab");
  assert.equal(stopped, 43);  // that key is the browser's
});

test("the QR page reads a drawing of any size", async () => {
  const [TIED, WIDTHS, LAYERS, PACKED] = readHeader(mc("thousand"));
  const PAD = canvas(300, 300, 17), SEEN = canvas(28, 28), TITLE = element();
  Object.assign(globalThis, {TIED, WIDTHS, LAYERS, PACKED, PAD, SEEN, TITLE,
    ondblclick: null, onpointerdown: null});
  await import(new URL("qr.js", WEB));
  onpointerdown({offsetX: 150, offsetY: 60});
  PAD.onpointermove({buttons: 0, offsetX: 3, offsetY: 3});
  assert.equal(TITLE.textContent, undefined);
  PAD.onpointermove({buttons: 1, offsetX: 150, offsetY: 60});
  PAD.onpointermove({buttons: 1, offsetX: 150, offsetY: 160});
  assert.ok(TITLE.textContent >= 0 && TITLE.textContent <= 9);
  const times = 17.7 / 100;  // the longer side; its mean is in the middle
  assert.deepEqual(SEEN.pen.transform, [times, 0, 0, times, 14 - times * 150, 14 - times * 110]);
  ondblclick();
  PAD.onpointermove({buttons: 1, offsetX: 30, offsetY: 40});  // a dot stays a dot
  const dot = 17.7 / 9;
  assert.deepEqual(SEEN.pen.transform, [dot, 0, 0, dot, 14 - dot * 30, 14 - dot * 40]);
});

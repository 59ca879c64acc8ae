// Turns the text of a page back into bytes: a compressed script, which it runs, and a network.
// page.py writes LETTERS, five for four bytes, and SIZE, the bytes of the script; build.mjs writes
// RUN, a function that runs a text. PACKED and BUFFER become globals, PACKED for that script.
BUFFER = Uint32Array.from(LETTERS.match(/.{5}/g), word => [...word].reduce(
  (number, letter) => number * 85 + (68 * letter.charCodeAt() + 7) % 87, 0)).buffer;
new Response(new Response(BUFFER.slice(0, SIZE)).body.pipeThrough(
  new DecompressionStream("deflate-raw"))).text().then(RUN);
PACKED = new Uint8Array(BUFFER, SIZE);

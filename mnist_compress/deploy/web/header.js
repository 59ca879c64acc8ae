// The header of the packed file: widths, then scale, multiplier and shift of each layer, and the
// step of its biases. `packed` holds the bytes, a Uint8Array; the checksum at its end is left out.
const floor = Math.floor, data = packed.slice(0, -4), layers = [];
let at = 4;
const varint = () => {
  const byte = data[at++];
  return byte < 128 ? byte : byte - 128 + 128 * varint();
};
const pair = () => {
  const both = varint();
  return [floor(both / 64), both % 64];
};
const flags = data[3], tied = flags & 1, count = flags >> 2, widths = [];
for (let index = 0; index <= count; index++) widths.push(varint());
for (let index = 0; index < count; index++) {
  const hidden = index < count - 1, length = hidden && flags & 2 ? widths[index + 1] : 1;
  const pairs = () => Array.from({length}, pair), scale = pairs(), rescale = hidden && pairs();
  const [odd, twos] = pair();
  layers.push([[], [], scale, rescale, odd * 2 ** twos]);
}

// The header of a packed file: the twin of Header.walk in packed/header.py.
import {floor} from "./integers.js";

// The bytes of a packed file, without the checksum at its end -> [tied, widths, layers, stream].
// tied: 1 if each weight of the first layer is for 2 x 2 pixels. A layer is {scale, rescale, step}:
// its scale as a list of [number, shift], one or one a unit; the same for what brings a hidden
// layer's accumulators back to 0..255; and what its biases are multiples of. stream: the rest.
export const readHeader = bytes => {
  const flags = bytes[3];
  let at = 4;
  const varint = () => {
    const byte = bytes[at++];
    return byte < 128 ? byte : byte - 128 + 128 * varint();
  };
  const pair = () => {
    const both = varint();
    return [floor(both / 64), both % 64];
  };
  const widths = Array.from({length: (flags >> 2) + 1}, varint);
  const layers = widths.slice(1).map((units, index) => {
    const hidden = index < widths.length - 2;
    const pairs = () => Array.from({length: hidden && flags & 2 ? units : 1}, pair);
    const scale = pairs(), rescale = hidden && pairs(), [odd, twos] = pair();
    return {scale, rescale, step: odd * 2 ** twos};
  });
  return [flags & 1, widths, layers, bytes.slice(at)];
};

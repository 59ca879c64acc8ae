// What stands before the stream in a packed file of convolutions: the twin of walk_convolutions in
// packed/convolutions.py. It stands in for header.js.
import {floor} from "./integers.js";

// The bytes of a packed file, without the checksum at its end -> as readHeader in header.js, but
// layers are those of convolution.js, with scale, and size: how many weights they have.
export const readHeader = bytes => {
  let at = 4;
  const varint = () => {
    const byte = bytes[at++];
    return byte < 128 ? byte : byte - 128 + 128 * varint();
  };
  let side = varint(), inputs = varint();
  const widths = [inputs * side ** 2];
  const layers = Array.from({length: bytes[3]}, () => {
    const form = bytes[at++], kernel = 2 * (form & 3) + 1, stride = (form >> 2 & 1) + 1;
    const alone = form & 64, channels = alone ? inputs : varint(), pool = form >> 3 & 3;
    const groups = alone ? inputs : form & 128 ? varint() : 1;
    const layer = [groups, inputs / groups, channels, kernel, pool, form >> 5 & 1, stride];
    layer.scale = [[1, 0]], layer.size = channels * inputs / groups * kernel ** 2;
    side = pool ? floor((floor((side - 1) / stride) + 1) / pool) : 1;
    inputs = channels, widths.push(inputs * side ** 2);
    return layer;
  });
  const both = varint();
  layers.at(-1).scale = [[floor(both / 64), both % 64]];
  return [0, widths, layers, bytes.slice(at)];
};

// Packed files, and what Python says of them: test_page.py writes JSON files into $WEB_CASES.
import {readFileSync, readdirSync} from "node:fs";

// A pretrained file without its checksum, as a page holds it.
export const mc = name => new Uint8Array(readFileSync(
  new URL(`../../mnist_compress/pretrained/${name}.mc`, import.meta.url))).subarray(0, -4);

// The cases of one kind, each {name, ...}; bytes as an array. None where Python has written none.
export const cases = kind => {
  const folder = process.env.WEB_CASES;
  const files = folder ? readdirSync(folder).filter(file => file.startsWith(kind)) : [];
  return files.map(file => {
    const {bytes, ...rest} = JSON.parse(readFileSync(`${folder}/${file}`, "utf8"));
    return {name: file, bytes: bytes && Uint8Array.from(bytes).subarray(0, -4), ...rest};
  });
};

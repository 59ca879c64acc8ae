// Makes mnist_compress/deploy/web/built from the sources beside it: npm ci; npm run build
import {createHash} from "node:crypto";
import {mkdirSync, readFileSync, readdirSync, writeFileSync} from "node:fs";
import {minify} from "terser";

const ROOT = new URL("../../", import.meta.url), WEB = "mnist_compress/deploy/web/";
// Names in capitals that a page keeps, in their short form. page.py fills in the others.
const GLOBALS = {BUFFER: "B", PACKED: "P", TITLE: "H", PAD: "D", SEEN: "S"};
// Properties of our own objects, which become short too.
const PROPERTIES =
  /^(units|weights|bias|scale|rescale|step|shape|answer|texts|chances)$/;
// What others call by its short name: page.py rescale and step, a test activations in the QR page.
const FIXED = {props: {props: {$rescale: "r", $step: "s"}}, vars: {props: {$activations: "A"}}};
const RUN = {
  page: 'text => document.body.append(Object.assign(document.createElement("script"), {text}))',
  qr: "eval"};

const read = name => readFileSync(new URL(name, ROOT), "utf8").replaceAll("\r", "");
const sha256 = text => createHash("sha256").update(text);

// Modules in whose place a page of convolutions has others.
const TWINS =
  {"decoder.js": "convolution.js", "header.js": "shapes.js", "network.js": "convolution.js"};

// A module and what it imports, each once, as one script.
const join = (name, twins = {}, done = new Set()) => {
  name = twins[name] ?? name;
  if (done.has(name)) return "";
  done.add(name);
  const imports = /^import \{.*\} from "\.\/(.*)";\n/gm, text = read(WEB + name);
  const before = [...text.matchAll(imports)].map(([, other]) => join(other, twins, done));
  return before.join("") + text.replace(imports, "").replace(/^export /gm, "");
};

// Text with a value in the place of a word.
const put = (text, word, value) => text.replaceAll(new RegExp(`\\b${word}\\b`, "g"), () => value);
const short = text => Object.entries(GLOBALS).reduce((all, pair) => put(all, ...pair), text);

// JavaScript, shorter; names in keep stay for callers outside. With let alone it compresses better.
const script = async (text, keep = []) => {
  const {code} = await minify(short(text), {
    ecma: 2022, toplevel: true,
    compress: {passes: 5, inline: 0, unsafe_arrows: true, keep_fargs: false},
    mangle: {reserved: keep, properties: {regex: PROPERTIES, builtins: true}},
    nameCache: structuredClone(FIXED)});
  return put(code.replace(/;$/, ""), "const", "let");
};

// HTML and CSS without line ends and without blanks that mean nothing.
const lines = text => text.replace(/\s*\n\s*/g, "");
const style = text => lines(text).replace(/ *([{};,>]) */g, "$1").replace(/: /g, ":")
  .replaceAll(";}", "}");

const css = style(read(WEB + "page.css"));
const markup = JSON.stringify(`<style>${css}</style>${lines(read(WEB + "pad.html"))}`);
const built = {};
for (const [before, twins] of [["", {}], ["convolution_", TWINS]]) {
  const told = before ? markup.replace("hidden (dense)", "hidden (convolution)") : markup;
  const page = put(join("page.js", twins), "MARKUP", told);
  built[before + "page.js"] = await script(page, ["activations"]);
  built[before + "qr.js"] = await script(join("qr.js", twins));
}
for (const name of ["page", "qr", "convolution_page"]) {
  const loader = await script(put(read(WEB + "loader.js"), "RUN", RUN[name] ?? RUN.page));
  let html = short(lines(read(WEB + `${name.split("_").at(-1)}.html`)));
  html = put(html, "STYLE_HASH", sha256(css).digest("base64"));
  html = put(html, "SCRIPT_HASH", sha256(built[name + ".js"]).digest("base64"));
  html = put(html, "LOADER", loader.replace("%87", "% 87"));  // in an address %87 is an escape
  built[`${name}.html`] = html;
}
mkdirSync(new URL(WEB + "built/", ROOT), {recursive: true});
for (const [name, text] of Object.entries(built))
  writeFileSync(new URL(WEB + "built/" + name, ROOT), text + "\n");

// A test compares these, so that nobody needs Node to know that built/ is up to date:
// sha256sum -c mnist_compress/deploy/web/built/SUMS
const sources = readdirSync(new URL(WEB, ROOT)).filter(name => /\.(js|html|css)$/.test(name));
const files = ["tools/web/build.mjs", "tools/web/package-lock.json",
  ...sources.map(name => WEB + name), ...Object.keys(built).map(name => WEB + "built/" + name)];
writeFileSync(new URL(WEB + "built/SUMS", ROOT),
  files.sort().map(name => `${sha256(read(name)).digest("hex")}  ${name}\n`).join(""));

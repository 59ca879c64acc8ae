// Search in all pages: the index is made when somebody first looks into the field.

import {load, script} from "./load.js";
import {make} from "./widget.js";

const MOST = 8;

async function prepare() {
  const [sections] = await Promise.all([load("search"), script("minisearch.js")]);
  const index = new MiniSearch({fields: ["heading", "text"], storeFields: ["link", "heading"],
    searchOptions: {prefix: true, fuzzy: 0.15, boost: {heading: 3}, combineWith: "AND"}});
  index.addAll(sections.map(([page, anchor, heading, text], id) =>
    ({id, heading, text, link: anchor ? `${page}#${encodeURIComponent(anchor)}` : page})));
  return index;
}

// input: the field; list: where results stand
export function startSearch(input, list) {
  let index;
  const say = (text) => list.replaceChildren(make("li", {}, text));
  const ready = () => (index ??= prepare().catch((error) => { index = undefined; throw error; }));
  input.addEventListener("focus", () => ready().catch((error) => say(error.message)), {once: true});
  input.addEventListener("input", async () => {
    const words = input.value.trim();
    if (!words) return list.replaceChildren();
    try {
      const found = (await ready()).search(words).slice(0, MOST);
      if (words !== input.value.trim()) return;  // typed on
      if (!found.length) return say("Nothing found.");
      list.replaceChildren(...found.map(({link, heading}) =>
        make("li", {}, make("a", {href: link}, `${link.match(/\d\d/) ?? "00"} ${heading}`))));
    } catch (error) { say(error.message); }
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { input.value = ""; list.replaceChildren(); }
  });
}

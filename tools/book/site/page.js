// Everything a page of the site does: its widgets, folded measurements, search, paper.

import cardsWidget from "./recall.js";
import drawPad from "./drawpad.js";
import explorerWidget from "./explorer.js";
import guessWidget from "./guesses.js";
import quizWidget from "./quizwidget.js";
import {explorer} from "./recorded.js";
import {load} from "./load.js";
import {pad} from "./pad.js";
import {practice} from "./practice.js";
import {startSearch} from "./search.js";
import {change, loadState, watchState} from "./state.js";
import {make, marked} from "./widget.js";

const places = (selector) => [...document.querySelectorAll(selector)];

// Put a widget in its place; its twin stays until then.
function put(place, widget, model) {
  place.replaceChildren();
  widget.render({model, el: place});
}

// Lines of text as Sentence shows them: paragraphs, and a list of those that begin with "- "
function tell(place, lines) {
  const list = make("ul", {}, ...lines.filter((line) => line.startsWith("- "))
    .map((line) => make("li", {}, ...marked(line.slice(2)))));
  const text = lines.map((line) => line.startsWith("- ") ? list : make("p", {}, ...marked(line)));
  place.replaceChildren(...new Set(text));
}

function startPractice(about) {
  const course = practice(about);
  const start = {
    quiz: (place, texts) => put(place, quizWidget, course.quiz(...texts)),
    guess_box: (place, [key]) => put(place, guessWidget, course.guessBox(key)),
    cards: (place, texts) => put(place, cardsWidget, course.cards(...texts)),
    report: (place) => watchState(() => tell(place, course.report())),
    guess_report: (place) => watchState(() => tell(place, course.guessReport())),
    progress: (place) => watchState(() => tell(place, course.progress())),
  };
  for (const place of places("[data-widget]")) {
    start[place.dataset.widget]?.(place, place.dataset.texts.split(" ").filter(Boolean));
  }
  places("details.reveal").forEach((fold) => startReveal(fold, course));
}

// Whoever opens a measurement has seen it; whoever has guessed all of it sees it at once.
function startReveal(fold, course) {
  const told = [...fold.querySelectorAll("[data-key]")].map((place) =>
    ({place, key: place.dataset.key, value: Number(place.dataset.value)}));
  const seen = () => change(({truths}) => {
    for (const {key, value} of told) truths[key] = value;
  });
  fold.querySelector("summary").addEventListener("click", () => {
    if (!fold.open) setTimeout(seen);  // once the click has opened it, which it would else close
  });
  watchState(() => {
    const {guesses, truths} = loadState();
    const known = told.every(({key}) => key in truths);
    if (!known && told.every(({key}) => key in guesses)) return seen();  // and comes back here
    if (known) fold.open = true;
    for (const {place, key, value} of told) {
      place.replaceChildren(...marked(course.compared(key, value)));
    }
  });
}

const failed = (error) => { console.error(error); };

if (places("[data-widget], details.reveal").length) {
  load("practice").then(startPractice).catch(failed);
}
for (const place of places("[data-widget^=explore_]")) {
  const name = place.dataset.widget;
  load(`${name}_opens`).then((opens) => put(place, explorerWidget, explorer(name, opens)))
    .catch(failed);
}
// The networks of a pad, from what it says: "Picture 0, a 7: float says 7 (99 %), ..."
const named = (place) => [...place.textContent.replaceAll("\u00a0", " ")
  .matchAll(/[:,] ([^:,]+) says \d \(/g)].map(([, name]) => name);
const pads = places("[data-widget=DrawPad]");
if (pads.length) {
  load("networks").then((data) => Promise.all(pads.map(async (place) =>
    put(place, drawPad, await pad(data, named(place)))))).catch(failed);
}
startSearch(document.getElementById("words"), document.getElementById("found"));

// On paper everything is open, and then as it was.
let opened = [];
addEventListener("beforeprint", () => {
  opened = places("main details:not([open])");
  for (const fold of opened) fold.open = true;
});
addEventListener("afterprint", () => { for (const fold of opened) fold.open = false; });

// What is wider than the page can be scrolled with keys too.
function scrollable() {
  for (const box of places("main pre, .scroll")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
addEventListener("resize", scrollable);
addEventListener("load", () => {
  scrollable();
  for (const picture of places("img[loading]")) picture.loading = "eager";  // paper wants them all
});
addEventListener("toggle", scrollable, true);

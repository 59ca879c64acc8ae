// Guesses and answers, kept in this browser in the form in which state.py keeps them in a file.

const KEY = "mnist_compress";
const SECTIONS = ["guesses", "truths", "answers", "cards", "exercises"];
let unsaved = null, problem = "";

// The whole state: {guesses: {key: number}, answers: {id: [[letter, seconds], ...]}, ...}
export function loadState() {
  let kept = unsaved;
  try {
    kept ??= JSON.parse(localStorage.getItem(KEY));
  } catch { /* forbidden or damaged: begin anew */ }
  return Object.fromEntries(SECTIONS.map((name) => {
    const entries = Object.entries(kept?.[name] ?? {}).filter(([, value]) => fits(name, value));
    return [name, Object.fromEntries(entries)];
  }));
}

const number = (value) => Number.isFinite(value) && value >= 0;

function fits(section, value) {
  if (section === "guesses" || section === "truths") return number(value);
  return Array.isArray(value) && value.every((made) =>
    Array.isArray(made) && typeof made[0] === "string" && number(made[1]));
}

// Change the newest state and save it; whoever shows something of it is told.
export function change(edit) {
  const state = loadState();
  edit(state);
  try {
    localStorage.setItem(KEY, JSON.stringify(state));
    [unsaved, problem] = [null, ""];
  } catch {
    unsaved = state;
    problem = "This browser keeps nothing for this page: guesses and answers last until you leave.";
  }
  document.dispatchEvent(new Event("course-state"));
}

// Why nothing is saved, or no text.
export const trouble = () => problem;

export const remember = (section, key, value) =>
  change((state) => { state[section][key] = value; });

// Add one attempt and when it was made.
export const attempt = (section, key, text) =>
  change((state) => { (state[section][key] ??= []).push([text, now()]); });

export const forget = (key) => change((state) => {
  delete state.guesses[key];
  delete state.truths[key];
});

// Seconds since 1970.
export const now = () => Math.round(Date.now() / 1000);

// Run `show` now and whenever the state changes, here or in another tab.
export function watchState(show) {
  document.addEventListener("course-state", show);
  addEventListener("storage", show);
  show();
}

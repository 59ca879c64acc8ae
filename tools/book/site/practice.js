// Questions, guesses, cards and reports without a kernel: what quizwidget.py, guesses.py,
// recall.py, questions/ and story.py do. A test compares their sentences with these.

import {Model} from "./model.js";
import {attempt, forget, loadState, now, remember, trouble} from "./state.js";

const LETTERS = "abcd", DAYS = [1, 3, 7, 21];

// about: what data/practice.js holds, {questions, guesses, exercises}. -> functions that make
// models of widgets and sentences
export function practice({questions, guesses, exercises}) {
  const given = () => Object.fromEntries(Object.entries(loadState().answers)
    .filter(([id, made]) => questions[id] && made.length)
    .map(([id, made]) => [id, made.map(([letter]) => LETTERS.indexOf(letter))]));
  const isRight = (id, place) => questions[id].options[place].right;

  function quiz(...ids) {
    const kept = given();
    const count = (model) => {
      const chosen = model.get("chosen"), all = given();
      const right = ids.filter((id) => id in chosen && isRight(id, chosen[id])).length;
      const first = ids.filter((id) => id in all && isRight(id, all[id][0])).length;
      const answered = ids.filter((id) => id in chosen).length;
      model.set({problem: trouble(), score: `${right} right, ${answered} of ${ids.length} ` +
        `answered; ${first} right at the first try.`});
    };
    const chosen = Object.fromEntries(ids.filter((id) => id in kept)
      .map((id) => [id, kept[id].at(-1)]));
    const model = new Model({questions: ids.map((id) => questions[id]), evidence: {}, score: "",
      chosen}, {
      saved(model, before) {
        for (const [id, place] of Object.entries(model.get("chosen"))) {
          if (before.chosen[id] !== place) attempt("answers", id, LETTERS[place]);
        }
        count(model);
      },
      asked(model, {show}) {
        model.set({evidence: {...model.get("evidence"), [show]: questions[show].evidence}});
      },
    });
    count(model);
    return model;
  }

  const show = (key, value, difference = false) => {
    const unit = difference && guesses[key].unit === "%" ? "points" : guesses[key].unit;
    return `${Number(Number(value.toFixed(1)).toPrecision(6)).toLocaleString("en-US")} ${unit}`;
  };

  // Commit a guess, or none -> what there is to say
  function guess(key, value = null) {
    const state = loadState(), first = state.guesses[key];
    if (first !== undefined) {
      const same = value === null || value === first;
      return `${same ? "Your guess" : "Your first guess counts"}: ${show(key, first)}.`;
    }
    if (value === null) return "No guess yet.";
    if (key in state.truths) return "You have seen the answer, so this does not count.";
    remember("guesses", key, value);
    return `Your guess: ${show(key, value)}.`;
  }

  function guessBox(key) {
    const {question, unit} = guesses[key];
    return new Model({question: question[0].toUpperCase() + question.slice(1), unit,
      guessed: loadState().guesses[key] ?? null, sentence: guess(key)}, {
      saved(model) {
        const value = model.get("guessed");
        if (value === null) forget(key);
        const bad = value !== null && !(value >= 0 && value < 1e12);
        model.set(bad ? {problem: "A guess must be a number from 0 to below 1,000,000,000,000."}
          : {sentence: guess(key, value), problem: trouble()});
        if (loadState().guesses[key] === undefined) model.set({guessed: null});
      },
    });
  }

  // What a measurement says beside the guess; no text without one
  function compared(key, truth) {
    const first = loadState().guesses[key];
    if (first === undefined) return "";
    const {tolerance} = guesses[key], off = show(key, Math.abs(first - truth), true);
    const verdict = Math.abs(first - truth) <= tolerance
      ? `right, give or take ${show(key, tolerance, true)}`
      : `${off} too ${first > truth ? "high" : "low"}`;
    return `Your guess, ${show(key, first)}: ${verdict}.`;
  }

  // {id: seconds since 1970 from which on its card is due}
  function dueTimes(fresh = []) {
    const {answers, cards} = loadState(), times = {};
    for (const id of Object.keys(questions)) {
      const recalled = cards[id] ?? [];
      const seen = recalled.length || fresh.includes(id) ? recalled : answers[id] ?? [];
      if (!seen.length) continue;
      const streak = recalled.length - 1 - recalled.findLastIndex(([text]) => text !== "knew");
      const last = seen.at(-1)[1], due = 86400 * DAYS[Math.min(streak, DAYS.length - 1)];
      times[id] = last <= now() + 86400 ? last + due : 0;  // a date in the future is a wrong clock's
    }
    return times;
  }

  function cards(...names) {
    const times = {...Object.fromEntries(names.map((id) => [id, 0])), ...dueTimes(names)};
    const due = Object.keys(times).filter((id) => times[id] <= now());
    const dealt = due.sort((one, other) => times[one] - times[other]).slice(0, 3);
    const say = (model) => {
      const known = Object.values(model.get("known"));
      const next = Math.min(...Object.values(dueTimes()));
      let when = "Questions come back as cards 1, 3, 7 and 21 days after you answered them.";
      if (next < Infinity) {
        const days = Number(((next - now()) / 86400).toFixed(1));
        when = days > 0 ? `The next card is due in ${days} ${days === 1 ? "day" : "days"}.`
          : "More cards are due: load this page again.";
      }
      const score = dealt.length ? `You knew ${known.filter(Boolean).length} of ${dealt.length}.`
        : "No card is due.";
      model.set({problem: trouble(), sentence: `${score} ${when}`});
    };
    const model = new Model({cards: dealt.map((id) => questions[id]), known: {}, sentence: ""},
      {saved(model, before) {
        for (const [id, knew] of Object.entries(model.get("known"))) {
          if (!(id in before.known)) attempt("cards", id, knew ? "knew" : "not");
        }
        say(model);
      }});
    say(model);
    return model;
  }

  function report() {
    const all = given();
    const asked = Object.values(questions).filter((one) => one.id in all || one.notebook < "07");
    const answered = Object.keys(all).length;
    if (!answered) return [`No answers yet: ${asked.length} questions wait.`];
    const tries = Object.fromEntries(Object.entries(all).map(([id, places]) =>
      [id, places.findIndex((place) => isRight(id, place)) + 1]));
    const count = (test) => Object.values(tries).filter(test).length;
    const lines = [`${count((when) => when === 1)} right at the first try, ` +
      `${count((when) => when > 1)} later, ${count((when) => !when)} not yet, ` +
      `${asked.length - answered} of ${asked.length} still open.`];
    for (const {id, question, options, place} of asked) {
      const when = tries[id] ?? 1;
      if (when === 1) continue;
      const wrong = options[when ? all[id][0] : all[id].at(-1)];
      lines.push(`- ${when ? `Right at try ${when}` : "Not yet"}: ${question} ` +
        `Behind "${wrong.text}": ${wrong.misconception}. Read ${place} again.` +
        askedAgain(id, tries));
    }
    return lines;
  }

  function askedAgain(id, tries) {
    const again = Object.values(questions).find((one) => one.sibling_of === id && one.id in tries);
    if (!again) return "";
    const when = ["not yet", "right at the first try"][tries[again.id]] ?? "right later";
    return ` With other numbers: ${when}.`;
  }

  function guessReport() {
    const state = loadState(), topics = {}, told = [];
    const keys = Object.keys(guesses).filter((key) => key in state.guesses && key in state.truths)
      .sort((one, other) => guesses[one].topic < guesses[other].topic ? -1
        : guesses[one].topic > guesses[other].topic ? 1 : 0);
    if (!keys.length) {
      return ["No guess has met its measurement yet, so there is nothing to compare."];
    }
    for (const key of keys) {
      const {topic, question, tolerance} = guesses[key];
      const first = state.guesses[key], truth = state.truths[key];
      (topics[topic] ??= []).push(Math.abs(first - truth) <= tolerance);
      told.push(`- ${topic}: ${question}: guessed ${show(key, first)}, measured ` +
        show(key, truth));
    }
    const hits = Object.values(topics).flat().filter(Boolean).length;
    const kinds = [["right", (all) => all.every(Boolean)],
      ["partly right", (all) => all.some(Boolean) && !all.every(Boolean)],
      ["wrong", (all) => !all.some(Boolean)]].map(([kind, test]) => [kind,
      Object.keys(topics).filter((topic) => test(topics[topic]))]);
    const summary = kinds.filter(([, of]) => of.length)
      .map(([kind, of]) => `${kind} about ${of.join(" and ")}`).join("; ");
    return [`You were ${summary} (${hits} of ${keys.length} guesses hit).`, ...told];
  }

  function progress() {
    const state = loadState(), answered = given(), all = Object.values(questions);
    const done = {questions: (id) => id in answered, guesses: (key) => key in state.guesses,
      exercises: (name) => (state.exercises[name] ?? []).some(([text]) => text === "right"),
      cards: (id) => state.cards[id]?.at(-1)?.[0] === "knew"};
    const lines = ["The whole course, and what is done:"];
    for (const notebook of new Set(all.map((one) => one.notebook))) {
      const there = {
        questions: all.filter((one) => one.notebook === notebook).map(({id}) => id),
        exercises: Object.keys(exercises).filter((name) => exercises[name] === notebook),
        guesses: Object.keys(guesses).filter((key) => key.startsWith(notebook.slice(0, 2)))};
      const whole = Object.entries(there).every(([what, names]) => names.every(done[what]));
      there.cards = there.questions.filter((id) => id in answered || id in state.cards);
      const told = Object.entries(there).filter(([, names]) => names.length).map(([what, names]) =>
        `${names.filter(done[what]).length} of ${names.length} ${what}`);
      lines.push(`- ${notebook}${whole ? ", done" : ""}: ${told.join(", ")}`);
    }
    const due = Object.values(dueTimes()).filter((time) => time <= now()).length;
    return [...lines, `Cards that are due: ${due}.`, goOn(answered, done.exercises)];
  }

  function goOn(answered, right) {
    const next = Object.values(questions).find(({id}) => !(id in answered));
    if (!next) return "All questions are answered.";
    const {notebook, place} = next;
    const tasks = Object.keys(exercises).filter((name) =>
      exercises[name] === notebook && !right(name)).map((name) => `\`${name}\``);
    return `Go on with ${place.startsWith(notebook) ? place.slice(0, -1) : notebook}.` +
      (tasks.length ? ` Exercises there: ${tasks.join(", ")}` : "");
  }

  return {quiz, guessBox, compared, cards, report, guessReport, progress};
}

"""The questions: `ask("scale")` shows one, `answer("scale", "c")` keeps an answer (so does a click)
and gives feedback, `report()` says what to read again.

The questions of a notebook are in the JSON file of its name: those that it asks and those about it.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ..state import Sentence, attempt, load_state, marked

LETTERS = tuple("abcd")


class _Option(NamedTuple):
    """One possible answer; a wrong one names the misconception behind it."""

    text: str
    feedback: str
    correct: bool
    misconception: str = ""


@dataclass(frozen=True, repr=False)
class _Question:
    """A question with four options.

    `read_again`: notebook and heading, "03_pruning#Small weights first"; `show_me`: what of
    `evidence` decides it; `sibling_of`: the question that 06 asks again as this one;
    `front`: what its card asks instead, where the question is about its options.
    """

    notebook: str
    id: str
    level: str
    stage: str
    read_again: str
    question: str
    options: tuple[_Option, ...]
    measure: str = ""
    show_me: tuple = ()
    sibling_of: str = ""
    front: str = ""

    def option(self, letter: str) -> _Option:
        """The option with this letter."""
        return self.options[LETTERS.index(letter)]

    def feedback(self, letter: str) -> Sentence:
        """What there is to say about an answer."""
        option = self.option(letter)
        if option.correct:
            return Sentence(f"{letter} is right. {option.feedback}")
        return Sentence(f"{letter} is not it ({option.misconception}). {option.feedback} "
                        f"Read {self.place} again.")

    @property
    def place(self) -> str:
        """What to read again, in words."""
        return '{}, "{}",'.format(*self.read_again.split("#"))

    def page(self) -> dict:
        """What a page shows of it, as a question and as a card."""
        right = next(option for option in self.options if option.correct)
        return {"id": self.id, "level": self.level, "question": self.question,
                "options": [{"text": option.text, "right": option.correct,
                             "misconception": option.misconception,
                             "feedback": self.feedback(letter)}
                            for letter, option in zip(LETTERS, self.options, strict=True)],
                "shows": bool(self.show_me), "front": self.front or self.question,
                "back": f"{right.text}. {right.feedback} Read {self.place} again."}

    def __repr__(self):
        lines = [f"{letter}) {o.text}" for letter, o in zip(LETTERS, self.options, strict=True)]
        how = f'Write answer("{self.id}", "a"), or b, c, d.'
        return "\n".join([f"Question ({self.level}): {self.question}", *lines, how])

    def _repr_html_(self):
        """Question and options as a list, and folded below it the feedback for each."""
        options, feedback = "", ""
        for option in self.options:
            options += f"<li>{marked(option.text)}</li>"
            mark = "Right." if option.correct else f"Not this ({marked(option.misconception)})."
            feedback += f"<li><strong>{mark}</strong> {marked(option.feedback)}</li>"
        ol = '<ol type="a" style="list-style: lower-alpha; padding-left: 2em">'
        return (
            '<div style="color: inherit; border-left: 3px solid var(--jp-brand-color1, '
            'currentColor); padding-left: 1em">'
            f"<p><strong>Question ({self.level}).</strong> {marked(self.question)}</p>"
            f"{ol}{options}</ol><details><summary>Answers, to be opened after yours</summary>"
            f"{ol}{feedback}</ol></details></div>"
        )


@cache
def load_questions() -> dict[str, _Question]:
    """All questions by their id, in the order of the notebooks."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.json")):
        for item in json.loads(path.read_text("utf-8")):
            item["options"] = tuple(_Option(**option) for option in item["options"])
            found[item["id"]] = _Question(path.stem, **item)
    return found


def ask(name: str) -> _Question:
    """The question with this id; at the end of a cell it shows itself. ValueError for another."""
    questions = load_questions()
    if name not in list(questions):
        raise ValueError(f"there is no question {name!r}; there are {', '.join(questions)}")
    return questions[name]


def answer(name: str, choice: str | None = None) -> Sentence:
    """Remember the answer `choice`, a letter, and return the feedback for it, or for the last one.

    Every answer is kept with its time; the first one tells what was known. ValueError for an
    unknown question, and for what is no letter of an option.
    """
    question = ask(name)
    if choice is not None:
        letter = choice.strip().lower() if isinstance(choice, str) else choice
        if letter not in LETTERS:
            raise ValueError(f"an answer is one of {', '.join(LETTERS)}; got {choice!r}")
        attempt("answers", name, letter)
    letters = answers_given().get(name)
    if not letters:
        return Sentence(f'No answer yet. Write answer("{name}", "a"), or b, c, d.')
    return question.feedback(letters[-1])


def answers_given() -> dict[str, list[str]]:
    """All answers, {id of a question: letters, the first one first}, of questions there are."""
    kept = {name: [letter for letter, _ in made if letter in LETTERS]
            for name, made in load_state()["answers"].items() if name in load_questions()}
    return {name: letters for name, letters in kept.items() if letters}


def report() -> Sentence:
    """Say which answers were right at the first try, later or not yet; what stood behind a wrong
    one, and what to read again.

    Notebook 06 reports on what came before it; questions of later ones count once answered.
    """
    given = answers_given()
    asked = [q for q in load_questions().values() if q.id in given or q.notebook < "07"]
    if not given:
        return Sentence(f"No answers yet: {len(asked)} questions wait.")
    tries = {name: _first_right(name, letters) for name, letters in given.items()}
    first, never = list(tries.values()).count(1), list(tries.values()).count(0)
    lines = [f"{first} right at the first try, {len(tries) - first - never} later, "
             f"{never} not yet, {len(asked) - len(given)} of {len(asked)} still open."]
    siblings = {question.sibling_of: tries.get(question.id) for question in asked}
    said = {None: "", 0: " With other numbers: not yet.",
            1: " With other numbers: right at the first try."}
    for question in asked:
        when = tries.get(question.id, 1)
        if when != 1:
            wrong = question.option(given[question.id][0 if when else -1])
            again = said.get(siblings.get(question.id), " With other numbers: right later.")
            lines.append(f"- {f'Right at try {when}' if when else 'Not yet'}: {question.question} "
                         f"Behind \"{wrong.text}\": {wrong.misconception}. "
                         f"Read {question.place} again.{again}")
    return Sentence("\n".join(lines))


def _first_right(name, letters):
    """Which answer, counted from 1, was the first right one; 0 if none was."""
    right = [ask(name).option(letter).correct for letter in letters]
    return right.index(True) + 1 if any(right) else 0

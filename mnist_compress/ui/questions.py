"""The quiz in its plain form: `ask(1)` shows a question of `questions.json`, `answer(1, "b")` gives
feedback, `report()` says what to read again."""

import html
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..data import whole
from .state import Sentence, load_state, remember

LETTERS = tuple("abcd")


@dataclass(frozen=True)
class Option:
    """One possible answer; a wrong one names the misconception behind it."""

    text: str
    feedback: str
    correct: bool
    misconception: str = ""


@dataclass(frozen=True, repr=False)
class Question:
    """A question of `questions.json`; `show_me` names a computation that decides it."""

    number: int
    id: str
    stage: str
    read_again: str
    question: str
    options: tuple[Option, ...]
    measure: str = ""
    show_me: str = ""

    def right(self, letter: str) -> bool:
        """Whether this is the letter of the right option."""
        return self.options[LETTERS.index(letter)].correct

    def feedback(self, letter: str) -> Sentence:
        """What there is to say about an answer."""
        option = self.options[LETTERS.index(letter)]
        if option.correct:
            return Sentence(f"{letter} is right. {option.feedback}")
        return Sentence(f"{letter} is not it ({option.misconception}). {option.feedback} "
                        f"Read {self.read_again} again.")

    def __repr__(self):
        lines = [f"{letter}) {o.text}" for letter, o in zip(LETTERS, self.options, strict=True)]
        how = f'Write answer({self.number}, "a"), or b, c, d.'
        return "\n".join([f"Question {self.number}: {self.question}", *lines, how])

    def _repr_html_(self):
        """Question and options as a list, and folded below it the feedback for each."""
        options, feedback = "", ""
        for option in self.options:
            options += f"<li>{_html(option.text)}</li>"
            mark = "Right." if option.correct else f"Not this ({_html(option.misconception)})."
            feedback += f"<li><strong>{mark}</strong> {_html(option.feedback)}</li>"
        ol = '<ol type="a" style="list-style: lower-alpha; padding-left: 2em">'
        return (
            '<div style="color: inherit; border-left: 3px solid var(--jp-brand-color1, '
            'currentColor); padding-left: 1em">'
            f"<p><strong>Question {self.number}.</strong> {_html(self.question)}</p>"
            f"{ol}{options}</ol><details><summary>Answers, to be opened after yours</summary>"
            f"{ol}{feedback}</ol></details></div>"
        )


@cache
def load_questions() -> tuple[Question, ...]:
    """All questions, numbered from 1."""
    items = json.loads(Path(__file__).with_name("questions.json").read_text(encoding="utf-8"))
    for item in items:
        item["options"] = tuple(Option(**option) for option in item["options"])
    return tuple(Question(number, **item) for number, item in enumerate(items, 1))


def ask(number: int) -> Question:
    """One question; at the end of a cell it shows itself. ValueError if there is none."""
    questions = load_questions()
    return questions[whole("the number of a question", number, 1, len(questions)) - 1]


def answer(number: int, choice: str | None = None) -> Sentence:
    """Remember the answer `choice`, a letter, and return the feedback for it, or for the last one.

    ValueError for an unknown question, and for what is no letter of an option.
    """
    question = ask(number)
    if choice is not None:
        letter = choice.strip().lower() if isinstance(choice, str) else choice
        if letter not in LETTERS:
            raise ValueError(f"an answer is one of {', '.join(LETTERS)}; got {choice!r}")
        remember("answers", question.id, letter)
    letter = answers_given().get(question.id)
    if letter is None:
        return Sentence(f'No answer yet. Write answer({number}, "a"), or b, c, d.')
    return question.feedback(letter)


def answers_given() -> dict[str, str]:
    """The last answers, {id of a question: letter}, without what another edition may hold."""
    answers = load_state()["answers"]
    return {key: letter for key, letter in answers.items() if letter in LETTERS}


def report() -> Sentence:
    """Say how many answers are right and which notebooks to read again.

    Notebook 06 reports on what came before it; questions of later ones count once answered.
    """
    given, again = answers_given(), {}
    asked = [q for q in load_questions() if q.id in given or q.read_again < "06"]
    answered = [q for q in asked if q.id in given]
    wrong = [q for q in answered if not q.right(given[q.id])]
    if not answered:
        return Sentence(f"No answers yet: {len(asked)} questions wait. Begin with quiz(1).")
    for question in wrong:
        again.setdefault(question.read_again, []).append(f"{question.number}")
    lines = [f"- Read {notebook} again (question {', '.join(numbers)})."
             for notebook, numbers in sorted(again.items())]
    counts = (f"{len(answered) - len(wrong)} right, {len(wrong)} wrong, "
              f"{len(asked) - len(answered)} of {len(asked)} still open.")
    return Sentence("\n".join([counts, *lines]))


def _html(text):
    """Escape `text` and show what stands between backticks as code."""
    return re.sub("`(.*?)`", r"<code>\1</code>", html.escape(text))

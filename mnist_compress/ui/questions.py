"""The quiz, in its plain form: `ask(1)` shows a question, `answer(1, "b")` gives feedback."""

import html
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .state import Sentence, load_state, remember

LETTERS = "abcd"


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
    options: tuple
    ledger: str = ""
    show_me: str = ""

    def __repr__(self):
        lines = [f"{letter}) {o.text}" for letter, o in zip(LETTERS, self.options, strict=True)]
        how = f'Write answer({self.number}, "a"), or b, c, d.'
        return "\n".join([f"Question {self.number}: {self.question}", *lines, how])

    def _repr_html_(self):
        """Show question and options as a list, and folded below it the feedback for each."""
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


@dataclass(frozen=True, repr=False)
class Feedback:
    """What there is to say about the answer `letter` to `question`."""

    question: Question
    letter: str

    @property
    def option(self):
        """The chosen option."""
        return self.question.options[LETTERS.index(self.letter)]

    def __repr__(self):
        if self.option.correct:
            return f"{self.letter} is right. {self.option.feedback}"
        mixed_up = f"{self.letter} is not it ({self.option.misconception})."
        return f"{mixed_up} {self.option.feedback} Read {self.question.read_again} again."


def _html(text):
    """Escape `text` and show what stands between backticks as code."""
    return re.sub("`(.*?)`", r"<code>\1</code>", html.escape(text))


@cache
def load_questions():
    """Return all questions, numbered from 1."""
    data = json.loads(Path(__file__).with_name("questions.json").read_text(encoding="utf-8"))
    return tuple(
        Question(**{**item, "number": n, "options": tuple(Option(**o) for o in item["options"])})
        for n, item in enumerate(data, 1)
    )


def ask(n):
    """Return question `n`; at the end of a cell it shows itself."""
    questions = load_questions()
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= len(questions):
        raise ValueError(f"questions are numbered 1 to {len(questions)}; got {n!r}")
    return questions[n - 1]


def answer(n, choice=None):
    """Remember the answer `choice` to question `n` and return the feedback for it."""
    question = ask(n)
    if choice is not None:
        letter = choice.strip().lower() if isinstance(choice, str) else ""
        if len(letter) != 1 or letter not in LETTERS:
            raise ValueError(f"an answer is one of {', '.join(LETTERS)}; got {choice!r}")
        remember("answers", question.id, letter)
    letter = load_state()["answers"].get(question.id, "")
    if len(letter) != 1 or letter not in LETTERS:
        return Sentence(f'No answer yet. Write answer({n}, "a"), or b, c, d.')
    return Feedback(question, letter)


def report():
    """Say how many answers are right and which notebooks to read again.

    Notebook 06 reports on what came before it; questions of later ones count once answered.
    """
    answers, right, again = load_state()["answers"], 0, {}
    questions = [q for q in load_questions() if answers.get(q.id) in tuple(LETTERS)]
    open_ones = [q for q in load_questions() if q not in questions and q.read_again < "06"]
    for question in questions:
        if Feedback(question, answers[question.id]).option.correct:
            right += 1
        else:
            again.setdefault(question.read_again, []).append(f"{question.number}")
    given = len(questions)
    total = given + len(open_ones)
    lines = [f"{right} right, {given - right} wrong, {len(open_ones)} of {total} still open."]
    if not given:
        lines = [f"No answers yet: {total} questions wait. Begin with quiz(1)."]
    for notebook in sorted(again):
        lines.append(f"- Read {notebook} again (question {', '.join(again[notebook])}).")
    return Sentence("\n".join(lines))

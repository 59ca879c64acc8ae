"""The quiz in its plain form: `ask("scale")` shows a question, `answer("scale", "c")` gives
feedback, `report()` says what to read again.

The questions of a notebook are in the JSON file of its name: those that it asks and those about it.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..state import Sentence, load_state, marked, remember

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
    """A question with four options.

    `read_again`: notebook and heading, "03_pruning#Small weights first"; `show_me`: a computation
    of `evidence` that decides it; `sibling_of`: the question that 06 asks again as this one.
    """

    notebook: str
    id: str
    level: str
    stage: str
    read_again: str
    question: str
    options: tuple[Option, ...]
    measure: str = ""
    show_me: str = ""
    sibling_of: str = ""

    def right(self, letter: str) -> bool:
        """Whether this is the letter of the right option."""
        return self.options[LETTERS.index(letter)].correct

    def feedback(self, letter: str) -> Sentence:
        """What there is to say about an answer."""
        option = self.options[LETTERS.index(letter)]
        if option.correct:
            return Sentence(f"{letter} is right. {option.feedback}")
        return Sentence(f"{letter} is not it ({option.misconception}). {option.feedback} "
                        f"Read {self.place} again.")

    @property
    def module(self) -> str:
        """The name of the modules that belong to its notebook: "pruning" for 03_pruning."""
        return self.notebook[3:]

    @property
    def place(self) -> str:
        """What to read again, in words."""
        notebook, _, heading = self.read_again.partition("#")
        return f'{notebook}, "{heading}",'

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
def load_questions() -> dict[str, Question]:
    """All questions by their id, in the order of the notebooks."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.json")):
        for item in json.loads(path.read_text(encoding="utf-8")):
            item["options"] = tuple(Option(**option) for option in item["options"])
            found[item["id"]] = Question(path.stem, **item)
    return found


def ask(name: str) -> Question:
    """The question with this id; at the end of a cell it shows itself. ValueError for another."""
    questions = load_questions()
    if name not in list(questions):
        raise ValueError(f"there is no question {name!r}; there are {', '.join(questions)}")
    return questions[name]


def answer(name: str, choice: str | None = None) -> Sentence:
    """Remember the answer `choice`, a letter, and return the feedback for it, or for the last one.

    ValueError for an unknown question, and for what is no letter of an option.
    """
    question = ask(name)
    if choice is not None:
        letter = choice.strip().lower() if isinstance(choice, str) else choice
        if letter not in LETTERS:
            raise ValueError(f"an answer is one of {', '.join(LETTERS)}; got {choice!r}")
        remember("answers", question.id, letter)
    letter = answers_given().get(question.id)
    if letter is None:
        return Sentence(f'No answer yet. Write answer("{name}", "a"), or b, c, d.')
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
    asked = [q for q in load_questions().values() if q.id in given or q.notebook < "07"]
    answered = [q for q in asked if q.id in given]
    wrong = [q for q in answered if not q.right(given[q.id])]
    if not answered:
        return Sentence(f"No answers yet: {len(asked)} questions wait.")
    for question in wrong:
        again.setdefault(question.place, []).append(question.id)
    lines = [f"- Read {place} again ({', '.join(names)})."
             for place, names in sorted(again.items())]
    counts = (f"{len(answered) - len(wrong)} right, {len(wrong)} wrong, "
              f"{len(asked) - len(answered)} of {len(asked)} still open.")
    return Sentence("\n".join([counts, *lines]))

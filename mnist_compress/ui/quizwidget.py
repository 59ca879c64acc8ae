"""`quiz(2, 3, 4)`: questions to click on, with feedback at once and the score kept."""

import traitlets

from .evidence import show_me
from .questions import LETTERS, Feedback, answer, ask
from .state import load_state
from .widget import CourseWidget, shown, source


class Quiz(CourseWidget):
    """Questions below each other. `chosen`: {"number": place of the option, 0 the first}."""

    _esm = source("widget.js", "quizwidget.js")
    questions = traitlets.List().tag(sync=True)
    chosen = traitlets.Dict().tag(sync=True)
    evidence = traitlets.Dict().tag(sync=True)  # {"number": what show_me said}
    score = traitlets.Unicode().tag(sync=True)

    def __init__(self, *numbers):
        if not numbers:
            raise ValueError("a quiz needs the numbers of its questions, as in quiz(2, 3, 4)")
        self._asked = {f"{number}": ask(number) for number in numbers}
        answers = load_state()["answers"]
        super().__init__(
            questions=[{"number": q.number, "question": q.question, "options": [
                {"text": o.text, "right": o.correct, "feedback": repr(Feedback(q, letter))}
                for letter, o in zip(LETTERS, q.options, strict=True)]}
                for q in self._asked.values()],
            chosen={key: LETTERS.index(answers[q.id]) for key, q in self._asked.items()
                    if answers.get(q.id) in tuple(LETTERS)})
        self._count()
        self.on_msg(self._message)

    @traitlets.observe("chosen")
    @shown
    def _answered(self, change):
        for key, place in change["new"].items():
            if change["old"].get(key) != place:
                if place not in range(len(LETTERS)):
                    raise ValueError(f"an answer is 0 to {len(LETTERS) - 1}; got {place!r}")
                answer(self._question(key).number, LETTERS[place])
        self._count()

    @shown
    def _message(self, _, content, buffers):
        key = f"{content.get('show')}"
        self.evidence = {**self.evidence, key: show_me(self._question(key).number)}

    def _question(self, key):
        if key not in self._asked:
            raise ValueError(f"this quiz asks {', '.join(self._asked)}; got {key!r}")
        return self._asked[key]

    def _count(self):
        right = sum(self._question(key).options[place].correct
                    for key, place in self.chosen.items())
        self.score = f"{right} right, {len(self.chosen)} of {len(self._asked)} answered."

    def twin(self):
        """The questions as lists, their answers folded."""
        return {"text/plain": "\n\n".join(map(repr, self._asked.values())),
                "text/html": "".join(q._repr_html_() for q in self._asked.values())}


def quiz(*numbers):
    """Return a `Quiz` of the questions with these numbers; at the end of a cell it shows itself."""
    return Quiz(*numbers)

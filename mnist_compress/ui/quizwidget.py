"""`quiz("scale", "luck")`: questions to click on, with feedback at once and the score kept."""

import traitlets

from .questions import LETTERS, answer, answers_given, ask
from .widget import CourseWidget, shown, source


class _Quiz(CourseWidget):
    """Questions below each other. `chosen`: {id: place of the option, 0 the first}."""

    _esm = source("widget.js", "quizwidget.js")
    questions = traitlets.List().tag(sync=True)
    chosen = traitlets.Dict().tag(sync=True)
    evidence = traitlets.Dict().tag(sync=True)  # {id: what show_me said}
    score = traitlets.Unicode().tag(sync=True)

    def __init__(self, *names):
        if not names:
            raise ValueError('a quiz needs the ids of its questions, as in quiz("scale", "luck")')
        self._asked, given = {name: ask(name) for name in names}, answers_given()
        super().__init__(
            questions=[question.page() for question in self._asked.values()],
            chosen={key: LETTERS.index(given[key][-1]) for key in self._asked if key in given})
        self._count()
        self.observe(self._answered, "chosen")  # not sooner: these answers are kept already
        self.on_msg(self._message)

    @shown
    def _answered(self, change):
        for key, place in change["new"].items():
            if change["old"].get(key) != place:
                answer(key, LETTERS[place])
        self._count()

    @shown
    def _message(self, _, content, buffers):
        from .evidence import show_me  # all that is measured: not before somebody asks for it

        self.problem = ""  # so that the same one is a change too, for which the page waits
        name = content.get("show")
        self.evidence = {**self.evidence, name: show_me(name)}

    def _count(self):
        given, asked = answers_given(), self._asked
        right = sum(asked[key].options[place].correct for key, place in self.chosen.items())
        first = sum(asked[key].option(given[key][0]).correct for key in asked if key in given)
        self.score = (f"{right} right, {len(self.chosen)} of {len(asked)} answered; "
                      f"{first} right at the first try.")

    def twin(self):
        """The questions as lists, their answers folded."""
        return {"text/plain": "\n\n".join(map(repr, self._asked.values())),
                "text/html": "".join(q._repr_html_() for q in self._asked.values())}


def quiz(*names: str) -> _Quiz:
    """The questions with these ids, to click on; at the end of a cell they show themselves."""
    return _Quiz(*names)

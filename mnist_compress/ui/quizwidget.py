"""`quiz("scale", "luck")`: questions to click on, with feedback at once and the score kept."""

import traitlets

from ..arguments import whole
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
        given = answers_given()
        self._asked = {name: ask(name) for name in names}
        super().__init__(
            questions=[_for_the_page(question) for question in self._asked.values()],
            chosen={key: LETTERS.index(given[key][-1])
                    for key in self._asked if key in given})
        self._count()
        self.observe(self._answered, "chosen")  # not sooner: these answers are kept already
        self.on_msg(self._message)

    @shown
    def _answered(self, change):
        for key, place in change["new"].items():
            if change["old"].get(key) != place:
                question = self._question(key)
                place = whole("the place of an option", place, 0, len(LETTERS) - 1)
                answer(question.id, LETTERS[place])
        self._count()

    @shown
    def _message(self, _, content, buffers):
        from .evidence import show_me  # all that is measured: not before somebody asks for it

        self.problem = ""  # so that the same one is a change too, for which the page waits
        name = self._question(content.get("show")).id
        self.evidence = {**self.evidence, name: show_me(name)}

    def _question(self, key):
        if key not in list(self._asked):
            raise ValueError(f"this quiz asks {', '.join(self._asked)}; got {key!r}")
        return self._asked[key]

    def _count(self):
        right = sum(self._question(key).options[place].correct
                    for key, place in self.chosen.items())
        given = answers_given()
        first = sum(question.option(given[key][0]).correct
                    for key, question in self._asked.items() if key in given)
        self.score = (f"{right} right, {len(self.chosen)} of {len(self._asked)} answered; "
                      f"{first} right at the first try.")

    def twin(self):
        """The questions as lists, their answers folded."""
        return {"text/plain": "\n\n".join(map(repr, self._asked.values())),
                "text/html": "".join(q._repr_html_() for q in self._asked.values())}


def quiz(*names: str) -> _Quiz:
    """The questions with these ids, to click on; at the end of a cell they show themselves."""
    return _Quiz(*names)


def _for_the_page(question):
    options = [{"text": option.text, "right": option.correct, "feedback": question.feedback(letter)}
               for letter, option in zip(LETTERS, question.options, strict=True)]
    return {"id": question.id, "level": question.level, "question": question.question,
            "options": options, "shows": bool(question.show_me)}

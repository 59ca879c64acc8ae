"""Cards to recall: questions come back, without options, 1, 3, 7 and 21 days after they were seen.

Who knew a card sees it again after the next longer time, who did not begins with one day anew.
"""

from itertools import takewhile

import traitlets

from .questions import ask, load_questions
from .state import attempt, load_state, marked, now
from .widget import CourseWidget, shown, source

_DAY = 86400  # seconds
_DAYS = (1, 3, 7, 21)
_FUTURE = 0  # the time from which a card is due whose answer is dated in the future


class _Cards(CourseWidget):
    """A few cards, one after the other. `known`: {id: whether it was}, set by the page."""

    _esm = source("widget.js", "recall.js")
    cards = traitlets.List().tag(sync=True)
    known = traitlets.Dict().tag(sync=True)
    sentence = traitlets.Unicode().tag(sync=True)

    def __init__(self, *names):
        super().__init__(cards=[ask(name).page() for name in names])
        self._say()
        self.observe(self._told, "known")

    @shown
    def _told(self, change):
        for name in change["new"].keys() - change["old"].keys():
            attempt("cards", name, "knew" if change["new"][name] else "not")
        self._say()

    def _say(self):
        """What stands below the last card."""
        score, times = "No card is due.", _due_times().values()
        if self.cards:
            score = f"You knew {sum(self.known.values())} of {len(self.cards)}."
        when = "Questions come back as cards 1, 3, 7 and 21 days after you answered them."
        if times:
            days = round((min(times) - now()) / _DAY, 1)
            when = f"The next card is due in {days:g} {'day' if days == 1 else 'days'}."
            when = when if days > 0 else "More cards are due: run this cell again."
        if _FUTURE in times:
            when += (" Some answers are dated in the future, so this machine's clock was wrong; "
                     "their cards count as due.")
        self.sentence = f"{score} {when}"

    def twin(self):
        """Each card as a fold; without cards, when there are some."""
        folds = [f"<details><summary>{marked(card['front'])}</summary><p>{marked(card['back'])}</p>"
                 "</details>" for card in self.cards]
        plain = [f"{card['front']}\n({card['back']})" for card in self.cards]
        return {"text/plain": "\n\n".join(plain or [self.sentence]),
                "text/html": "".join(folds or [f"<p>{self.sentence}</p>"])}


def cards(*names: str) -> _Cards:
    """At most three cards: those that are due, the longest due first.

    Questions with the ids `names` count as due from the beginning. ValueError for an unknown one.
    """
    return _Cards(*due_cards(names)[:3])


def due_cards(names=()) -> list[str]:
    """The ids of all questions whose card is due, the longest due first; `names` count as due."""
    times = {**{ask(name).id: 0 for name in names}, **_due_times(names)}
    return [name for name in sorted(times, key=times.get) if times[name] <= now()]


def _due_times(fresh=()):
    """{id of a question: seconds since 1970 from which on its card is due}, of all that were seen;
    an answer alone does not yet count for those that are `fresh`."""
    state, times = load_state(), {}
    for name in load_questions():
        recalled = state["cards"].get(name, [])
        seen = recalled or ([] if name in fresh else state["answers"].get(name, []))
        if seen:
            streak = len(list(takewhile(lambda made: made[0] == "knew", reversed(recalled))))
            last, due = seen[-1][1], _DAY * _DAYS[min(streak, len(_DAYS) - 1)]
            times[name] = last + due if last <= now() + _DAY else _FUTURE
    return times

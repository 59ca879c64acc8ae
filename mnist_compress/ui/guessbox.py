"""`guess_box("03-bytes")`: commit a guess before the measurement, by typing it."""

import traitlets

from .state import GUESSES, Sentence, guess
from .widget import CourseWidget, shown, source


class GuessBox(CourseWidget):
    """One question with a field for a number. `guessed`: what was typed, None before that."""

    _esm = source("widget.js", "guessbox.js")
    question = traitlets.Unicode().tag(sync=True)
    unit = traitlets.Unicode().tag(sync=True)
    guessed = traitlets.Any(None, allow_none=True).tag(sync=True)
    sentence = traitlets.Unicode().tag(sync=True)

    def __init__(self, key):
        sentence = guess(key)
        question, unit = GUESSES[key][:2]
        self._key = key
        super().__init__(question=f"{question[0].upper()}{question[1:]}", unit=unit)
        self.sentence = sentence.partition(" To commit")[0]  # here is a field to do so

    @traitlets.observe("guessed")
    @shown
    def _typed(self, change):
        if change["new"] is not None:
            self.sentence = guess(self._key, change["new"])

    def __repr__(self):
        return str(guess(self._key))

    def twin(self):
        """The plain call, or the guess that was made."""
        return {"text/plain": f"{self!r}"}


def guess_box(key, value=None):
    """Ask for a guess with a field to type it into; `guess_box(key, 12)` commits 12 at once."""
    return GuessBox(key) if value is None else Sentence(guess(key, value))

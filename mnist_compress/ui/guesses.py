"""Guesses before a measurement: `guess_box("03-bytes")` takes one, `reveal` compares, and
`guess_report` tells about which topics the guesses were right."""

import json
from pathlib import Path
from typing import NamedTuple

import traitlets

from ..arguments import real
from .state import Sentence, forget, load_state, remember
from .widget import CourseWidget, shown, source


class _Guess(NamedTuple):
    """What is guessed; `tolerance`: how far off, in units, still counts as right."""

    question: str
    unit: str
    tolerance: float
    topic: str

    def show(self, value, difference=False):
        """A value with its unit; the difference of two percentages is in points."""
        unit = "points" if difference and self.unit == "%" else self.unit
        return f"{round(value, 1):,g} {unit}"


_ABOUT = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
GUESSES = {key: _Guess(**about) for key, about in _ABOUT.items()}  # key: notebook and a word


class _GuessBox(CourseWidget):
    """One question with a field for a number. `guessed`: what was typed, None before that."""

    _esm = source("widget.js", "guesses.js")
    question = traitlets.Unicode().tag(sync=True)
    unit = traitlets.Unicode().tag(sync=True)
    guessed = traitlets.Any(None, allow_none=True).tag(sync=True)
    sentence = traitlets.Unicode().tag(sync=True)

    def __init__(self, key):
        about, self._key = _about(key), key
        super().__init__(question=f"{about.question[0].upper()}{about.question[1:]}",
                         unit=about.unit, guessed=load_state()["guesses"].get(key))
        self._say()
        self.observe(self._typed, "guessed")  # not sooner: this guess is kept already

    @shown
    def _typed(self, change):
        if change["new"] is None:
            forget(self._key)
        self._say(change["new"])

    def _say(self, value=None):
        said = _guess(self._key, value)
        self.sentence = said.partition(" To commit")[0]  # here is a field to do so

    def twin(self):
        """The plain call, or the guess that was made."""
        said = _guess(self._key)
        return {"text/plain": f"{said}", "text/html": said._repr_html_()}


def guess_box(key: str, value: float | None = None) -> _GuessBox | Sentence:
    """Ask for a guess with a field to type it into; `guess_box(key, 12)` commits 12 at once.

    The first guess before the measurement counts, however often the cell runs. ValueError for an
    unknown key, and unless the value is a number from 0 to below 1e12.
    """
    return _GuessBox(key) if value is None else _guess(key, value)


def _guess(key, value=None):
    about, state = _about(key), load_state()
    value = None if value is None else real("a guess", value, 0, below=10**12)
    first = state["guesses"].get(key)
    if first is not None:
        which = "Your guess" if value in (None, first) else "Your first guess counts"
        return Sentence(f"{which}: {about.show(first)}.")
    if value is None:
        how = f"write guess_box({key!r}, 0) with your own number ({about.unit}) in place of 0"
        return Sentence(f"No guess yet. To commit one, {how}.")
    if key in state["truths"]:
        return Sentence(f"You have seen the answer, so this does not count; forget({key!r}) "
                        "starts afresh.")
    remember("guesses", key, value)
    return Sentence(f"Your guess: {about.show(value)}.")


def reveal(key: str, truth: float) -> Sentence:
    """Set the measured value beside the guess; from now on it is too late to guess."""
    about, truth = _about(key), real("what was measured", truth, 0, below=10**12)
    remember("truths", key, truth)
    first = load_state()["guesses"].get(key)
    if first is None:
        return Sentence(f"Measured: {about.show(truth)}. There is no guess to compare it with.")
    verdict = f"right, give or take {about.show(about.tolerance, True)}"
    if abs(first - truth) > about.tolerance:
        off = about.show(abs(first - truth), True)
        verdict = f"{off} too {'high' if first > truth else 'low'}"
    return Sentence(f"Measured: {about.show(truth)}. Your guess, {about.show(first)}: {verdict}.")


def guess_report():
    """Say about which topics the guesses were right, and draw each beside what was measured: a
    `Picture`, or a `Sentence` as long as no guess has met its measurement."""
    state, topics, rows = load_state(), {}, []
    for key, about in sorted(GUESSES.items(), key=lambda item: item[1].topic):
        if key in state["guesses"] and key in state["truths"]:
            first, truth = state["guesses"][key], state["truths"][key]
            topics.setdefault(about.topic, []).append(abs(first - truth) <= about.tolerance)
            rows.append((about, first, truth))
    if not rows:
        return Sentence("No guess has met its measurement yet, so there is nothing to compare.")
    kinds = {topic: "right" if all(hits) else "partly right" if any(hits) else "wrong"
             for topic, hits in topics.items()}
    told = "; ".join(f"{kind} about {' and '.join(t for t in kinds if kinds[t] == kind)}"
                     for kind in ("right", "partly right", "wrong") if kind in kinds.values())
    hit = sum(map(sum, topics.values()))
    lines = [f"You were {told} ({hit} of {len(rows)} guesses hit)."]
    lines += [f"- {about.topic}: {about.question}: guessed {about.show(first)}, measured "
              f"{about.show(truth)}" for about, first, truth in rows]
    from .plots import show_guesses  # matplotlib: not before there is something to draw

    return show_guesses([(about.topic, first, truth, f"{about.show(first)} → {about.show(truth)}")
                         for about, first, truth in rows], "\n".join(lines))


def _about(key):
    if key not in GUESSES:
        raise ValueError(f"there is no guess {key!r}; there are {', '.join(GUESSES)}")
    return GUESSES[key]

"""A pad to draw digits on: what the network sees, what several networks answer, and why."""

import html

import torch
import traitlets
from torch.nn import functional

from ..data import SIDE, Digits, center_digit
from ..trace import trace_prediction
from .tables import trace_table
from .widget import CourseWidget, shown, source

_DRAWN = 140  # pixels of the drawing, before it is centered: SENT in drawpad.js
_BLANK = Digits(torch.zeros(1, SIDE, SIDE, dtype=torch.uint8), torch.tensor([0]))
_NOTHING = "There is no ink yet. Draw a digit, or pick a picture."


class DrawPad(CourseWidget):
    """Draw a digit, or pick and move a picture, and watch three networks read it.

    models: what `trace_prediction` takes. digits: `Digits` to pick from, or None. The network sees
    the drawing, centered by `center_digit`, or else digits[position] as it is; both moved by `down`
    and `right` pixels.
    """

    _esm = source("widget.js", "drawpad.js")
    # the page sends a memoryview, which Bytes alone would refuse
    drawing = traitlets.Bytes(help="_DRAWN ** 2 bytes, 0 for paper, or none").tag(
        sync=True, from_json=lambda value, widget: bytes(value))
    strokes = traitlets.List(help="of the drawing, lists of [x, y] in 0..1, if any").tag(sync=True)
    position = traitlets.Int(None, allow_none=True, help="of a picture").tag(sync=True)
    down = traitlets.Int(help="pixels").tag(sync=True)
    right = traitlets.Int(help="pixels").tag(sync=True)
    count = traitlets.Int(help="how many pictures there are").tag(sync=True)
    names = traitlets.List(help="of the models").tag(sync=True)
    seen = traitlets.Bytes(bytes(SIDE * SIDE), help="784 pixels").tag(sync=True)
    probabilities = traitlets.Dict(help="{model: ten numbers 0..1}").tag(sync=True)
    sentence = traitlets.Unicode(_NOTHING).tag(sync=True)
    trace_html = traitlets.Unicode().tag(sync=True)

    def __init__(self, models: dict, digits: Digits | None = None):
        self._models, self._digits, self._answered, self.trace = models, digits, None, None
        count = len(digits or ())
        super().__init__(names=list(models), count=count, position=0 if count else None)
        self._twin = _twin(self.sentence, self.seen)

    def twin(self):
        """What the pad says and shows when it opens."""
        return self._twin

    @traitlets.observe("drawing", "position", "down", "right")
    @shown
    def _answer(self, change):
        """Look at the digit anew. Traits that change together call this one after the other."""
        asked = (self.drawing, self.position, self.down, self.right)
        if asked == self._answered:
            return
        self._answered = self.trace = None
        try:
            with self.hold_sync():  # one message to the page
                self._look()
        finally:  # the answer need not wait for its table; an error leaves none behind
            self.trace_html = _table(self.trace) if self.trace else ""
        self._answered = asked

    def _look(self):
        """Set what the digit makes of the traits, all but the trace's table."""
        self.seen, self.probabilities, self.sentence = bytes(SIDE * SIDE), {}, ""
        digit, what = _BLANK, ""
        if self.drawing:
            ink = torch.frombuffer(bytearray(self.drawing), dtype=torch.uint8)
            image = center_digit(ink.view(_DRAWN, _DRAWN))
            digit, what = Digits(image[None], _BLANK.labels), "Your drawing"
        elif self.position is not None:
            digit = self._digits[self.position]
            what = f"Picture {self.position}, a {digit.labels.item()}"
        image = _shifted(digit.images[0], self.down, self.right)
        self.seen, told = image.numpy().tobytes(), _NOTHING
        if image.any():
            found = self._read(Digits(image[None], digit.labels))
            self.probabilities, answers, self.trace = found
            told = f"{what}{_moved(self.down, self.right)}: {', '.join(answers)}."
        self.sentence = told

    def _read(self, digit):
        """{model: ten probabilities}, what each of them says in words, and the trace or None."""
        trace = trace_prediction(self._models, digit)
        sure = {name: values.tolist() for name, values in trace.layers[-1].values.items()}
        answers = [f"{name} says {best} ({100 * sure[name][best]:.0f} %)"
                   for name, best in trace.predictions.items()]
        return sure, answers, trace


def _shifted(image: torch.Tensor, down: int, right: int) -> torch.Tensor:
    """(28, 28) uint8 -> the same picture moved; what leaves it is lost, what enters is paper."""
    down, right = (max(-SIDE, min(SIDE, step)) for step in (down, right))
    return functional.pad(image, (right, -right, down, -down)).contiguous()


def _moved(down, right):
    steps = [(right, "right", "left"), (down, "down", "up")]
    parts = [f"{abs(step)} {ahead if step > 0 else back}" for step, ahead, back in steps if step]
    return f", moved {' and '.join(parts)}" if parts else ""


def _table(trace):
    """The prediction trace as HTML whose cells may break between two numbers."""
    table = trace_table(trace).reset_index().to_html(index=False, border=0, justify="unset")
    return table.replace("&nbsp;&nbsp;", " ")


def _twin(sentence, seen):
    """The sentence, and the picture in block letters: GitHub shows those, but no drawing."""
    text, ink = f"Draw pad. {sentence}", torch.frombuffer(bytearray(seen), dtype=torch.uint8) > 127
    pairs = ink.view(-1, 2, SIDE).transpose(1, 2).tolist()  # of pixels, one above the other
    lines = ["".join(" ▀▄█"[top + 2 * low] for top, low in line) for line in pairs]
    block = ('<pre role="img" aria-label="The digit, 28 x 28 pixels" style="line-height: 1; '
             'overflow: visible">' + "\n".join(lines) + "</pre>") if ink.any() else ""
    return {"text/plain": text, "text/html": f"<p>{html.escape(text)}</p>{block}"}

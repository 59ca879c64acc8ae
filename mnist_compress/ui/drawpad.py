"""A pad to draw digits on: what the network sees, what three networks answer, and why."""

import html

import torch
import traitlets
from torch.nn import functional

from ..data import SIDE, Digits, center_digit
from ..trace import trace_prediction
from .traces import trace_table
from .widget import CourseWidget, shown, source

DRAWING_SIDE = 140  # pixels of the drawing, before it is centred; drawpad.js sends as many
_BLANK = Digits(torch.zeros(1, SIDE, SIDE, dtype=torch.uint8), torch.tensor([0]))
NOTHING = "There is no ink yet. Draw a digit, or pick a test digit."
HALVES = " ▀▄█"  # one sign for two pixels, one above the other


class DrawPad(CourseWidget):
    """Draw a digit, or pick and move a test digit, and watch three networks read it.

    models: {"float": DigitClassifier, "pruned": DigitClassifier, "int8": IntegerNetwork}, as
    `Pipeline.models` is. digits: `Digits` to pick from, or None. ValueError if the models
    cannot be traced, or if digits is empty.

    The network sees the drawing, centred by `center_digit`, or else digits[position] as it is;
    both moved by `down` and `right` pixels. `seen`, `probabilities`, `sentence` and `trace` tell
    what came of it.
    """

    _esm = source("widget.js", "drawpad.js")
    # the page sends a memoryview, which Bytes alone would refuse
    drawing = traitlets.Bytes(help="DRAWING_SIDE ** 2 bytes, 0 for paper, or none").tag(
        sync=True, from_json=lambda value, widget: bytes(value))
    position = traitlets.Int(None, allow_none=True, help="of a test digit").tag(sync=True)
    down = traitlets.Int(help="pixels").tag(sync=True)
    right = traitlets.Int(help="pixels").tag(sync=True)
    count = traitlets.Int(help="how many test digits there are").tag(sync=True)
    names = traitlets.List(help="of the models").tag(sync=True)
    seen = traitlets.Bytes(bytes(SIDE * SIDE), help="784 pixels").tag(sync=True)
    probabilities = traitlets.Dict(help="{model: ten numbers 0..1}").tag(sync=True)
    sentence = traitlets.Unicode(NOTHING).tag(sync=True)
    trace_html = traitlets.Unicode().tag(sync=True)

    def __init__(self, models, digits=None):
        trace_prediction(models, _BLANK)  # says what is wrong with them
        if digits is not None and not len(digits):
            raise ValueError(f"digits must hold at least one digit, or be None; got {digits}")
        self._models, self._digits, self._answered, self.trace = models, digits, None, None
        super().__init__(names=list(models), count=0 if digits is None else len(digits),
                         position=None if digits is None else 0)
        self._twin = _twin(self.sentence, self.seen) if self.trace else _twin(NOTHING)

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
        self._answered = None
        try:
            with self.hold_sync():  # one message to the page
                self._look()
        finally:  # the answer need not wait for its table; an error leaves none behind
            self.trace_html = _table(self.trace) if self.trace else ""
        self._answered = asked

    def _look(self):
        """Set what the digit makes of the traits, all but the trace's table."""
        self.seen, self.probabilities, self.sentence = bytes(SIDE * SIDE), {}, ""
        self.trace = None
        image, label, what = self._picture()
        image = shifted(image, self.down, self.right)
        self.seen = image.numpy().tobytes()
        if image.any():
            digit = Digits(image[None], torch.tensor([label]))
            trace = trace_prediction(self._models, digit)
            self.probabilities = {name: values.tolist()
                                  for name, values in trace.layers[-1].values.items()}
            self.trace = trace
            self.sentence = f"{what}{_moved(self.down, self.right)}: {_answers(trace)}."
        else:
            self.sentence = NOTHING

    def _picture(self):
        """(28, 28) uint8 before it is moved, its label (0 if nobody knows), and what it is."""
        if self.drawing:
            size = DRAWING_SIDE * DRAWING_SIDE
            if len(self.drawing) != size:
                raise ValueError(f"a drawing must have {DRAWING_SIDE} x {DRAWING_SIDE} = {size:,} "
                                 f"bytes; got {len(self.drawing):,}")
            ink = torch.frombuffer(bytearray(self.drawing), dtype=torch.uint8)
            return center_digit(ink.view(DRAWING_SIDE, DRAWING_SIDE)), 0, "Your drawing"
        if self.position is None:
            return torch.zeros(SIDE, SIDE, dtype=torch.uint8), 0, ""
        if self.position not in range(self.count):
            raise ValueError(f"test digits are numbered 0 to {self.count - 1:,}; "
                             f"got {self.position:,}" if self.count else
                             f"this pad has no test digits; got the number {self.position:,}")
        digit = self._digits[self.position]
        label = int(digit.labels[0])
        return digit.images[0], label, f"Test digit {self.position}, a {label}"


def shifted(image, down, right):
    """(28, 28) uint8 -> the same picture moved; what leaves it is lost, what enters is paper."""
    down, right = (max(-SIDE, min(SIDE, step)) for step in (down, right))
    return functional.pad(image, (right, -right, down, -down)).contiguous()


def _moved(down, right):
    steps = [(right, "right", "left"), (down, "down", "up")]
    parts = [f"{abs(step)} {ahead if step > 0 else back}" for step, ahead, back in steps if step]
    return f", moved {' and '.join(parts)}" if parts else ""


def _answers(trace):
    """What each model says and how sure it is, as words."""
    sure = trace.layers[-1].values
    return ", ".join(f"{name} says {best} ({100 * sure[name][best]:.0f} %)"
                     for name, best in trace.predictions.items())


def _table(trace):
    """The prediction trace as HTML whose cells may break between two numbers."""
    table = trace_table(trace).reset_index().to_html(index=False, border=0, justify="unset")
    return table.replace("&nbsp;&nbsp;", " ")


def _twin(sentence, seen=b""):
    """The sentence, and the picture in block letters: GitHub shows those, but no drawing."""
    text = f"Draw pad. {sentence}"
    lines = []
    for row in range(0, len(seen), 2 * SIDE):
        pairs = zip(seen[row:row + SIDE], seen[row + SIDE:row + 2 * SIDE], strict=True)
        lines.append("".join(HALVES[(top > 127) + 2 * (low > 127)] for top, low in pairs))
    picture = "\n".join(lines)
    block = ('<pre role="img" aria-label="The digit, 28 x 28 pixels" '
             'style="line-height: 1; overflow: visible">'
             f"{picture}</pre>" if picture.strip() else "")
    return {"text/plain": text, "text/html": f"<p>{html.escape(text)}</p>{block}"}

"""A few controls and a function that paints what their values make of it: an `Explorer`."""

import io
import reprlib

import numpy as np
import traitlets

from ..data import SIDE
from .plots import image_tag, in_style
from .state import Sentence
from .widget import CourseWidget, shown, source


def slider(name: str, label: str, values, start, text=str) -> dict:
    """A control with an order: it stands at one of `values`, shown as text(value)."""
    return {"kind": "slider", "name": name, "label": label, "values": list(values),
            "texts": [text(value) for value in values], "start": start}


def choice(name: str, label: str, options: dict, start) -> dict:
    """A control without an order. options: {value: text}."""
    return {**slider(name, label, options, start, options.get), "kind": "choice"}


class Explorer(CourseWidget):
    """Controls, the picture that belongs to their values, and its sentence.

    controls: what `slider` and `choice` return. show(axes, **values) paints, on axes as it left
    them the last time, and returns the sentence; options for `Figure.subplots` make it several
    axes. If it makes some artists animated, it must leave all others as they are. Without a page,
    `set` does what a hand would do.
    """

    _esm = source("widget.js", "explorer.js")
    controls = traitlets.List().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    png = traitlets.Bytes().tag(sync=True)
    sentence = traitlets.Unicode().tag(sync=True)
    width = traitlets.Int().tag(sync=True)  # of the picture on the screen, in pixels
    answered = traitlets.Unicode().tag(sync=True)  # a view waits for this before it asks again

    @in_style()
    def __init__(self, controls, show, size=(5.2, 3.4), **subplots):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self._show, self.figure = show, Figure(figsize=size, dpi=120, layout="constrained")
        self._axes = self.figure.subplots(**subplots)
        super().__init__(controls=list(controls), width=round(96 * size[0]))
        show(self._axes, **{control["name"]: control["values"][0] for control in self.controls})
        self.figure.draw_without_rendering()  # settles where axes stand, which takes long
        self.figure.set_layout_engine("none")
        self._canvas, self._still = FigureCanvasAgg(self.figure), None
        self.set(**{control["name"]: control["start"] for control in self.controls})
        self.on_msg(self._asked)

    def set(self, **values) -> "Explorer":
        """Move some controls, such as set(bits=3); ValueError for what they cannot be."""
        allowed, after = {each["name"]: each["values"] for each in self.controls}, dict(self.values)
        for name, value in values.items():
            if name not in allowed:
                raise ValueError(f"the controls are {', '.join(allowed)}; got {name}")
            if isinstance(value, bool) or value not in allowed[name]:
                raise ValueError(f"{name} must be one of {reprlib.repr(allowed[name])}; "
                                 f"got {value!r}")
            after[name] = allowed[name][allowed[name].index(value)]  # 5, where JavaScript has 5.0
        if after != self.values:
            sentence, png = self._draw(after)  # if that fails, all stays as it is
            with self.hold_sync():
                self.values, self.sentence, self.png = after, sentence, png
        return self

    @in_style()
    def _draw(self, values):
        """The sentence and the bytes of a PNG file; what does not move is drawn once."""
        from matplotlib.image import imsave

        sentence = self._show(self._axes, **values)
        moving = self.figure.findobj(lambda artist: artist.get_animated())
        if self._still is None or not moving:
            self._canvas.draw()
            self._still = self._canvas.copy_from_bbox(self.figure.bbox)
        self._canvas.restore_region(self._still)
        for artist in moving:
            artist.axes.draw_artist(artist)
        with io.BytesIO() as file:
            imsave(file, self._canvas.buffer_rgba(), pil_kwargs={"compress_level": 1})
            return sentence, file.getvalue()

    def _asked(self, widget, content, buffers):
        with self.hold_sync():
            self._try(content)
            self.answered = content["question"]

    @shown
    def _try(self, content):
        self.set(**content["values"])

    def __repr__(self):
        return self.sentence

    def twin(self):
        """The picture and its sentence."""
        picture = image_tag(self.png, self.sentence, self.width)
        return {"text/html": picture + Sentence(self.sentence)._repr_html_(),
                "text/plain": self.sentence}


def explore_flatten(image) -> Explorer:
    """One image (28, 28) uint8: its rows go one after the other into a strip of 784 numbers."""
    def show(axes, rows):
        row, moved = max(rows - 1, 0), SIDE * rows
        left, strip = image.numpy().copy(), np.zeros((1, image.numel()))
        left[:rows], strip[0, :moved] = 0, image.flatten()[:moved]
        for each, picture in zip(axes, (left, strip), strict=True):
            if not each.images:
                each.imshow(picture, cmap="gray_r", vmin=0, vmax=255, aspect="auto",
                            animated=True)
                each.grid(False)
            each.images[0].set(data=picture)
        above, below = axes
        if not above.patches:
            above.set(box_aspect=1, xticks=[0, 27], yticks=[0, 27], xlabel="column", ylabel="row")
            below.set(xticks=range(0, 784, 112), yticks=[], xlabel="place in the strip")
            above.axhspan(-0.5, 0.5, color="C1", animated=True)
            below.axvspan(-0.5, SIDE - 0.5, color="C1", alpha=0.4, animated=True)
        above.patches[0].set(y=row - 0.5, visible=rows > 0)
        below.patches[0].set(x=SIDE * row - 0.5, visible=rows > 0)
        if not rows:
            return f"All {SIDE} rows are in the picture, and the strip is empty."
        column = int(image[row].argmax())
        return (f"{rows} of {SIDE} rows are in the strip. Row {row} went to the places "
                f"{moved - SIDE} to {moved - 1}: its pixel in column {column}, which is "
                f"{image[row, column]}, is number {row} x {SIDE} + {column} = "
                f"{row * SIDE + column}.")

    return Explorer([slider("rows", "Rows", range(SIDE + 1), 10)], show, (6.6, 3.4),
                    nrows=2, height_ratios=(5, 1))

"""Sliders that answer at once: how many zeros, how many bits, and what both cost together.

An `Explorer` is a few controls and a function that paints what their values make of it.
"""

import gzip
import io
import reprlib
from functools import cache, partial
from typing import NamedTuple

import torch
import traitlets
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..data import SIDE
from ..measure import confidence
from ..packed import pack
from ..pruning import fine_tune, prune, sparsity
from ..quantization import choose_qparams, dequantize, quantize, quantize_model, round_weights
from ..training import evaluate
from .plots import as_html, in_style, pareto
from .tables import two_digits
from .waiting import progress
from .widget import CourseWidget, shown, source

_ZEROS = (0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.98)
_BITS = (2, 3, 4, 5, 6, 7, 8)
_EXAMPLE = 0.1234  # the weight that the course rounds by hand


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
    them the last time, and returns the sentence. Without a page, `set` does what a hand would do.
    """

    _esm = source("widget.js", "explorer.js")
    controls = traitlets.List().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    png = traitlets.Bytes().tag(sync=True)
    sentence = traitlets.Unicode().tag(sync=True)
    width = traitlets.Int().tag(sync=True)  # of the picture on the screen, in pixels
    answered = traitlets.Unicode().tag(sync=True)  # a view waits for this before it asks again

    @in_style
    def __init__(self, controls, show, size=(5.2, 3.4)):
        self._show, self.figure = show, Figure(figsize=size, dpi=120, layout="constrained")
        self._axes = self.figure.subplots()
        super().__init__(controls=list(controls), width=round(96 * size[0]))
        show(self._axes, **{control["name"]: control["values"][0] for control in self.controls})
        self.figure.draw_without_rendering()  # settles where axes stand, which takes long
        self.figure.set_layout_engine("none")
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

    @in_style
    def _draw(self, values):
        """The sentence and the bytes of a PNG file, in less than half the time of `savefig`."""
        sentence = self._show(self._axes, **values)
        with io.BytesIO() as file:
            FigureCanvasAgg(self.figure).print_png(file, pil_kwargs={"compress_level": 1})
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
        return {"text/html": as_html(self.png, self.sentence, self.width),
                "text/plain": self.sentence}


def _per_cent(fraction):
    return f"{100 * fraction:.0f} %"


def explore_pruning(model, train, validation) -> Explorer:
    """Sparsity and scope -> where weights are left, what validation digits say, bytes of the file.

    A pixel is empty if no digit of `train` has ink there. The file is what torch.save writes,
    gzipped: zeros take four bytes each until gzip sees them.
    """
    units, pair = len(model.layers[0].weight), (validation.inputs, validation.labels)
    empty = (train.images == 0).all(0).numpy()

    @cache
    def measure(sparsity, scope):
        pruned = prune(model, sparsity, scope)
        alive = (pruned.layers[0].weight != 0).sum(0).view(SIDE, SIDE).numpy()
        return (alive, evaluate(pruned, pair).accuracy, confidence(pruned, pair),
                two_digits(_gzip_bytes(pruned) / 1000))

    def show(axes, sparsity, scope):
        alive, accuracy, sure, size = measure(sparsity, scope)
        _, dense, dense_sure, full = measure(0.0, "global")
        if not axes.images:
            axes.grid(False)
            axes.set(xlabel="column", ylabel="row")
            picture = axes.imshow(alive, cmap="viridis", vmin=0, vmax=units)  # one scale for all
            axes.figure.colorbar(picture, label="weights left at this pixel")
        axes.images[0].set(data=alive)
        nowhere, inked = (f"{alive[places].sum():,} of {units * places.sum():,}"
                          for places in (empty, ~empty))
        return (f"At {_per_cent(sparsity)} zeros, {nowhere} weights of empty pixels are left, and "
                f"{inked} of the other pixels. {accuracy:.1%} of {len(pair[1]):,} "
                f"validation digits are right (dense: {dense:.1%}); the mean top probability is "
                f"{sure:.1%} (dense: {dense_sure:.1%}). The gzipped file has about {size} KB "
                f"(dense: {full}).")

    scopes = {"global": "both layers together", "layer": "each layer alone"}
    return Explorer([slider("sparsity", "Zeros", [n / 100 for n in range(100)], 0.9, _per_cent),
                     choice("scope", "Ranked", scopes, "global")], show, (4.6, 3.4))


def _gzip_bytes(model):
    """Bytes of the model's tensors as torch.save writes them, gzipped; they vary with zlib."""
    with io.BytesIO() as file:
        torch.save(model.state_dict(), file)
        return len(gzip.compress(file.getvalue(), 6))  # level 9 takes five times as long for 2 %


def explore_quantization(model, digits) -> Explorer:
    """Bits, scale and scheme -> weights of one unit on the number line, error, accuracy, zeros.

    The weights alone are rounded, as in `round_weights`. The unit is the one of the first layer
    whose largest weight just reaches 0.1234: per channel, the example then fits.
    """
    weight, pair = model.layers[0].weight.detach(), (digits.inputs, digits.labels)
    above = (weight.amax(1) - _EXAMPLE).tolist()
    number = min(range(len(above)), key=lambda unit: (above[unit] < 0, abs(above[unit])))
    values = torch.cat([_spread_out(weight[number]), torch.tensor([_EXAMPLE])])
    ends = 1.12 * max(weight.abs().max().item(), _EXAMPLE)  # two bits may carry a weight far out

    @cache
    def measure(bits, scheme, own):
        rounded = round_weights(model, bits, scheme, own)
        error = (rounded.layers[0].weight - weight).abs().max().item()
        return error, sparsity(rounded), evaluate(rounded, pair).accuracy

    def show(axes, bits, unit, scheme):
        own = unit == "channel"
        error, zeros, accuracy = measure(bits, scheme, own)
        qparams = choose_qparams(weight[number] if own else weight, bits, scheme)
        axes.clear()
        axes.set(xlim=(-ends, ends), xlabel=f"weights of unit {number}")
        integer, place = _number_line(axes, values, qparams)
        owner = f"unit {number}" if own else "the layer"
        return (f"With {bits} bits, {scheme}, a step of {owner} is {qparams.scale.item():.4f}: "
                f"{_EXAMPLE} becomes {integer}, which stands for {place:.4f}. No weight of this "
                f"layer moves by more than {error:.4f}. With both layers rounded so, "
                f"{accuracy:.1%} of {len(digits):,} new digits are right, and {zeros:.0%} of the "
                "weights are 0.")

    units = {"tensor": "per tensor", "channel": "per channel"}
    schemes = {"symmetric": "symmetric", "affine": "affine"}
    return Explorer([slider("bits", "Bits", _BITS, 3), choice("unit", "Scale", units, "tensor"),
                     choice("scheme", "Scheme", schemes, "symmetric")], show, (5.2, 2.6))


def _spread_out(weights):
    """Up to 12 of these weights (n,), spread as evenly as any; zeros only if there is no other."""
    ranked = (weights[weights != 0] if weights.any() else weights).unique()  # sorted
    aims = torch.linspace(ranked[0], ranked[-1], 12, dtype=torch.float64)
    return ranked[(ranked[:, None] - aims).abs().argmin(0).unique()]


def _number_line(axes, values, qparams):
    """Paint where each weight goes; return the integer and place of the last one, the example."""
    dots = partial(axes.plot, marker="", linestyle="")
    integers = quantize(values, qparams)
    places = dequantize(integers, qparams)
    steps = (torch.arange(qparams.low, qparams.high + 1) - qparams.zero_point) * qparams.scale
    axes.set(ylim=(-0.85, 1.35), yticks=[0, 1], yticklabels=["integer", "float"])
    axes.grid(False)
    dots(steps, torch.zeros(len(steps)), marker="|", color="#777777", markersize=14)
    for value, place in zip(values, places, strict=True):
        axes.plot([value, place], [1, 0.12], color="C0", marker="", linewidth=1.5)
    axes.lines[-1].set_color("C1")
    dots(values[:-1], torch.ones(len(values) - 1), marker="o", color="C0")
    dots(values[-1:], [1], marker="s", color="C1")
    dots(places, torch.full((len(places),), 0.12), marker="v", color="C0", markersize=5)
    axes.annotate(f"{_EXAMPLE}", (_EXAMPLE, 1.13), ha="center", color="C1")
    free, end = axes.get_xlim()  # no label to the left of `free`: those of many bits would overlap
    for place, integer in zip(places[:-1].tolist(), integers.tolist(), strict=False):
        if place >= free:
            axes.text(place, -0.4, f"{integer}", ha="center", fontsize=10, clip_on=True)
            free = place + 0.12 * end
    integer, place = integers[-1].item(), places[-1].item()
    axes.text(place, -0.72, f"{integer}", ha="center", color="C1", weight="bold")
    return integer, place


class _Tradeoff(NamedTuple):
    """One network: its sparsity, its bits, the bytes of its packed file, its accuracy 0..1."""

    sparsity: float
    bits: int
    bytes: int
    accuracy: float


def tradeoffs(model, train, validation, sparsities=_ZEROS, bits=_BITS) -> list[_Tradeoff]:
    """Prune, fine-tune (where something was pruned), quantize, pack, judge: all combinations."""
    points = []
    for share in progress(sparsities, "networks"):
        tuned = fine_tune(prune(model, share), train) if share else model
        for count in bits:
            integer = quantize_model(tuned, train, bits=count)
            size = len(pack(integer, "order0"))  # in milliseconds; the best takes seconds
            points.append(_Tradeoff(share, count, size, evaluate(integer, validation).accuracy))
    return points


def explore_tradeoff(points: list) -> Explorer:
    """Zeros and bits -> where one of the `tradeoffs` stands between bytes and accuracy."""
    front = pareto(points, lambda point: (point.bytes, -point.accuracy))
    sizes = [point.bytes / 1000 for point in points]
    ticks = [tick for tick in (1, 2, 5, 10, 20, 50, 100, 200, 500)
             if min(sizes) / 2 < tick < 2 * max(sizes)]

    def show(axes, sparsity, bits):
        own = next(p for p in points if (p.sparsity, p.bits) == (sparsity, bits))
        if not axes.lines:
            axes.set_xscale("log")
            axes.plot(*_places(points), "o", markersize=4, color="#777777",
                      label="all combinations")
            axes.plot(*_places(front), "s-", color="C0", label="Pareto front")
            axes.plot(*_places([own]), "*", markersize=17, color="C1", markeredgecolor="white",
                      label="yours")
            axes.set_xticks(ticks, [f"{tick}" for tick in ticks])
            axes.minorticks_off()
            axes.set(xlabel="packed file, KB", ylabel="right validation digits, %")
            axes.legend(loc="lower right")
        axes.lines[-1].set_data(*_places([own]))
        verdict = "It lies on the Pareto front: none is as small and as good."
        if own not in front:
            best = next(point for point in front if point.accuracy >= own.accuracy)
            verdict = (f"It is off the Pareto front: {_per_cent(best.sparsity)} zeros and "
                       f"{best.bits} bits are as good or better, {best.accuracy:.1%}, in "
                       f"{two_digits(best.bytes / 1000)} KB.")
        return (f"With {_per_cent(sparsity)} zeros and {bits} bits the packed file has "
                f"{two_digits(own.bytes / 1000)} KB, and {own.accuracy:.1%} of the validation "
                f"digits are right. {verdict}")

    shares, counts = (list(dict.fromkeys(each)) for each in list(zip(*points, strict=True))[:2])
    return Explorer([slider("sparsity", "Zeros", shares, shares[0], _per_cent),
                     slider("bits", "Bits", counts, counts[-1])], show)


def _places(points):
    return [point.bytes / 1000 for point in points], [100 * point.accuracy for point in points]

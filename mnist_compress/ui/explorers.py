"""Sliders that answer at once: how many zeros, how many bits, and what both cost together.

An `Explorer` is a few controls and a function from their values to a `Picture`. The three of the
course keep one figure each and move what is in it: drawing axes anew takes longer than the network.
"""

import functools
import gzip
import html
import io
from dataclasses import dataclass

import torch
import traitlets
from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg

from ..packed.file import pack
from ..pruning import fine_tune, prune
from ..quantization import choose_qparams, dequantize, quantize, quantize_model, round_weights
from ..training import evaluate
from .plots import INK, Picture, draw, pareto, survivors
from .tables import two_digits
from .widget import CourseWidget, shown, source

EXAMPLE = 0.1234  # the weight that the course rounds by hand
SHOWN_WEIGHTS = 12
ZEROS = (0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.98)
BITS = (2, 3, 4, 5, 6, 7, 8)
MARK = "#D55E00"
DPI = 120  # of a kept figure


def slider(name, label, values, start, text=str):
    """A control with an order: it stands at one of `values`, shown as text(value)."""
    return _control("slider", name, label, values, [text(value) for value in values], start)


def choice(name, label, options, start):
    """A control without an order. options: {value: text}."""
    return _control("choice", name, label, options, options.values(), start)


def _control(kind, name, label, values, texts, start):
    control = {"kind": kind, "name": name, "label": label, "values": list(values),
               "texts": list(texts)}
    return {**control, "start": _allowed(control, start)}


def _allowed(control, value):
    """The control's own value that equals this one; ValueError if there is none."""
    values = control["values"]
    if not isinstance(value, bool) and value in values:
        return values[values.index(value)]
    names = [repr(each) for each in values]
    if len(names) > 8:
        names[3:-1] = ["..."]
    raise ValueError(f"{control['name']} must be one of {', '.join(names)}; got {value!r}")


class Explorer(CourseWidget):
    """Controls, the picture that show(**values) makes of them, and its sentence.

    controls: what `slider` and `choice` return. show: from their values to a `Picture`. Without a
    page, `set` does what a hand would do; picture and sentence always belong to `values`.
    """

    _esm = source("widget.js", "explorer.js")
    controls = traitlets.List().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    png = traitlets.Bytes().tag(sync=True)
    sentence = traitlets.Unicode().tag(sync=True)
    width = traitlets.Int().tag(sync=True)  # of the picture on the screen, in pixels
    answered = traitlets.Unicode().tag(sync=True)  # a view waits for this before it asks again

    def __init__(self, controls, show):
        self._show, self._picture = show, None
        super().__init__(controls=list(controls))
        self.values = {control["name"]: control["start"] for control in self.controls}
        self.on_msg(self._asked)

    def set(self, **values):
        """Move some controls, such as set(bits=3); ValueError for what they cannot be."""
        self.values = {**self.values, **values}
        return self

    @traitlets.validate("values")
    def _drawn(self, proposal):
        """Draw before the values count: if that fails, all stays as it is."""
        values, known = proposal["value"], {control["name"]: control for control in self.controls}
        if set(values) != set(known):
            raise ValueError(f"the controls are {', '.join(known)}; got {', '.join(values)}")
        values = {name: _allowed(known[name], value) for name, value in values.items()}
        if values != self.values:
            self._picture = self._show(**values)
        return values

    @traitlets.observe("values")
    def _moved(self, change):
        with self.hold_sync():
            self.sentence, self.width = self._picture.sentence, self._picture.width
            self.png = quick_png(self._picture.figure)

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
        return {"image/png": self.png, "text/plain": self.sentence}

    def _ipython_display_(self):
        data, metadata = self._repr_mimebundle_()
        alt = {"image/png": {"alt": self.sentence, "width": self.width}}
        display(data, metadata={**metadata, **alt}, raw=True)
        text = f'<p class="mc-static">{html.escape(self.sentence)}</p>'
        display({"text/html": text, "text/plain": self.sentence}, raw=True)


def per_cent(fraction):
    """0.9 -> "90 %"."""
    return f"{100 * fraction:.0f} %"


def kept_figure(paint, size):
    """A figure with its layout settled, so that later changes are drawn at once."""
    figure = draw(paint, "", size).figure
    figure.set_dpi(DPI)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return figure


def quick_png(figure):
    """Bytes of a PNG file, in less than half the time of `savefig`, which draws twice."""
    with io.BytesIO() as file:
        FigureCanvasAgg(figure).print_png(file, pil_kwargs={"compress_level": 1})
        return file.getvalue()


def scorer(digits):
    """A function from a `DigitClassifier` to its accuracy on these digits, as `evaluate` has it.

    It makes the rows of pixels once: a slider asks for the same digits at every move.
    """
    if not len(digits):
        raise ValueError("need at least one digit to answer for; got 0")
    rows, labels = digits.inputs, digits.labels

    def accuracy(model):
        with torch.no_grad():
            return (model(rows).argmax(1) == labels).double().mean().item()

    return accuracy


def explore_pruning(model, test):
    """Sparsity and scope -> where weights are left, what new digits say, bytes of the file.

    The file is what torch.save writes, gzipped: zeros take four bytes each until gzip sees them.
    """
    units, artists, accuracy_of = len(model.layers[0].weight), {}, scorer(test)

    def paint(axes):
        alive = survivors(model)[0].numpy()
        artists["map"] = axes.imshow(alive, cmap="viridis", vmin=0, vmax=units)
        axes.grid(False)
        axes.set(xlabel="column", ylabel="row")
        artists["bar"] = axes.figure.colorbar(artists["map"], label="weights left at this pixel")

    figure = kept_figure(paint, (4.6, 3.4))

    @functools.cache
    def measure(sparsity, scope):
        pruned = prune(model, sparsity, scope)
        return survivors(pruned), accuracy_of(pruned), gzip_bytes(pruned)

    dense, full = measure(0.0, "global")[1:]

    def show(sparsity, scope):
        (alive, inner, outer), accuracy, size = measure(sparsity, scope)
        artists["map"].set(data=alive.numpy(), clim=(0, max(int(alive.max()), 1)))
        return Picture(figure, (
            f"At {per_cent(sparsity)} zeros a pixel of the inner 20 x 20 keeps {inner:.0f} of its "
            f"{units} weights, one of the border, four wide, {outer:.0f}. "
            f"{accuracy:.1%} of {len(test):,} new digits are right (dense: {dense:.1%}); the "
            f"gzipped file has about {two_digits(size / 1000)} KB "
            f"(dense: {two_digits(full / 1000)})."))

    scopes = {"global": "both layers together", "layer": "each layer alone"}
    return Explorer([slider("sparsity", "Zeros", [n / 100 for n in range(100)], 0.9, per_cent),
                     choice("scope", "Ranked", scopes, "global")], show)


def gzip_bytes(model):
    """Bytes of the model's tensors as torch.save writes them, gzipped; they vary with zlib.

    At level 6, the gzip command's own: level 9 takes five times as long to save 2 %.
    """
    with io.BytesIO() as file:
        torch.save(model.state_dict(), file)
        return len(gzip.compress(file.getvalue(), 6, mtime=0))


def explore_quantization(model, test):
    """Bits, unit and scheme -> weights of one row on the number line, the error, the accuracy.

    The weights alone are rounded, as in `round_weights`. The row is the one of the first layer
    whose largest weight just reaches 0.1234: per channel, the example then fits.
    """
    weight, artists, accuracy_of = model.layers[0].weight.detach(), {}, scorer(test)
    row = example_row(weight)
    values = torch.cat([spread_out(weight[row]), torch.tensor([EXAMPLE])])
    largest = max(weight.abs().max().item(), EXAMPLE)
    ends = 1.12 * largest  # two bits may carry a weight far out

    def paint(axes):
        line = functools.partial(axes.plot, marker="", linestyle="")
        axes.set(xlim=(-ends, ends), ylim=(-0.85, 1.35), xlabel=f"weights of neuron {row}",
                 yticks=[0, 1], yticklabels=["integer", "float"])
        axes.grid(False)
        artists["steps"], = line([0], [0], marker="|", color="#777777", markersize=14)
        artists["ways"] = [axes.plot([0, 0], [0, 1], color=colour, marker="", linewidth=1.5)[0]
                           for colour in [INK] * (len(values) - 1) + [MARK]]
        line(values[:-1], torch.ones(len(values) - 1), marker="o", color=INK)
        line(values[-1:], [1], marker="s", color=MARK)
        axes.annotate(f"{EXAMPLE}", (EXAMPLE, 1.13), ha="center", color=MARK)
        artists["ends"], = line([0], [0], marker="v", color=INK, markersize=5)
        artists["labels"] = [axes.text(0, -0.4, "", ha="center", fontsize=10, clip_on=True)
                             for _ in values[:-1]]
        artists["example"] = axes.text(0, -0.72, "", ha="center", color=MARK, weight="bold")

    figure = kept_figure(paint, (5.2, 2.6))

    @functools.cache
    def measure(bits, unit, scheme):
        rounded = round_weights(model, bits, scheme, unit == "channel")
        error = (rounded.layers[0].weight - weight).abs().max().item()
        return error, accuracy_of(rounded)

    def show(bits, unit, scheme):
        error, accuracy = measure(bits, unit, scheme)
        source = weight[row] if unit == "channel" else weight
        qparams = choose_qparams(source, bits, scheme)
        whole = quantize(values, qparams)
        places = dequantize(whole, qparams)
        steps = (torch.arange(qparams.low, qparams.high + 1) - qparams.zero_point) * qparams.scale
        artists["steps"].set_data(steps, torch.zeros(len(steps)))
        artists["ends"].set_data(places, torch.full((len(places),), 0.12))
        for way, value, place in zip(artists["ways"], values, places, strict=True):
            way.set_data([value, place], [1, 0.12])
        free = -ends  # no label to the left of it: those of many bits would overlap
        for label, place, number in zip(artists["labels"], places, whole, strict=False):
            fits = place >= free
            label.set(x=place, text=f"{int(number)}" if fits else "")
            free = place + 0.12 * ends if fits else free
        artists["example"].set(x=places[-1], text=f"{int(whole[-1])}")
        owner = f"neuron {row}" if unit == "channel" else "the layer"
        return Picture(figure, (
            f"With {bits} bits, {scheme}, a step of {owner} is {qparams.scale.item():.4f}: "
            f"{EXAMPLE} becomes {int(whole[-1])}, which stands for {places[-1].item():.4f}. "
            f"No weight of this layer moves by more than {error:.4f}. With both layers rounded so, "
            f"{accuracy:.1%} of {len(test):,} new digits are right."))

    units = {"tensor": "per tensor", "channel": "per channel"}
    schemes = {"symmetric": "symmetric", "affine": "affine"}
    return Explorer([slider("bits", "Bits", BITS, 3), choice("unit", "Scale", units, "tensor"),
                     choice("scheme", "Scheme", schemes, "symmetric")], show)


def example_row(weight):
    """The row of (out, in) whose largest weight is the least that reaches 0.1234, or the most."""
    largest = weight.amax(1)
    reach = torch.where(largest >= EXAMPLE, largest, torch.inf)
    return int(reach.argmin() if reach.isfinite().any() else largest.argmax())


def spread_out(row):
    """Up to 12 weights of a row (n,), as evenly spread from its smallest to its largest as any.

    Zeros are left out, unless there is nothing else.
    """
    ranked = (row[row != 0] if row.any() else row).unique()  # sorted
    aims = torch.linspace(ranked[0], ranked[-1], SHOWN_WEIGHTS, dtype=torch.float64)
    return ranked[(ranked[:, None] - aims).abs().argmin(0).unique()]


@dataclass(frozen=True)
class Tradeoff:
    """One network: its sparsity, its bits, the bytes of its packed file, its accuracy 0..1."""

    sparsity: float
    bits: int
    bytes: int
    accuracy: float


def measure_tradeoffs(model, train, test, sparsities=ZEROS, bits=BITS):
    """Prune, fine-tune, quantize and pack, for all combinations: a list of `Tradeoff`.

    Where nothing is pruned, nothing is tuned. Accuracy is that of the integer network. The coder
    "order0" packs in milliseconds; "record" takes seconds for each and saves a tenth or two.
    """
    points = []
    for share in sparsities:
        tuned = fine_tune(prune(model, share), train) if share else model
        for count in bits:
            integer = quantize_model(tuned, train, bits=count)
            size, accuracy = len(pack(integer, "order0")), evaluate(integer, test).accuracy
            points.append(Tradeoff(share, count, size, accuracy))
    return points


def pareto_front(points):
    """Those `Tradeoff`s that no other beats, by bytes: none is as small and as good, and better
    in one of the two. Points that are equal in both stay together."""
    front = pareto((point.bytes, -point.accuracy) for point in points)
    return sorted((point for point in points if (point.bytes, -point.accuracy) in front),
                  key=lambda point: point.bytes)


def explore_tradeoff(model, train, test):
    """Zeros and bits -> where your network stands between bytes and accuracy, among all others.

    All combinations are measured first, which takes some seconds; see `measure_tradeoffs`.
    """
    points = measure_tradeoffs(model, train, test)
    front, artists = pareto_front(points), {}
    at = {(point.sparsity, point.bits): point for point in points}

    def paint(axes):
        axes.set_xscale("log")
        axes.plot(*_places(points), linestyle="", marker="o", markersize=4, color="#777777",
                  label="all combinations")
        axes.plot(*_places(front), marker="s", color=INK, label="Pareto front")
        artists["yours"], = axes.plot([1], [50], linestyle="", marker="*", markersize=17,
                                      color=MARK, markeredgecolor="white", label="yours")
        ticks = [tick for tick in (1, 2, 5, 10, 20, 50, 100, 200, 500)
                 if 500 * tick < max(p.bytes for p in points) and
                 2000 * tick > min(p.bytes for p in points)]
        axes.set_xticks(ticks, [f"{tick}" for tick in ticks])
        axes.minorticks_off()
        axes.set(xlabel="packed file, KB", ylabel="test accuracy, %")
        axes.legend(loc="lower right")

    figure = kept_figure(paint, (5.2, 3.4))

    def show(sparsity, bits):
        own = at[sparsity, bits]
        artists["yours"].set_data(*_places([own]))
        verdict = "It lies on the Pareto front: none is as small and as good."
        if own not in front:
            best = next(point for point in front if point.accuracy >= own.accuracy)
            verdict = (f"It is off the Pareto front: {per_cent(best.sparsity)} zeros and "
                       f"{best.bits} bits are as good or better, {best.accuracy:.1%}, in "
                       f"{two_digits(best.bytes / 1000)} KB.")
        return Picture(figure, (
            f"With {per_cent(sparsity)} zeros and {bits} bits the packed file has "
            f"{two_digits(own.bytes / 1000)} KB, and {own.accuracy:.1%} of {len(test):,} new "
            f"digits are right. {verdict}"))

    return Explorer([slider("sparsity", "Zeros", ZEROS, 0.3, per_cent),
                     slider("bits", "Bits", BITS, 8)], show)


def _places(points):
    return ([point.bytes / 1000 for point in points], [100 * point.accuracy for point in points])

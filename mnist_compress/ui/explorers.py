"""Sliders that answer at once: epochs, zeros, bits, and what zeros and bits cost together."""

import gzip
import io
from functools import cache
from typing import NamedTuple

import torch

from ..measure import confidence
from ..model import DigitClassifier
from ..packed import pack
from ..pruning import fine_tune, prune, sparsity
from ..quantization import choose_qparams, dequantize, quantize, quantize_model, round_weights
from ..stages import TEXTBOOK
from ..training import COURSE_SEED, evaluate, fit
from .explorer import Explorer, choice, slider
from .plots import log_scale, pareto
from .tables import two_digits
from .units import BRIGHTEST, ON_WEIGHTS, mosaic, strongest_units
from .waiting import bar

_ZEROS = (0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.98)
_BITS = (2, 3, 4, 5, 6, 7, 8)
_EXAMPLE = 0.1234  # the weight that the course rounds by hand


def _per_cent(fraction):
    return f"{100 * fraction:.0f} %"


def explore_epochs(train, history) -> Explorer:
    """Epochs -> 16 hidden units of the course's network, and the losses up to then.

    history: the `History` of that network. The units are those with the longest rows of weights in
    the end; a pixel is empty if no digit of `train` has ink there.
    """
    weights, empty = _first_weights(train, len(history)), (train.inputs == 0).all(0)
    chosen = strongest_units(weights[-1])
    start = weights[0][chosen].abs()
    losses = {"training digits": [row.train_loss for row in history],
              "validation digits": [row.validation_loss for row in history]}

    def show(axes, epoch):
        left, right = axes
        _show_units(left, weights[epoch][chosen])
        if not right.lines:
            right.plot(range(1, 6), [loss for loss, *_ in TEXTBOOK], "^:", color="#555555",
                       label="textbook")
            for name in losses:
                right.plot([], [], label=name, animated=True)
            right.set(xlabel="epoch", ylabel="loss", xlim=(0, len(history) + 0.3), ylim=(0, 1))
            right.legend(loc="upper right")
        for line, values in zip(right.lines[1:], losses.values(), strict=True):
            line.set_data(range(1, epoch + 1), values[:epoch])
        now = weights[epoch][chosen].abs()
        size = (f"Mean magnitude of these weights: {now[:, ~empty].mean():.3f} at pixels with ink "
                f"(start: {start[:, ~empty].mean():.3f}), {now[:, empty].mean():.3f} at empty "
                f"pixels (start: {start[:, empty].mean():.3f}).")
        if not epoch:
            return f"Before training the weights are random. {size}"
        row, beside = history[epoch - 1], ""
        if epoch <= len(TEXTBOOK):
            beside = f" (textbook: {TEXTBOOK[epoch - 1][0]:.2f})"
        return (f"After epoch {epoch} the loss is {row.train_loss:.2f} on training digits{beside} "
                f"and {row.validation_loss:.2f} on validation digits, of which "
                f"{row.validation_accuracy:.1%} are right. {size}")

    return Explorer([slider("epoch", "Epochs", range(len(history) + 1), len(history))],
                    show, (7, 3.5), ncols=2, width_ratios=(1.1, 1))


def _first_weights(train, epochs):
    """The first layer's weights before the first epoch and after each: as `training.train` does."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(COURSE_SEED)
        model = DigitClassifier().double()
        weight = model.layers[0].weight
        found = [weight.detach().float()]
        fit(model, train, epochs=epochs, batch_size=16, learning_rate=1e-3,
            after_epoch=lambda _: found.append(weight.detach().float()))
    return found


def _show_units(axes, rows):
    """Paint rows of weights (16, 784), on one scale for all sliders and notebooks."""
    picture = mosaic(rows)
    if axes.images:
        return axes.images[0].set(data=picture)
    axes.set_axis_off()
    image = axes.imshow(picture, **ON_WEIGHTS, animated=True)
    axes.figure.colorbar(image, shrink=0.8, ticks=[-BRIGHTEST, 0, BRIGHTEST], extend="both",
                         label="weight")


def explore_pruning(model, train, validation) -> Explorer:
    """Sparsity and scope -> the weights that are left of 16 units, accuracy, bytes of the file.

    The units are those with the longest rows of weights. A pixel is empty if no digit of `train`
    has ink there. The file is what torch.save writes, gzipped: zeros take four bytes each until
    gzip sees them.
    """
    chosen = strongest_units(model.layers[0].weight)
    pair = validation.inputs, validation.labels
    empty = (train.inputs == 0).all(0)

    @cache
    def measure(sparsity, scope):
        pruned = prune(model, sparsity, scope)
        return (pruned.layers[0].weight.detach(), evaluate(pruned, pair).accuracy,
                confidence(pruned, pair), _gzip_bytes(pruned) / 1000)

    def show(axes, sparsity, scope):
        left, right = axes
        weight, accuracy, sure, size = measure(sparsity, scope)
        _, dense, dense_sure, full = measure(0.0, "global")
        _show_units(left, weight[chosen])
        if not right.patches:
            names = ["right", "sure", "file"]
            right.bar(names, [100 * dense, 100 * dense_sure, 100], color="#DDDDDD")
            right.bar(names, 0, color=["C0", "C2", "C1"], animated=True)
            right.set(title="gray: the dense network", ylim=(0, 115), ylabel="%",
                      yticks=[0, 50, 100])
            for name in names:
                right.text(name, 104, "", ha="center", animated=True)
        found = [(accuracy, f"{accuracy:.1%}"), (sure, f"{sure:.1%}"),
                 (size / full, f"{two_digits(size)} KB")]
        for column, text, (height, words) in zip(right.patches[3:], right.texts, found,
                                                 strict=True):
            column.set_height(100 * height)
            text.set_text(words)
        nowhere, inked = (f"{part.count_nonzero():,} of {part.numel():,}"
                          for part in (weight[:, empty], weight[:, ~empty]))
        return (f"At {_per_cent(sparsity)} zeros, {nowhere} weights of empty pixels are left, and "
                f"{inked} of the other pixels. {accuracy:.1%} of {len(pair[1]):,} "
                f"validation digits are right (dense: {dense:.1%}); the mean top probability is "
                f"{sure:.1%} (dense: {dense_sure:.1%}). The gzipped file has about "
                f"{two_digits(size)} KB (dense: {two_digits(full)}).")

    scopes = {"global": "both layers together", "layer": "each layer alone"}
    return Explorer([slider("sparsity", "Zeros", [n / 100 for n in range(100)], 0.9, _per_cent),
                     choice("scope", "Ranked", scopes, "global")], show, (7, 3.5),
                    ncols=2, width_ratios=(1.3, 1))


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
    integers = quantize(values, qparams)
    places = dequantize(integers, qparams).tolist()
    steps = (torch.arange(qparams.low, qparams.high + 1) - qparams.zero_point) * qparams.scale
    axes.set(ylim=(-0.85, 1.35), yticks=[0, 1], yticklabels=["integer", "float"])
    axes.grid(False)
    axes.plot(steps, torch.zeros(len(steps)), "|", color="#777777", markersize=14)
    for value, place in zip(values.tolist(), places, strict=True):
        axes.plot([value, place], [1, 0.12], "o-", color="C0", linewidth=1.5, markersize=5)
    axes.lines[-1].set(color="C1", marker="s")
    axes.text(_EXAMPLE, 1.13, f"{_EXAMPLE}", ha="center", color="C1")
    free, end = axes.get_xlim()  # no label to the left of `free`: those of many bits would overlap
    *others, (integer, place) = zip(integers.tolist(), places, strict=True)
    for label, where in others:
        if where >= free:
            axes.text(where, -0.4, f"{label}", ha="center", fontsize=10, clip_on=True)
            free = where + 0.12 * end
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
    for share in bar(sparsities, "networks"):
        tuned = fine_tune(prune(model, share), train) if share else model
        for count in bits:
            integer = quantize_model(tuned, train, bits=count)
            size = len(pack(integer, "order0"))  # in milliseconds; the best takes seconds
            points.append(_Tradeoff(share, count, size, evaluate(integer, validation).accuracy))
    return points


def explore_tradeoff(points: list) -> Explorer:
    """Zeros and bits -> where one of the `tradeoffs` stands between bytes and accuracy."""
    every = {(point.sparsity, point.bits): point for point in points}
    front = pareto(points, lambda point: (point.bytes, -point.accuracy))

    def show(axes, sparsity, bits):
        own = every[sparsity, bits]
        if not axes.lines:
            axes.plot(*_places(points), "o", markersize=4, color="#777777",
                      label="all combinations")
            axes.plot(*_places(front), "s-", color="C0", label="Pareto front")
            axes.plot(*_places([own]), "*", markersize=17, color="C1", markeredgecolor="white",
                      label="yours")
            log_scale(axes, "x")
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

    shares, counts = (list(dict.fromkeys(each)) for each in zip(*every, strict=True))
    return Explorer([slider("sparsity", "Zeros", shares, shares[0], _per_cent),
                     slider("bits", "Bits", counts, counts[-1])], show)


def _places(points):
    return [point.bytes / 1000 for point in points], [100 * point.accuracy for point in points]

"""The explorers without a page: every sentence against NumPy, every refusal, every picture."""

import copy
import gzip
import io
import re
from itertools import pairwise

import numpy as np
import pytest
import torch

from mnist_compress.packed import unpack
from mnist_compress.pruning import prune
from mnist_compress.training import evaluate, train, trained_model
from mnist_compress.ui import explorers
from mnist_compress.ui.explorers import (
    _BITS,
    explore_epochs,
    explore_pruning,
    explore_quantization,
    explore_tradeoff,
    tradeoffs,
)
from mnist_compress.ui.units import BRIGHTEST, mosaic, strongest_units


@pytest.fixture(scope="module")
def model():
    return trained_model()


@pytest.fixture(scope="module")
def pruning(model, digits, some):
    return explore_pruning(model, digits, some)


@pytest.fixture(scope="module")
def some(test):
    return test[::3]


def layers(model):
    """[(weight, bias), ...] of a model, as NumPy arrays."""
    return [(layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in model.layers]


def logits(weights, digits):
    """The logits, computed with NumPy."""
    (first, low), (second, high) = weights
    hidden = np.maximum(digits.images.reshape(len(digits), -1).numpy() / 255 @ first.T + low, 0)
    return hidden @ second.T + high


def right(weights, digits):
    """The share of right answers."""
    return (logits(weights, digits).argmax(1) == digits.labels.numpy()).mean()


def sure(weights, digits):
    """The mean of the largest probability, in per cent."""
    powers = np.exp(logits(weights, digits))
    return 100 * (powers.max(1) / powers.sum(1)).mean()


def number(text, before, after=""):
    return float(re.search(f"{before}(-?[0-9.]+){after}", text)[1])


@pytest.mark.parametrize("scope", ["global", "layer"])
@pytest.mark.parametrize("sparsity", [0.0, 0.3, 0.77, 0.99])
def test_pruning_says_what_numpy_says(model, digits, some, pruning, sparsity, scope):
    says = str(pruning.set(sparsity=sparsity, scope=scope))
    dense = layers(model)
    flat = np.concatenate([np.abs(weight).ravel() for weight, _ in dense])
    cut = []
    for weight, bias in dense:
        ranked = np.sort(flat if scope == "global" else np.abs(weight).ravel())
        count = round(sparsity * len(ranked))
        limit = ranked[count - 1] if count else -1
        cut.append((np.where(np.abs(weight) <= limit, 0, weight), bias))
    alive = (cut[0][0] != 0).sum(0).reshape(28, 28)
    empty = digits.images.numpy().max(0) == 0
    assert f"At {100 * sparsity:.0f} % zeros, {alive[empty].sum():,} of {128 * empty.sum():,} " \
        f"weights of empty pixels are left, and {alive[~empty].sum():,} of " in says
    assert f"{right(cut, some):.1%} of 1,000 validation digits" in says
    assert f"(dense: {right(dense, some):.1%})" in says
    assert number(says, "top probability is ", "%") == pytest.approx(sure(cut, some), abs=0.051)
    file = io.BytesIO()
    torch.save(prune(model, sparsity, scope).state_dict(), file)
    size, full = len(gzip.compress(file.getvalue())), 1000 * number(says, r"\(dense: ", r"\)\.$")
    assert number(says, "about ", " KB") * 1000 == pytest.approx(size, rel=0.05)
    units, bars = pruning.figure.axes[:2]
    rows = torch.as_tensor(cut[0][0][strongest_units(model.layers[0].weight)])
    assert np.array_equal(units.images[0].get_array().filled(9), np.nan_to_num(mosaic(rows), nan=9))
    assert units.images[0].get_clim() == (-BRIGHTEST, BRIGHTEST)
    heights = [bar.get_height() for bar in bars.patches[3:]]
    assert heights[:2] == pytest.approx([100 * right(cut, some), sure(cut, some)], abs=0.01)
    assert heights[2] == pytest.approx(100 * size / full, rel=0.05)


@pytest.mark.parametrize("scheme", ["symmetric", "affine"])
@pytest.mark.parametrize("unit", ["tensor", "channel"])
@pytest.mark.parametrize("bits", _BITS)
def test_quantization_says_what_numpy_says(model, quantizing, some, bits, unit, scheme):
    says = str(quantizing.set(bits=bits, unit=unit, scheme=scheme))
    row, rounded = int(number(quantizing.figure.axes[0].get_xlabel(), "unit ")), []
    for weight, bias in layers(model):
        weight = weight.astype(np.float64)
        axis = 1 if unit == "channel" else None
        low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
        if scheme == "symmetric":
            scale = np.abs(weight).max(axis, keepdims=True) / high
            zero, low = np.zeros_like(scale), -high
        else:
            top = np.maximum(weight.max(axis, keepdims=True), 0)
            bottom = np.minimum(weight.min(axis, keepdims=True), 0)
            scale = (top - bottom) / (high - low)
            zero = np.clip(low - np.round(bottom / scale), low, high)
        if not rounded:
            one = (scale, zero) if unit == "tensor" else (scale[row], zero[row])
            whole = np.clip(np.round(0.1234 / one[0]) + one[1], low, high).item()
            place = ((whole - one[1]) * one[0]).item()
        integers = np.clip(np.round(weight / scale) + zero, low, high)
        rounded.append(((integers - zero) * scale, bias))
    error = np.abs(rounded[0][0] - layers(model)[0][0]).max()
    owner = f"unit {row}" if unit == "channel" else "the layer"
    assert says.startswith(f"With {bits} bits, {scheme}, a step of {owner} is ")
    assert number(says, " is ", ":") == pytest.approx(one[0].item(), abs=6e-5)
    assert f"0.1234 becomes {whole:.0f}, which stands for" in says
    assert number(says, "stands for ", r"\.") == pytest.approx(place, abs=6e-5)
    assert number(says, "more than ", r"\.") == pytest.approx(error, abs=6e-5)
    assert number(says, "so, ", "%") == pytest.approx(100 * right(rounded, some), abs=0.11)
    zeros = sum((weight == 0).sum() for weight, _ in rounded) / sum(w.size for w, _ in rounded)
    assert number(says, "right, and ", "%") == pytest.approx(100 * zeros, abs=0.51)
    assert quantizing.figure.axes[0].texts[-1].get_text() == f"{whole:.0f}"


@pytest.fixture(scope="module")
def quantizing(model, some):
    return explore_quantization(model, some)


@pytest.mark.parametrize("share", [0, -1])  # all zero; none above zero, with a row of zeros
def test_quantization_of_weights_without_a_positive_one(model, some, share):
    empty = copy.deepcopy(model)
    with torch.no_grad():
        for layer in empty.layers:
            layer.weight.copy_(share * layer.weight.abs())
            layer.weight[0] = 0
    explorer = explore_quantization(empty, some)
    for scheme in ("symmetric", "affine"):
        for unit in ("tensor", "channel"):
            says = str(explorer.set(scheme=scheme, unit=unit, bits=8))
            assert says.startswith(f"With 8 bits, {scheme}, a step of ")
            assert share or "No weight of this layer moves by more than 0.0000." in says


def test_labels_of_many_bits_do_not_overlap(quantizing):
    quantizing.set(bits=8, unit="tensor", scheme="symmetric")
    figure = quantizing.figure
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts[1:-1] if text.get_text()]
    boxes.sort(key=lambda box: box.x0)
    assert len(boxes) > 5
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))


@pytest.fixture(scope="module")
def tradeoff(digits, some):
    return explore_tradeoff(tradeoffs(trained_model(), digits[::5], some, bits=(3, 8)))


def test_the_tradeoffs_are_those_of_packed_files(digits, some, monkeypatch):
    files, pack = [], explorers.pack
    monkeypatch.setattr(explorers, "pack", lambda *args: files.append(pack(*args)) or files[-1])
    points = tradeoffs(trained_model(), digits[::5], some, (0.0, 0.9), (2, 8))
    assert [(p.sparsity, p.bits) for p in points] == [(0.0, 2), (0.0, 8), (0.9, 2), (0.9, 8)]
    for point, data in zip(points, files, strict=True):
        assert point.bytes == len(data)
        again = unpack(data)
        zeros = [np.asarray(layer.weight) == 0 for layer in again.layers]
        share = sum(part.sum() for part in zeros) / sum(part.size for part in zeros)
        assert share >= point.sparsity - 1e-4
        levels = max(np.abs(np.asarray(layer.weight)).max() for layer in again.layers)
        assert levels == 2 ** (point.bits - 1) - 1
        assert 0.1 < point.accuracy <= 1
    from mnist_compress.quantization import quantize_model

    plain = quantize_model(trained_model(), digits[::5])
    assert points[1].accuracy == evaluate(plain, some).accuracy  # where nothing is pruned


def test_the_tradeoff_tells_where_it_stands(tradeoff):
    told = {}
    for sparsity in explorers._ZEROS:
        for bits in (3, 8):
            says = str(tradeoff.set(sparsity=sparsity, bits=bits))
            told[sparsity, bits] = (number(says, "has ", " KB"), number(says, "and ", "%"), says)
            own = tradeoff.figure.axes[0].lines[-1]
            assert own.get_xdata()[0] == pytest.approx(told[sparsity, bits][0], rel=0.06)
            assert own.get_ydata()[0] == pytest.approx(told[sparsity, bits][1], abs=0.06)
    on = [values for values in told.values() if "It lies on the Pareto front" in values[2]]
    off = [values for values in told.values() if "It is off the Pareto front" in values[2]]
    assert len(on) >= 2 and len(off) >= 2 and len(on) + len(off) == len(told)
    for size, share, says in off:
        assert number(says, "better, ", "%") >= share
        assert number(says, "in ", " KB") <= size


def test_epochs_show_the_network_on_its_way(model, digits, some):
    history = train(digits, some)[1]
    explorer = explore_epochs(digits, history)
    units, losses = explorer.figure.axes[:2]
    assert explorer.values == {"epoch": 5}
    assert explorer.set(epoch=0).sentence.startswith("Before training the weights are random. ")
    assert [len(line.get_xdata()) for line in losses.lines] == [5, 0, 0]
    chosen = strongest_units(model.layers[0].weight)
    start = np.nan_to_num(units.images[0].get_array().filled(0))
    assert 0.03 < np.abs(start).max() <= 1 / 28 and units.images[0].get_clim()[1] == BRIGHTEST
    says = str(explorer.set(epoch=5))
    wanted = np.nan_to_num(mosaic(model.layers[0].weight[chosen]), nan=0)
    assert np.array_equal(units.images[0].get_array().filled(0), wanted)
    last = history[-1]
    assert says.startswith(f"After epoch 5 the loss is {last.train_loss:.2f} on training digits "
                           f"(textbook: 0.28) and {last.validation_loss:.2f} on validation digits,"
                           f" of which {last.validation_accuracy:.1%} are right.")
    assert losses.lines[1].get_ydata() == [row.train_loss for row in history]
    empty = digits.images.numpy().max(0).ravel() == 0
    size = np.abs(layers(model)[0][0][chosen])
    assert f"{size[:, ~empty].mean():.3f} at pixels with ink" in says
    assert f"{size[:, empty].mean():.3f} at empty pixels" in says


def test_same_values_same_picture(pruning):
    first = pruning.set(sparsity=0.5, scope="layer").png
    assert pruning.set(sparsity=0.9).png != first
    assert pruning.set(sparsity=0.5).png == first

"""The whole recipe, and the way without training: the networks that come out."""

import math
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import torch

from mnist_compress.compress import compress, compress_once, teach
from mnist_compress.model import DigitClassifier
from mnist_compress.packed import pack, unpack
from mnist_compress.training import evaluate

from . import DEEP, TINY


@pytest.fixture(scope="module", params=[TINY, DEEP], ids=["tied", "deep"])
def made(request, few):
    """(recipe, lesson, network) of a short run."""
    lesson = teach(few, request.param, seed=3)
    return request.param, lesson, compress(lesson, request.param, seed=3)


def same(one, other):
    """Whether two networks of integers hold the same numbers."""
    arrays, others = one.arrays(), other.arrays()
    return (arrays.keys() == others.keys()
            and all(np.array_equal(arrays[name], others[name]) for name in arrays))


def test_who_watches_sees_every_step_and_changes_nothing(made, few):
    recipe, lesson, network = made
    seen = {}

    def watch(things, what, total):
        seen[what] = [total, 0]
        for thing in things:
            seen[what][1] += 1
            yield thing

    again = teach(few, recipe, seed=3, watch=watch)
    assert torch.equal(again.soft, lesson.soft)
    assert same(compress(again, recipe, seed=3, watch=watch), network)
    steps = {"copies": recipe.copies, "teacher": recipe.teacher_steps,
             "pruning": recipe.dense_steps + recipe.prune_steps,
             "rounding": recipe.quantize_steps}
    assert seen == {what: [total, total] for what, total in steps.items()}


def test_the_network_is_small_and_of_the_declared_form(made):
    recipe, _, network = made
    assert network.widths == recipe.widths
    tied = network.layers[0].weight.reshape(-1, 14, 2, 14, 2)
    assert (tied == tied[:, :, :1, :, :1]).all() == recipe.tie
    counts = [np.count_nonzero(layer.weight) for layer in network.layers]
    counts[0] //= 4 if recipe.tie else 1
    assert 0 < sum(counts) <= recipe.weights
    for layer, levels in zip(network.layers, recipe.levels, strict=True):
        magnitudes = np.unique(np.abs(layer.weight))
        assert len(magnitudes) <= levels + 1 and magnitudes.max() == 127  # levels and zero
        assert layer.weight.dtype == np.int8 and layer.bias.dtype == np.int32
    for layer, live in zip(network.layers, recipe.units, strict=False):
        assert not layer.weight[live:].any() and not layer.bias[live:].any()
    for layer in network.layers[:-1]:
        dead = ~layer.weight.any(1)
        assert dead.any() and not layer.bias[dead].any()


def test_scales_and_multipliers_have_seven_bits(made):
    for layer in made[2].layers:
        fraction, _ = math.frexp(layer.scale.item())
        assert fraction * 128 == int(fraction * 128)
        assert layer.multiplier is None or 64 <= layer.multiplier < 128


def test_the_packed_file_holds_the_accumulators_that_numpy_gets(made, test):
    network, pixels = made[2], test.images[:100].flatten(1).numpy()
    values = pixels.astype(object)  # Python's own integers: nothing can overflow
    for layer in unpack(pack(network, reorder=True)).layers:
        values = values @ layer.weight.T.astype(object) + layer.bias.astype(object)
        if layer.shift is not None:
            half = 1 << int(layer.shift) - 1
            values = np.clip(values, 0, None) * int(layer.multiplier) + half
            values = np.minimum(values >> int(layer.shift), 255)
    assert np.array_equal(values.astype(np.int64), network.logits(pixels))


def test_a_seed_repeats_the_network_and_leaves_the_lesson_alone(made, few):
    recipe, lesson, network = made
    before = [part.clone() for part in lesson]
    assert same(compress(teach(few, recipe, seed=3), recipe, seed=3), network)
    assert not same(compress(lesson, recipe, seed=4), network)
    assert all(torch.equal(old, part) for old, part in zip(before, lesson, strict=True))


@pytest.mark.parametrize("name", ["no_grad", "inference_mode", "float64", "float16"])
def test_torchs_settings_change_nothing(made, few, model, name):
    recipe, _, network = made
    once = compress_once(model, few, 3000)
    setting, default = getattr(torch, name), torch.get_default_dtype()
    random = torch.get_rng_state()
    try:
        if isinstance(setting, torch.dtype):
            torch.set_default_dtype(setting)
        with nullcontext() if isinstance(setting, torch.dtype) else setting():
            digits = few[list(range(len(few)))]  # tensors made under that setting
            lesson = teach(digits, recipe, seed=3)
            again = compress(lesson, recipe, seed=3)
            once_again = compress_once(model, digits, 3000)
    finally:
        torch.set_default_dtype(default)
    assert same(again, network) and same(once_again, once)
    assert not lesson.soft.is_inference() and torch.equal(torch.get_rng_state(), random)


def test_too_few_weights_are_an_error(few):
    recipe = replace(TINY, weights=1)
    with pytest.raises(ValueError, match="a layer has no weights left: all 2,352 are 0; keep more"):
        compress(teach(few, recipe), recipe)


def test_compress_once_keeps_the_best_of_brute_force(model, digits):
    network = compress_once(model, digits, 20000, levels=(3, 5))
    inputs = digits.inputs.numpy().astype(float)
    hidden = np.maximum(inputs @ model.layers[0].weight.detach().numpy().T
                        + model.layers[0].bias.detach().numpy(), 0)
    scores = np.concatenate([
        (np.abs(layer.weight.detach().numpy()) * np.sqrt((x**2).mean(0))).ravel()
        for layer, x in zip(model.layers, (inputs, hidden), strict=True)])
    best = np.zeros(scores.size, bool)
    best[np.argsort(-scores)[:20000]] = True
    kept = np.concatenate([layer.weight.ravel() != 0 for layer in network.layers])
    assert (kept != best).mean() < 1e-4  # nearly equal scores may change places
    assert len(np.unique(np.abs(network.layers[0].weight))) == 4


def test_compress_once_loses_little_and_leaves_the_model_alone(model, digits, test):
    before = [parameter.clone() for parameter in model.parameters()]
    small = compress_once(model, digits, 46000)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert len(pack(small, reorder=True)) < 16_300
    assert evaluate(small, test).accuracy > evaluate(model, test).accuracy - 0.012


def test_compress_once_moves_the_mean_of_what_goes_into_the_bias(digits):
    torch.manual_seed(0)
    model = DigitClassifier((784, 30, 10))
    few, before = 4000, [layer.bias.detach().clone() for layer in model.layers]
    small = compress_once(model, digits, few, levels=(127, 127), bias_step=1e-4)
    mean = digits.inputs.double().numpy().mean(0)
    gone = model.layers[0].weight.detach().numpy() * (small.layers[0].weight == 0)
    moved = small.layers[0].bias * small.layers[0].scale / 255 - before[0].numpy()
    assert np.allclose(moved, gone @ mean, atol=0.01 * np.abs(gone @ mean).max())


@pytest.mark.parametrize(("options", "wanted"), [
    ({"weights": 0}, "weights must be a whole number from 1 to 101632; got 0"),
    ({"weights": 0.5}, "weights must be a whole number from 1 to 101632; got 0.5"),
    ({"weights": 200000}, "got 200000"),
    ({"weights": 1}, "a layer has no weights left: all 100,352 are 0; keep more"),
])
def test_compress_once_with_bad_arguments(model, digits, options, wanted):
    with pytest.raises(ValueError, match=wanted):
        compress_once(model, digits, **options)


def test_compress_once_needs_finite_weights_and_the_courses_network(model, digits):
    other = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))
    for wrong in (other, DigitClassifier((196, 10))):
        with pytest.raises(ValueError, match="compress_once needs a DigitClassifier of 784 inputs"):
            compress_once(wrong, digits, 1000)
    with torch.no_grad():
        model.layers[0].weight[0, 0] = math.nan
    with pytest.raises(ValueError, match="must be finite"):
        compress_once(model, digits, 1000)

"""The small convolution: what it learns, and that integers say what training saw."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from mnist_compress.compress import Lesson
from mnist_compress.integer import IntegerNetwork
from mnist_compress.packed import pack, unpack
from mnist_compress.training import evaluate
from tests.unit.packed.test_convolutions import make
from tools.small_convolution import (
    Recipe,
    _Bytes,
    _clean,
    _integer_convolutions,
    _SmallConvolution,
    _sorted,
    compress,
    picture,
    teach,
)

SHORT = Recipe(channels=(4, 6, 8, 8), windows=4.0, mixtures=3.0, answers=3.0, copies=1,
               teacher_epochs=1, float_epochs=8, rounding_epochs=8, settling_epochs=4, batch=50)


@pytest.fixture(scope="module")
def lesson(digits):
    """Labels alone: what a teacher who is always right would say."""
    soft = 6.0 * F.one_hot(digits.labels, 10)
    return Lesson(digits.images.flatten(1), digits.labels, soft)


@pytest.fixture(scope="module")
def network(lesson):
    return compress(lesson, SHORT, seed=1)


def test_it_learns_and_fits_into_a_small_file(network, digits, test):
    assert evaluate(network, test).accuracy > 0.4  # after 400 steps; chance is 0.1
    data = pack(network, reorder=True)
    assert len(data) < 550
    assert np.array_equal(unpack(data).predict(test.images.numpy()),
                          network.predict(test.images.numpy()))


def test_a_seed_gives_the_same_network_whatever_torch_was_set_to(network, lesson):
    torch.manual_seed(99)
    state = torch.random.get_rng_state()
    again = compress(lesson, SHORT, seed=1)
    assert torch.equal(state, torch.random.get_rng_state())
    assert pack(again) == pack(network)


def test_integers_say_what_training_saw(lesson, digits):
    network = _SmallConvolution(SHORT)
    with torch.no_grad():
        for each in network.layers:
            if each.norm:
                each.norm.weight.uniform_(-2, 2)
                each.norm.bias.normal_()
    network.fold(lesson.inputs, torch.arange(len(lesson.inputs)).split(250))
    integers = _integer_convolutions(network.eval())
    with torch.no_grad():
        seen = network(picture(lesson.inputs), 1.0).numpy()
    said = integers.logits(digits.images.numpy()) * integers.logit_scale
    apart = np.abs(seen - said) / np.abs(seen).max()
    assert apart.max() < 0.05
    assert (seen.argmax(1) == said.argmax(1)).mean() > 0.97
    for layer in integers.layers[:-1]:
        if layer.shift is not None:
            assert set(layer.multiplier) <= set(range(8, 16))


def test_the_weights_have_the_size_that_was_asked_for():
    network = _SmallConvolution(Recipe(windows=3.0, mixtures=2.0, answers=1.0))
    for layer, size in zip(network.layers, (3, 3, 2, 3, 2, 3, 2, 1), strict=True):
        assert layer.steps().square().mean().sqrt().item() == pytest.approx(size, rel=1e-5)
        assert torch.equal(layer.rounded(0.0), layer.steps())
        assert torch.equal(layer.rounded(1.0), layer.steps().round())


def test_a_pull_ends_on_the_grid_and_no_weight_is_beyond_the_most():
    network = _SmallConvolution(replace(SHORT, most=5))
    network.layers[-1].folded = True
    for layer in network.layers:
        before = (layer.steps() - layer.rounded()).abs()
        layer.pull(0.5)
        assert layer.rounded().abs().max() <= 5
        if layer.folded:
            after = (layer.steps() - layer.rounded()).abs()
            assert torch.allclose(after, before / 2, atol=1e-5)
        else:  # its size is found anew
            assert (layer.steps() - layer.rounded()).abs().mean() < before.mean()


def test_half_of_a_batch_is_as_it_was_written(lesson):
    index = torch.tensor([5, 1004, 2003, 3002])
    assert _clean(index, lesson, SHORT).tolist() == [5, 4, 2003, 3002]


def test_bytes_round_halves_up_and_pass_gradients_inside():
    values = torch.tensor([-3.0, 0.4, 0.5, 1.5, 254.6, 300.0], requires_grad=True)
    found = _Bytes.apply(values)
    assert found.tolist() == [0, 0, 1, 2, 255, 255]
    found.sum().backward()
    assert values.grad.tolist() == [0, 0, 1, 1, 0, 0]


def test_a_teacher_says_something_of_every_copy(digits):
    recipe = replace(SHORT, copies=2, teacher_epochs=6)
    lesson = teach(digits, recipe, seed=3)
    assert lesson.inputs.shape == (2 * len(digits), 784) and lesson.inputs.dtype == torch.uint8
    assert lesson.soft.shape == (2 * len(digits), 10)
    right = lesson.soft[:len(digits)].argmax(1) == digits.labels
    assert right.float().mean() > 0.9


@pytest.mark.parametrize("seed", range(5))
def test_another_order_of_channels_is_the_same_function(seed):
    network = make(seed)
    layers = _sorted(network.layers)
    pixels = np.random.default_rng(seed).integers(0, 256, (9, network.widths[0]), np.uint8)
    assert np.array_equal(IntegerNetwork(layers).logits(pixels), network.logits(pixels))
    assert (np.diff(layers[0].bias) >= 0).all() and (np.diff(network.layers[0].bias) < 0).any()

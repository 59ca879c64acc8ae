"""Codebooks and grids against brute force, and the integers that come out of them."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_compress.compress import teach
from mnist_compress.compress.codebook import (
    Grid,
    choose_grids,
    fit_codebook,
    integers,
    quantization_aware_train,
)
from mnist_compress.compress.network import forward, random_network

from . import DEEP, TINY, generator


def pruned(widths, seed, density=0.5):
    """A random network with so many of its weights, and with biases."""
    network = []
    for weight, bias in random_network(widths, generator(seed)):
        mask = torch.rand(weight.shape, generator=generator(seed + 1)) < density
        bias = torch.randn(len(bias), generator=generator(seed)) / 4
        network.append((weight * mask, bias))
    return network


def test_shared_magnitudes_are_k_means():
    weight = torch.tensor([[0.1, -0.12, 0.5], [0.52, -0.48, 2.0], [0.0, 0.0, 2.2]])
    assert fit_codebook(weight, 3).tolist() == pytest.approx([0.11, 0.5, 2.1])


def test_more_levels_never_fit_worse():
    weight = torch.randn(40, 30, generator=generator())
    weight = weight * (weight.abs() > 0.3)
    errors = []
    for levels in (1, 2, 3, 5, 9):
        code = fit_codebook(weight, levels)
        assert len(code) == levels and (code.diff() >= 0).all()
        shared = Grid(weight != 0, code, 1.0).round(weight, torch.zeros(40))[0]
        errors.append((shared - weight).square().sum())
    assert errors == sorted(errors, reverse=True)


@given(st.lists(st.floats(-9, 9, width=16), min_size=1, max_size=30), st.integers(1, 5))
def test_a_codebook_lies_within_the_magnitudes(values, levels):
    weight = torch.tensor(values, dtype=torch.float32)
    sizes = weight[weight != 0].abs()
    if len(sizes):
        code = fit_codebook(weight, levels)
        assert code.shape == (levels,) and (code.diff() >= 0).all()
        assert code.min() >= sizes.min() * 0.9999 and code.max() <= sizes.max() * 1.0001
        assert levels > 1 or code.item() == pytest.approx(sizes.double().mean().item(), rel=1e-5)


def test_a_layer_without_weights_is_an_error():
    with pytest.raises(ValueError, match="a layer has no weights left: all 12 are 0; keep more"):
        fit_codebook(torch.zeros(3, 4), 2)


def test_rounding_by_brute_force_with_its_gradients():
    weight = torch.randn(5, 6, generator=generator()).requires_grad_()
    bias = torch.randn(5, generator=generator(3)).requires_grad_()
    mask = torch.rand(5, 6, generator=generator(1)) < 0.7
    code = torch.tensor([0.2, 0.7, 1.9], requires_grad=True)
    grid = Grid(mask, code, 0.01, 5)
    shared, steps = grid.round(weight, bias)
    entries = [0.2, 0.7, 1.9]
    for value, kept, got in zip(weight.flatten().tolist(), mask.flatten().tolist(),
                                shared.flatten().tolist(), strict=True):
        best = min(entries, key=lambda entry, value=value: abs(abs(value) - entry))
        assert got == pytest.approx(math.copysign(best, value) if kept else 0.0)
    step = 1.9 / 127 * 0.01 * 2**5
    assert grid.bias_step == pytest.approx(step)
    for value, got in zip(bias.tolist(), steps.tolist(), strict=True):
        assert got == pytest.approx(round(value / step) * step)
    pull, push = torch.randn(5, 6, generator=generator(2)), torch.randn(5, generator=generator(2))
    ((shared * pull).sum() + (steps * push).sum()).backward()
    assert torch.allclose(weight.grad, pull * mask) and torch.allclose(bias.grad, push)
    for i, entry in enumerate(entries):
        used = mask & ((shared.detach().abs() - entry).abs() < 1e-6)
        wanted = (pull * weight.sign())[used].sum().item()
        assert code.grad[i].item() == pytest.approx(wanted, abs=1e-5)


def test_hidden_values_are_read_as_bytes():
    values = torch.tensor([0.0, 0.0019, 0.0021, 0.5, 1.02, 7.0], requires_grad=True)
    read = Grid(None, None, 0.004).read(values)
    assert read.tolist() == pytest.approx([0, 0, 0.004, 0.5, 1.02, 1.02])
    read.sum().backward()
    assert (values.grad == 1).all()


def test_grids_are_calibrated(few):
    network = pruned((784, 20, 14, 10), 0)
    grids = choose_grids(network, few.inputs, (2, 3, 4), 0.25)
    hidden = forward(network, few.inputs)[1:-1]
    assert grids[0].input_scale == 1 / 255
    for grid, values in zip(grids[1:], hidden, strict=True):
        assert 255 * grid.input_scale == pytest.approx(values.max().item())
    for grid, (weight, _), levels in zip(grids, network, (2, 3, 4), strict=True):
        assert torch.equal(grid.mask, weight != 0)
        assert torch.equal(grid.codebook, fit_codebook(weight, levels))
        assert grid.weight_scale * 127 == pytest.approx(grid.codebook.max().item())
        assert 0.25 / math.sqrt(2) <= grid.bias_step <= 0.25 * math.sqrt(2)


def test_integers_by_hand():
    weight, last = torch.tensor([[0.5, -1.0, 0.0, 2.0]]), torch.tensor([[1.0], [-3.0]])
    grids = [Grid(weight != 0, torch.tensor([0.5, 1.0, 2.0]), 1 / 255, 3),
             Grid(last != 0, torch.tensor([1.0, 3.0]), 0.02, 1)]
    biases = torch.tensor([0.1]), torch.tensor([0.1, -0.2])
    first, second = integers([(weight, biases[0]), (last, biases[1])], grids, (16, 2, 2)).layers
    blocks = np.array([[32, 32, -64, -64], [32, 32, -64, -64], [0, 0, 127, 127], [0, 0, 127, 127]])
    assert np.array_equal(first.weight, [blocks.ravel(), [0] * 16])  # a unit is there in name only
    step = 2 / 127 / 255 * 8  # of the bias
    assert first.bias.tolist() == [4 * 8 * round(0.1 / step), 0]
    assert second.weight.tolist() == [[42, 0], [-127, 0]]
    step = 3 / 127 * 0.02 * 2
    assert second.bias.tolist() == [2 * round(0.1 / step), 2 * round(-0.2 / step)]
    assert first.scale.item() == pytest.approx(2 / 127 / 4, rel=1 / 127)  # of seven bits
    assert second.scale.item() == pytest.approx(3 / 127, rel=1 / 127)
    rescale = first.multiplier.item() / 2.0**first.shift.item()
    assert rescale == pytest.approx(first.scale.item() / 255 / 0.02, rel=1 / 127)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), deep=st.booleans(), levels=st.integers(1, 7))
def test_integers_say_what_the_rounded_network_says(few, seed, deep, levels):
    widths = (784, 20, 14, 10) if deep else (784, 12, 10)
    network = pruned(widths, seed)
    grids = choose_grids(network, few.inputs, [levels] * len(network), 0.25)
    rounded = [grid.round(*layer) for grid, layer in zip(grids, network, strict=True)]
    floats = forward(rounded, few.inputs, lambda values, place: grids[place].read(values))[-1]
    whole = integers(network, grids, (784, 30, *widths[2:]))
    assert whole.widths == (784, 30, *widths[2:])
    answers = torch.from_numpy(whole.logits(few.images.numpy())) * whole.logit_scale
    assert (answers - floats).abs().mean() < 0.03 * floats.std()  # scales have seven bits


@pytest.mark.parametrize("recipe", [TINY, DEEP], ids=["tied", "deep"])
def test_training_with_the_rounding_lowers_its_loss(few, recipe):
    recipe = replace(recipe, quantize_steps=100)
    lesson = teach(few, recipe)
    start = pruned(recipe.student_widths, 5, 0.3)
    before = [(weight.clone(), bias.clone()) for weight, bias in start]

    def loss(network, grids):
        rounded = [grid.round(*layer) for grid, layer in zip(grids, network, strict=True)]
        everything = torch.arange(len(lesson.inputs))
        return lesson.loss(rounded, everything, lambda values, place: grids[place].read(values))

    first = choose_grids(start, lesson.inputs[:500] / 255, recipe.levels, recipe.bias_step)
    network, grids = quantization_aware_train(start, lesson, recipe, generator())
    assert loss(network, grids) < loss(start, first)
    for old, kept, new, grid in zip(before, start, network, grids, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(old, kept, strict=True))
        assert torch.equal(grid.mask, kept[0] != 0) and not grid.codebook.requires_grad
        assert not new[0].requires_grad
    assert not all(torch.equal(a.codebook, b.codebook) for a, b in zip(first, grids, strict=True))

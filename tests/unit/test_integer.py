"""The network of integers against plain int64 arithmetic."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_compress.integer import IntegerLayer, IntegerNetwork, as_fraction, share_2x2, spread_2x2


def make(seed, widths=(6, 5, 4, 3), channels=False, largest=127, bias=1000):
    """A random network of these widths."""
    rng = np.random.default_rng(seed)
    layers = []
    for place, (inputs, units) in enumerate(pairwise(widths)):
        shape = (units,) if channels and place < len(widths) - 2 else ()
        hidden = place < len(widths) - 2
        layers.append(IntegerLayer(
            rng.integers(-largest, largest, (units, inputs), np.int8, endpoint=True),
            rng.integers(-bias, bias, units, np.int32, endpoint=True),
            rng.uniform(0.001, 1, shape).astype(np.float32),
            np.asarray(rng.integers(1, 2**24, shape, np.int32)) if hidden else None,
            np.asarray(rng.integers(1, 64, shape, np.int32)) if hidden else None))
    return IntegerNetwork(layers)


def by_hand(network, pixels):
    """Accumulators and hidden values by Python's own integers, one number at a time."""
    accumulators, hidden, values = [], [], pixels.astype(object)
    for layer in network.layers:
        sums = values @ layer.weight.T.astype(object) + layer.bias.astype(object)
        accumulators.append(sums)
        if layer.shift is not None:
            m, s = (np.broadcast_to(part, sums.shape[1]).astype(object)
                    for part in (layer.multiplier, layer.shift))
            half = np.array([2 ** (int(each) - 1) for each in s], object)
            unit = np.array([2 ** int(each) for each in s], object)
            values = np.minimum((np.maximum(sums, 0) * m + half) // unit, 255)
            hidden.append(values)
    return accumulators, hidden


@given(st.integers(0, 10**6), st.booleans(), st.sampled_from([1000, 2**20, 2**30]))
@settings(deadline=None, max_examples=150)
def test_all_integers_equal_pythons_own(seed, channels, bias):
    network = make(seed, channels=channels, bias=bias)
    pixels = np.random.default_rng(seed).integers(0, 256, (7, 6), np.uint8)
    pixels[0], pixels[1] = 0, 255
    accumulators, hidden = by_hand(network, pixels)
    for got, wanted in zip(network.accumulators(pixels), accumulators, strict=True):
        assert got.dtype == np.int32 and np.array_equal(got, wanted)
    for got, wanted in zip(network.activations(pixels), hidden, strict=True):
        assert got.dtype == np.uint8 and np.array_equal(got, wanted)
    assert np.array_equal(network.logits(pixels), accumulators[-1])
    assert np.array_equal(network.predict(pixels), accumulators[-1].argmax(1))


@given(st.integers(0, 10**6))
@settings(deadline=None, max_examples=50)
def test_no_accumulator_leaves_the_bound_and_one_reaches_it(seed):
    network = make(seed, (6, 5))
    layer, = network.layers
    worst = np.concatenate([255 * (layer.weight > 0), 255 * (layer.weight < 0)]).astype(np.uint8)
    reached = np.abs(network.logits(worst)).max()
    assert reached <= layer.bound
    signs = np.sign(layer.bias.astype(int))
    matched = np.array([255 * (unit * sign >= 0) for unit, sign in
                        zip(layer.weight.astype(int), signs, strict=True)]).astype(np.uint8)
    assert np.abs(network.logits(matched)).max() >= layer.bound - 255 * 127 * 6


@pytest.mark.parametrize("bias", [2**24 - 1 - 255 * 127, 2**24 - 255 * 127, 2**30 + 1])
def test_floats_stay_exact_on_both_sides_of_float32(bias):
    layer = IntegerLayer(np.array([[127], [-127]], np.int8), np.array([bias, -bias], np.int32),
                         np.array(1, np.float32))
    assert layer.bound == bias + 255 * 127
    inputs = np.arange(256, dtype=np.uint8)[:, None]
    wanted = inputs.astype(np.int64) * np.array([127, -127]) + np.array([bias, -bias])
    assert np.array_equal(IntegerNetwork([layer]).logits(inputs), wanted)


def test_pictures_and_flat_pixels_are_the_same():
    network = make(0, (16, 3))
    pixels = np.arange(32, dtype=np.uint8).reshape(2, 4, 4)
    assert np.array_equal(network.logits(pixels), network.logits(pixels.reshape(2, 16)))
    assert network.logits(pixels[:0]).shape == (0, 3)
    for wrong in (pixels.astype(np.int64), pixels[0], pixels[:, 1:], pixels[0, 0]):
        with pytest.raises(ValueError, match="pixels must be uint8, 16 for each of n digits; got "):
            network.logits(wrong)


def test_scales_tell_what_a_number_means():
    network = make(3, channels=False)
    first, second, last = network.layers
    scales = [1 / 255]
    for layer in (first, second):
        scales.append(scales[-1] * float(layer.scale) * 2.0 ** int(layer.shift)
                      / int(layer.multiplier))
    assert network.activation_scales == pytest.approx(scales, rel=1e-12)
    assert network.logit_scale == pytest.approx(scales[-1] * float(last.scale), rel=1e-12)
    assert network.widths == (6, 5, 4, 3)
    assert network.nbytes == 6 * 5 + 5 * 4 + 4 * 3 + 4 * (5 + 4 + 3)


@pytest.mark.parametrize("channels", [False, True])
def test_a_round_trip_through_arrays(channels):
    network = make(1, channels=channels)
    arrays = network.arrays()
    assert list(arrays)[:3] == ["layers.0.weight", "layers.0.bias", "layers.0.scale"]
    assert "layers.2.shift" not in arrays
    pixels = np.random.default_rng(0).integers(0, 256, (9, 6), np.uint8)
    wanted = network.logits(pixels)
    assert network.arrays().keys() == arrays.keys()  # also after it has run
    assert np.array_equal(IntegerNetwork.from_arrays(arrays).logits(pixels), wanted)


@given(st.floats(2.0**-39, 2.0**23, width=32), st.integers(2, 24))
def test_a_fraction_is_the_nearest_of_so_many_bits(value, bits):
    m, s = as_fraction(value, bits)
    assert 0 < m < 2**bits and s <= 63
    off = abs(Fraction(m, 1) / Fraction(2) ** s - Fraction(value))
    assert off <= Fraction(value) / 2 ** (bits - 1)
    if bits == 24:
        assert off == 0  # what float32 holds


def test_a_small_fraction_takes_the_largest_shift():
    assert as_fraction(2.0**-60, most=46) == (1, 46)
    assert as_fraction(0.75, 2) == (3, 2)


def test_shared_weights_go_to_four_pixels():
    weight = np.arange(8, dtype=np.int8).reshape(2, 4)
    assert np.array_equal(spread_2x2(weight)[0].reshape(4, 4), [
        [0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]])
    assert spread_2x2(weight).shape == (2, 16)
    assert np.array_equal(share_2x2(spread_2x2(weight)), weight)


def test_weights_that_differ_within_a_block_are_not_shared():
    weight = np.zeros((1, 16), np.int8)
    weight[0, 5] = 1
    assert share_2x2(weight) is None
    assert share_2x2(np.zeros((1, 9), np.int8)) is None
    assert share_2x2(np.zeros((1, 12), np.int8)) is None

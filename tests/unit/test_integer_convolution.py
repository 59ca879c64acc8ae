"""Convolutions of integers against PyTorch's in float64, and against one number at a time."""

import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from mnist_compress.integer import IntegerConvolution, IntegerLayer, IntegerNetwork

QUIET = settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])


def convolution(rng, inputs, outputs, kernel, *, kind="hidden", largest=15, channels=True, **where):
    """One random layer; kind: "hidden", "linear" (hands on its accumulators) or "last"."""
    shape = (outputs, inputs // where.get("groups", 1), kernel, kernel)
    weight = rng.integers(-largest, largest, shape, np.int8, endpoint=True)
    bias = rng.integers(-3000, 3000, outputs, np.int32, endpoint=True)
    shape = (outputs,) if channels and kind == "hidden" else ()
    rescale = [np.asarray(rng.integers(1, 16, shape, np.int32)),
               np.asarray(rng.integers(4, 12, shape, np.int32))] if kind == "hidden" else []
    scale = np.asarray(rng.uniform(0.01, 1, shape), np.float32)
    return IntegerConvolution(weight, bias, scale, *rescale, **where)


def make(seed, channels=True, largest=15):
    """A small network with all there is: stride, groups, accumulators handed on, pools, a sum."""
    rng = np.random.default_rng(seed)
    side, kernel, stride, few, more = rng.integers([6, 1, 1, 1, 1], [12, 3, 3, 3, 4]).tolist()
    kernel, few, more = 2 * kernel + 1, 2 * few, 2 * more
    both = {"channels": channels, "largest": largest}
    layers = [convolution(rng, 1, few, kernel, side=side, stride=stride, **both)]
    side = layers[0].out_side
    layers.append(convolution(rng, few, few, 3, kind="linear", groups=few, side=side, **both))
    layers.append(convolution(rng, few, more, 1, side=side, pool=2, most=layers[1].bound, **both))
    side = layers[2].out_side
    layers.append(convolution(rng, more, 4, 3, groups=2, side=side, **both))
    layers.append(convolution(rng, 4, 10, 1, kind="last", side=side, pool=0, **both))
    return IntegerNetwork(layers)


def by_torch(network, pixels):
    """Accumulators of each layer, from PyTorch's convolution in float64, and flat values."""
    side = network.layers[0].side
    values, found, handed = torch.as_tensor(pixels).double().view(-1, 1, side, side), [], []
    for layer in network.layers:
        weight, bias = torch.as_tensor(layer.weight).double(), torch.as_tensor(layer.bias).double()
        if layer.pool == 0:
            total = F.conv2d(values, weight, padding=layer.kernel // 2, stride=layer.stride,
                             groups=layer.groups).sum((2, 3)) + bias
        else:
            total = F.conv2d(values, weight, bias, layer.stride, layer.kernel // 2, 1, layer.groups)
        found.append(total.flatten(1).long().numpy())
        values = total
        if layer.shift is not None:
            m, s = (torch.as_tensor(part).double().view(-1, 1, 1)
                    for part in (layer.multiplier, layer.shift))
            values = ((total.relu() * m + 2 ** (s - 1)) / 2**s).floor().clamp(max=255)
            values = F.max_pool2d(values, layer.pool)
        handed.append(values.flatten(1).long().numpy())
    return found, handed


@given(st.integers(0, 10**6), st.booleans(), st.sampled_from([3, 15, 127]))
@QUIET
def test_all_integers_equal_those_of_torch_in_float64(seed, channels, largest):
    network = make(seed, channels, largest)
    pixels = np.random.default_rng(seed).integers(0, 256, (5, network.widths[0]), np.uint8)
    pixels[0], pixels[1] = 0, 255
    found, handed = by_torch(network, pixels)
    for layer, got, wanted in zip(network.layers, network.accumulators(pixels), found, strict=True):
        assert got.dtype == np.int32 and np.array_equal(got, wanted)
        assert np.abs(wanted).max() <= layer.bound
    for layer, got, wanted in zip(network.layers, network.activations(pixels), handed[:-1],
                                  strict=False):
        assert got.dtype == (np.int32 if layer.shift is None else np.uint8)
        assert got.shape[1] == layer.units and np.array_equal(got, wanted)


def test_one_number_at_a_time():
    layer = convolution(np.random.default_rng(1), 4, 6, 3, side=5, stride=2, groups=2)
    picture = np.random.default_rng(2).integers(0, 256, (4, 5, 5))
    total = layer.accumulate(picture.reshape(1, -1).astype(np.uint8)).reshape(6, 3, 3)
    for out in range(6):
        for row in range(3):
            for column in range(3):
                wanted = int(layer.bias[out])
                for channel in range(2):
                    for y in range(3):
                        for x in range(3):
                            r, c = 2 * row + y - 1, 2 * column + x - 1
                            if 0 <= r < 5 and 0 <= c < 5:
                                wanted += (int(layer.weight[out, channel, y, x])
                                           * int(picture[2 * (out // 3) + channel, r, c]))
                assert total[out, row, column] == wanted


def test_many_digits_at_a_time_are_the_same_digits():
    network = make(3)
    pixels = np.random.default_rng(0).integers(0, 256, (600, network.widths[0]), np.uint8)
    alone = np.concatenate([network.logits(pixels[at:at + 1]) for at in (0, 255, 256, 599)])
    assert np.array_equal(network.logits(pixels)[[0, 255, 256, 599]], alone)
    assert network.logits(pixels[:0]).shape == (0, 10)


def test_sums_stay_exact_above_float32():
    layer = IntegerConvolution(np.full((1, 1, 1, 1), 127, np.int8), np.array([2**30 + 1], np.int32),
                               np.array(1, np.float32), side=28, pool=0)
    assert layer.bound == 127 * 255 * 784 + 2**30 + 1
    pixels = np.full((1, 28, 28), 255, np.uint8)
    pixels[0, 0, 0] = 254
    assert IntegerNetwork([layer]).logits(pixels).item() == layer.bound - 127


def test_dense_layers_follow_on_convolutions():
    rng = np.random.default_rng(5)
    first = convolution(rng, 1, 3, 3, side=6, stride=2)
    last = IntegerLayer(rng.integers(-9, 9, (10, 27), np.int8), np.zeros(10, np.int32),
                        np.array(1, np.float32))
    network = IntegerNetwork([first, last])
    pixels = rng.integers(0, 256, (4, 36), np.uint8)
    assert network.widths == (36, 27, 10)
    wanted = network.activations(pixels)[0] @ last.weight.T.astype(int)
    assert np.array_equal(network.logits(pixels), wanted)

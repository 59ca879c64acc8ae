"""Networks and files that the tests of packed files start from."""

import math
import zlib
from itertools import pairwise

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from mnist_compress.integer import IntegerLayer, IntegerNetwork
from mnist_compress.packed import CODECS

QUIET = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def make_layer(rng, inputs, outputs, levels, density, *, last=True, channels=False, big=False):
    """One random layer with weights of the given magnitudes; big: and the largest biases."""
    weight = rng.choice(levels, (outputs, inputs)) * rng.choice([-1, 1], (outputs, inputs))
    weight = (weight * (rng.random((outputs, inputs)) < density)).astype(np.int8)
    top = 2**31 - 1 - 255 * 127 * inputs if big else 500
    bias = rng.integers(-top, top, outputs, endpoint=True).astype(np.int32)
    shape = (outputs,) if channels and not last else ()
    scale = np.array(np.exp(rng.uniform(-20, 10, shape)), np.float32)
    rescale = [] if last else [np.array(rng.integers(1, 1 << 24, shape), np.int32),
                               np.array(rng.integers(1, 64, shape), np.int32)]
    return IntegerLayer(weight, bias, scale, *rescale)


def make_network(seed, widths, levels=(20, 60, 127), density=0.3, **options):
    """A random network of these widths."""
    rng = np.random.default_rng(seed)
    return IntegerNetwork(
        make_layer(rng, *pair, levels, density, last=place == len(widths) - 2, **options)
        for place, pair in enumerate(pairwise(widths)))


def one_layer(weight, bias=None, scale=0.5):
    """The network of one layer of int8 weights (out, in)."""
    weight = np.asarray(weight, np.int8)
    bias = np.zeros(len(weight)) if bias is None else bias
    return IntegerNetwork([IntegerLayer(weight, np.array(bias, np.int32),
                                        np.array(scale, np.float32))])


def share(network):
    """The network with all weights of a 2x2 block of pixels set to the block's first."""
    first, side = network.layers[0].weight, math.isqrt(network.layers[0].weight.shape[1])
    for row in range(side):
        for column in range(side):
            source = (row - row % 2) * side + column - column % 2
            first[:, row * side + column] = first[:, source]
    return network


def receptive_fields(seed=0, units=40):
    """A sparse first layer of smooth patches, as training makes them, and a dense last layer."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:14, 0:14]
    weight = np.zeros((units, 14, 14))
    for unit in weight:
        for _ in range(3):
            r, c = rng.uniform(2, 12, 2)
            unit += rng.choice([-1, 1]) * np.exp(-((y - r) ** 2 + (x - c) ** 2) / 3)
    weight += rng.normal(0, 0.2, weight.shape)
    cut = np.quantile(abs(weight), 0.85)
    levels = np.where(abs(weight) > 1.3 * cut, 127, 60) * (abs(weight) > cut) * np.sign(weight)
    hidden = make_layer(rng, 196, units, (1,), 0, last=False)
    hidden.weight = levels.reshape(units, 196).astype(np.int8)
    hidden.bias = (hidden.bias // 40 * 1024).astype(np.int32)
    return IntegerNetwork([hidden, make_layer(rng, units, 10, (40, 80, 127), 0.7)])


def networks(widths):
    """A hypothesis strategy: random networks of random widths."""
    return st.builds(
        make_network,
        st.integers(0, 2**32 - 1),
        widths,
        st.one_of(
            st.integers(2, 8).map(lambda bits: range(1, 1 << bits - 1)),  # all of 2 to 8 bits
            st.integers(1, 127).map(lambda level: [level]),  # one level: a sign and a mask
            st.lists(st.integers(1, 127), min_size=2, max_size=5),
        ),
        st.sampled_from([0.0, 0.02, 0.3, 0.9, 1.0]),
        channels=st.booleans(),
        big=st.booleans(),
    )


def assert_same(one, other):
    """Fails unless two networks hold the same arrays, to their types and shapes."""
    assert one.widths == other.widths
    for a, b in zip(one.layers, other.layers, strict=True):
        for name in ("weight", "bias", "scale", "multiplier", "shift"):
            x, y = getattr(a, name), getattr(b, name)
            assert (x is None) == (y is None), name
            if x is not None:
                assert type(y) is np.ndarray and y.dtype == x.dtype and y.shape == x.shape, name
                assert np.array_equal(x, y), name


def entropy(*arrays):
    """Order-0 entropy in bytes, each array with its own histogram."""
    bits = 0
    for array in arrays:
        counts = np.unique(array, return_counts=True)[1]
        bits -= (counts * np.log2(counts / counts.sum())).sum()
    return bits / 8


def sealed(body):
    """A file's bytes with their checksum."""
    return body + zlib.crc32(body).to_bytes(4, "little")


def varint(number):
    """Seven bits a byte, lowest first, as the format has it."""
    out = []
    while number > 127:
        out.append(number % 128 + 128)
        number //= 128
    return bytes([*out, number])


def hand_made(widths, codec="dense", flags=0, version=1, pair=65, body=b""):
    """A file by hand: each scale, multiplier and step is one varint, `pair`."""
    number = list(CODECS).index(codec)
    first = bytes([version << 4 | number, flags | len(widths) - 1 << 2])
    pairs = varint(pair) * (3 * (len(widths) - 1) - 1)
    return sealed(b"mc" + first + b"".join(map(varint, widths)) + pairs + body)

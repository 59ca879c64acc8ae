"""Files of convolutions: the same integers come back, and no bytes do harm."""

import random
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_compress.integer import IntegerConvolution, IntegerNetwork
from mnist_compress.packed import PackedFileError, breakdown, pack, unpack
from mnist_compress.packed.header import Port

from .examples import QUIET, entropy, make_network, sealed, varint

FEW = settings(QUIET, max_examples=25)


def layer(rng, inputs, outputs, kernel, kind="hidden", rms=1.5, **where):
    """One random layer, its weights as training makes them; kind: "hidden", "linear" or "last"."""
    shape = (outputs, inputs // where.get("groups", 1), kernel, kernel)
    weight = np.clip(np.rint(rng.normal(0, rms, shape)), -127, 127).astype(np.int8)
    bias = 16 * rng.integers(-60, 60, outputs, np.int32)
    bias = bias * (kind != "linear")
    rescale, scale = [], np.array(1 if kind == "linear" else rng.uniform(0.001, 1), np.float32)
    if kind == "hidden":
        rescale = [rng.integers(4, 8, outputs, np.int32), rng.integers(5, 9, outputs, np.int32)]
        scale = (rescale[0] / 2.0 ** rescale[1]).astype(np.float32)
    return IntegerConvolution(weight, bias, scale, *rescale, **where)


def make(seed, a=4, b=6, c=8, side=12, rms=1.5):
    """Stride, depthwise layers, groups, a pool, a sum."""
    rng = np.random.default_rng(seed)
    layers = [layer(rng, 1, a, 5, side=side, stride=2, rms=rms)]
    layers.append(layer(rng, a, a, 3, "linear", groups=a, side=layers[0].out_side, rms=rms))
    layers.append(layer(rng, a, 2 * b, 1, pool=2, side=layers[1].out_side, most=layers[1].bound))
    layers.append(layer(rng, 2 * b, 2 * c, 3, groups=2, side=layers[2].out_side, rms=rms))
    layers.append(layer(rng, 2 * c, 10, 1, "last", pool=0, side=layers[3].out_side, rms=rms))
    return IntegerNetwork(layers)


def assert_same(one, other):
    assert one.widths == other.widths
    for a, b in zip(one.layers, other.layers, strict=True):
        assert type(a) is type(b)
        for name, part in vars(replace(a)).items():
            found = getattr(b, name)
            if isinstance(part, np.ndarray):
                assert found.dtype == part.dtype and np.array_equal(part, found), name
            else:
                assert part == found, name


@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 5), st.integers(1, 5),
       st.integers(4, 20), st.sampled_from([0, 0.3, 1.5, 60]))
@FEW
def test_the_same_integers_come_back(seed, a, b, c, side, rms):
    network = make(seed, a, b, c, side, rms)
    data = pack(network)
    assert_same(network, unpack(data))
    assert pack(unpack(data)) == data
    parts = breakdown(data)
    assert sum(parts.values()) == len(data) and min(parts.values()) >= 0


def test_the_stream_takes_little_more_than_the_entropy_of_the_weights():
    network = make(0, 16, 16, 16)
    weights = entropy(*(each.weight for each in network.layers))
    parts = breakdown(pack(network))
    taken = sum(parts[name] for name in ("positions", "signs", "magnitudes"))
    assert 0.9 * weights < taken < 1.1 * weights + 30


@given(st.integers(0, 10**6))
@FEW
def test_damaged_files_are_refused_or_read(seed):
    chance = random.Random(seed)
    data = bytearray(pack(make(seed % 7))[:-4])
    for _ in range(chance.randrange(1, 5)):
        data[chance.randrange(2, len(data))] = chance.randrange(256)
    try:
        network = unpack(sealed(bytes(data[:chance.choice([len(data), chance.randrange(3, 99)])])))
    except PackedFileError:
        return
    assert isinstance(network, IntegerNetwork)


def hand_made(side, layers, channels=1, body=b"\xff" * 200):
    """A file by hand: a byte and the numbers that follow it, for each layer."""
    shapes = b"".join(bytes([form]) + b"".join(map(varint, more)) for form, *more in layers)
    return sealed(b"mc\x24" + bytes([len(layers)]) + varint(side) + varint(channels) + shapes
                  + varint(64) + body)


@pytest.mark.parametrize(("data", "text"), [
    (sealed(b"mc\x23\1\x1c\1\0\1\x40" + bytes(9)), "no such codec"),
    (hand_made(28, []), "1 to 63 layers, not 0"),
    (hand_made(0, [(0, 10)]), "too large"),
    (hand_made(1 << 10, [(0, 10)]), "too large"),
    (hand_made(28, [(0, 10)], channels=0), "too large"),
    (hand_made(28, [(0, 0)]), "without channels"),
    (hand_made(28, [(128, 10, 0)]), "without channels"),
    (hand_made(28, [(128, 10, 3)]), "do not divide"),
    (hand_made(28, [(3 << 3, 10)]), "without channels"),
    (hand_made(28, [(0, 1 << 15)]), "32768 units are above the limit"),
    (hand_made(28, [(1 << 3 | 32, 100)]), "78400 units are above the limit"),
    (hand_made(1, [(3, 1 << 14)], channels=99), "weights are above the limit"),
    (hand_made(1, [(8 | 32, 1 << 11), (8 | 32, 1 << 10), (0, 10)]), "lookups are above the limit"),
    (hand_made(28, [(8, 10)]), "pool must be one of"),
    (hand_made(28, [(0, 10)], body=b""), "the file ends too early|too early"),
    (pack(make_network(0, (4, 3, 2)))[:2] + b"\x24", "too early"),
])
def test_bytes_that_are_no_network(data, text):
    with pytest.raises(PackedFileError, match=text):
        unpack(data)


def test_no_file_takes_long():
    noise = random.Random(0).randbytes(1 << 19)
    most = Port.LIMITS["lookups"]
    side = hand_made(1, [(8 | 32, 1000), (8 | 32, most // 1000 - 9), (0, 1)], body=noise)
    start = time.process_time()
    with pytest.raises(PackedFileError, match="lookups"):
        unpack(side)
    assert time.process_time() - start < 60  # a limit, not a measurement


def test_networks_that_have_no_place_in_a_file():
    network = make(0)
    with pytest.raises(ValueError, match="'context_mixing' alone; got 'dense'"):
        pack(network, "dense")
    network.layers[0].scale = network.layers[0].scale * 2
    with pytest.raises(ValueError, match="layer 0: scale must be multiplier / 2"):
        pack(network)
    network = make(0)
    network.layers[0] = layer(np.random.default_rng(0), 1, 4, 9, side=12, stride=2)
    with pytest.raises(ValueError, match="kernels to 7"):
        pack(network)

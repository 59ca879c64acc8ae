"""The smallest format: what it sees, the arithmetic coder, the mixer, and their limits."""

import ast
import hashlib
import lzma
import math
import random
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from mnist_compress.integer import IntegerLayer
from mnist_compress.packed import PackedFileError, breakdown, context_mixing, pack, unpack
from mnist_compress.packed.header import Port

from .examples import (
    assert_same,
    entropy,
    hand_made,
    make_network,
    one_layer,
    receptive_fields,
    sealed,
)


def mixer(coder):
    """A mixer without limits."""
    return context_mixing._Mixer(coder, Counter())


def test_nothing_costs_nothing():
    network = make_network(1, (784, 300, 100, 10), density=0)
    for layer in network.layers:
        layer.bias[:], layer.scale = 0, np.array(0.5, np.float32)
        if layer.shift is not None:
            layer.multiplier, layer.shift = np.array(1, np.int32), np.array(9, np.int32)
    assert len(pack(network)) < 35


def test_noise_costs_its_entropy():
    network = make_network(8, (120, 100, 30), [9, 40, 127], 0.4)
    for layer in network.layers:
        layer.bias[:] = 0
    floor = entropy(*(layer.weight for layer in network.layers))
    assert floor < len(pack(network)) < 1.02 * floor + 30


def test_structure_is_seen():
    network = receptive_fields()
    data, order0 = pack(network, reorder=True), pack(network, "order0")
    plain = b"".join(layer.weight.tobytes() for layer in network.layers)
    assert len(data) < 0.85 * entropy(*(layer.weight for layer in network.layers))
    assert len(data) < 0.75 * len(order0)
    assert len(data) < 0.75 * min(len(zlib.compress(plain, 9)), len(lzma.compress(plain)))
    shuffled, rng = receptive_fields(), np.random.default_rng(0)
    for layer in shuffled.layers:
        layer.weight = rng.permuted(layer.weight.reshape(-1)).reshape(layer.weight.shape)
    assert len(data) < 0.85 * len(pack(shuffled, reorder=True))


def test_the_same_bytes_for_a_long_stream():
    """Fixed, where columns are full, counters at their end and bits nearly certain."""
    place = np.arange(150 * 100).reshape(150, 100)
    network = one_layer((place % 7 < 5) * (place < 5000) * (place % 127 + 1), scale=1)
    data = pack(network)
    assert_same(network, unpack(data))
    assert hashlib.sha256(data).hexdigest()[:16] == "c4fe4e4651519f3a"


def test_units_and_inputs_that_are_not_used_cost_nothing():
    def size(network):
        return len(pack(network)) - breakdown(pack(network))["biases"]

    network = make_network(2, (30, 40, 10), density=0.5)
    before = size(network)
    network.layers[0].weight[20:], network.layers[0].bias[20:] = 0, 0
    network.layers[1].weight[:, 20:] = 0
    assert_same(network, unpack(pack(network)))
    half = make_network(2, (30, 20, 10), density=0.5)
    for place, part in enumerate((np.s_[:20], np.s_[:, :20])):
        half.layers[place].weight = network.layers[place].weight[part]
    assert before / 2 < size(network) < size(half) + 10


def test_the_decoder_computes_no_floats():
    """But for the count of bits that `breakdown` shows."""
    source = Path(context_mixing.__file__).read_text()
    for node in ast.walk(ast.parse(source)):
        assert not isinstance(node, ast.Div)
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float))


def test_the_tables_are_the_logistic_function_and_its_inverse():
    edge = context_mixing._EDGE
    for x in range(-edge, edge + 1):
        exact = 65536 / (1 + math.exp(-x / 256))
        assert abs(context_mixing._SQUASH[x + edge] - exact) < 1.5
    assert 0 < context_mixing._SQUASH[0] and context_mixing._SQUASH[-1] < 65536
    for p in range(4, 4093):
        exact = 256 * math.log((p + 0.5) / (4096 - p - 0.5))
        assert abs(context_mixing._STRETCH[p] - exact) < 2 + 0.01 * abs(exact)


@pytest.mark.parametrize("seed", range(30))
def test_the_arithmetic_coder_is_exact_and_tight(seed):
    chance, write, ideal = random.Random(seed), context_mixing._Encoder(), 0
    skew = chance.choice([0.5, 0.02, 0.98])
    script = []
    for _ in range(chance.choice([0, 1, 7, 3000])):
        p = min(max(int(65536 * chance.betavariate(5 * skew, 5 * (1 - skew))), 2), 65534)
        script.append((p, int(chance.random() < (p / 65536 if seed % 3 else 0.5))))
    for p, truth in script:
        assert write(p, truth) == truth
        ideal -= math.log2((p if truth else 65536 - p) / 65536)
    data = write.finish()
    assert script or data == b""
    read = context_mixing._decoder(data)
    assert [read(p) for p, _ in script] == [truth for _, truth in script]
    assert len(data) <= ideal / 8 * 1.001 + 2


def exact(script):
    """The interval of all numbers 0..1 that mean these bits, in Python's own integers."""
    low, span, unit = 0, 0xFFFFFFFF, 1 << 32
    for p, truth in script:
        part = span * p >> 16
        low, span = (low, part) if truth else (low + part, span - part)
        while span < 1 << 24:
            low, span, unit = low << 8, span << 8, unit << 8
    return low, span, unit


@pytest.mark.parametrize("seed", range(40))
def test_the_stream_is_the_shortest_number_in_the_exact_interval(seed):
    chance, write = random.Random(seed), context_mixing._Encoder()
    script = [(chance.choice([2, 300, 32768, 65000, 65534]), chance.randrange(2))
              for _ in range(chance.choice([0, 1, 2, 5, 40, 400]))]
    for p, truth in script:
        write(p, truth)
    data, (low, span, unit) = write.finish(), exact(script)
    size = unit.bit_length() // 8  # bytes of a number of full length
    assert low <= int.from_bytes(data.ljust(size, b"\0"), "big") < low + span
    assert len(data) <= size
    if data and len(data) > size - 4:  # no shorter one, or it ends before the last four bytes
        step = 1 << 8 * (size - len(data) + 1)
        assert -(-low // step) * step >= low + span


@pytest.mark.parametrize("low", [0xFFFFFFFF, (1 << 32) - 32768 * 512])
def test_a_carry_runs_through_bytes_of_255(low):
    write = context_mixing._Encoder()
    write.out, write.low, write.span = [7, 255, 255], low, 1 << 25
    write(32768, 0)
    assert len(write.out) == 3  # a span of 2**24 is large enough
    assert write.finish()[:3] == bytes([8, 0, 0])


def test_the_end_of_the_span_is_outside_of_it():
    write = context_mixing._Encoder()
    write.low, write.span = 1, 0xFFFFFFFF  # up to 2**32, which no byte would name
    assert write.finish() == bytes([1])


@pytest.mark.parametrize("most", [0, 1, 2, 3, 6, 126, 1 << 32])
def test_numbers_of_any_size_are_coded(most):
    numbers = sorted({0, most, most // 2, min(5, most), min(127, most), max(most - 1, 0)}) * 3
    write = context_mixing._Encoder()
    mixing = mixer(write)
    for number in numbers:
        assert mixing.number(1, [0, 5], most, number) == number
    mixing = mixer(context_mixing._decoder(write.finish()))
    assert [mixing.number(1, [0, 5], most) for _ in numbers] == numbers


def test_a_stream_with_numbers_out_of_range_is_rejected(monkeypatch):
    layer = IntegerLayer(np.ones((1, 1), np.int8), np.array([1 << 31]), np.array(1, np.float32))
    number, port = context_mixing._Encoder(), Port()
    with monkeypatch.context() as unchecked:
        unchecked.setattr(context_mixing, "check", lambda condition, problem: None)
        mixer(number).number(1, [0], 4, 6)
        context_mixing.mix(port, [layer])
    with pytest.raises(PackedFileError, match="a number in the stream"):
        mixer(context_mixing._decoder(number.finish())).number(1, [0], 4)
    with pytest.raises(PackedFileError, match="a bias is out of range"):
        unpack(hand_made((1, 1), "context_mixing", body=bytes(port.out[2:])))


@pytest.mark.parametrize("seed", range(10))
def test_a_stream_that_ends_too_early_is_rejected(seed):
    data = pack(make_network(seed, (40, 20), density=0.5))
    with pytest.raises(PackedFileError, match=r"the stream ends too early|out of range"):
        unpack(sealed(data[:len(data) // 2]))


def test_no_integer_of_the_mixer_outgrows_javascript():
    mixing = mixer(lambda p, truth: int(p < 32768))  # always the less likely bit
    for turn in range(20000):
        mixing.bit(1, [0, turn % 3, turn % 5, turn % 7, turn % 11])
        assert 6 * max(map(abs, mixing.weights[1])) * context_mixing._EDGE < 2**53
    assert len(mixing.counters[1]) == 5
    assert all(0 <= chance < 1 << 22 and 0 < seen <= 1000 for table in mixing.counters[1]
               for chance, seen in table.values())


@pytest.mark.parametrize("network", [
    one_layer(np.zeros((300, 1)), np.arange(300) * 2**22 - 2**29),  # biases
    one_layer(np.ones((40, 60))),  # signs, and the votes on them
    one_layer(np.arange(1200).reshape(12, 100) % 127 + 1),  # a picture of all magnitudes
    make_network(1, [9] * 12, range(1, 128), 1.0)], ids=["biases", "signs", "picture", "layers"])
def test_what_takes_time_counts_as_lookups(network, monkeypatch):
    made, create = [], context_mixing._Mixer.__init__

    def kept(self, *args):
        create(self, *args)
        made.append(self)

    monkeypatch.setattr(context_mixing._Mixer, "__init__", kept)
    data = pack(network)
    needed, bits = made[0].lookups, made[0].shares.total()
    assert needed > 2 * bits  # a bit of the stream is at most one that was asked for
    monkeypatch.setitem(Port.LIMITS, "lookups", needed)
    assert_same(network, unpack(data))
    monkeypatch.setitem(Port.LIMITS, "lookups", needed - 1)
    with pytest.raises(PackedFileError, match=f"more than {needed - 1} lookups; trusted=True"):
        unpack(data)
    assert_same(network, unpack(data, trusted=True))

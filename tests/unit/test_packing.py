"""The packed file: every format gives back the very integers, and each byte is accounted for."""

import ast
import hashlib
import itertools
import lzma
import math
import random
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mnist_compress.packing import sort_units

from mnist_compress import packed
from mnist_compress.model import DigitClassifier
from mnist_compress.packed import context_mixing, header
from mnist_compress.packed.breakdown import breakdown
from mnist_compress.packed.file import load_packed, pack, save_packed, unpack
from mnist_compress.packed.header import CODERS, PackedFileError, PackedLayer, PackedNetwork

QUIET = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def make_layer(rng, inputs, outputs, levels, density, *, last=True, channels=False, big=False):
    """One random PackedLayer with weights of the given magnitudes."""
    weight = rng.choice(levels, (outputs, inputs)) * rng.choice([-1, 1], (outputs, inputs))
    weight = (weight * (rng.random((outputs, inputs)) < density)).astype(np.int8)
    top = 2**31 - 1 if big else 500
    bias = rng.integers(-top - big, top, outputs, endpoint=True).astype(np.int32)
    shape = (outputs,) if channels and not last else ()
    scale = np.exp(rng.uniform(-20, 10, shape)).astype(np.float32)
    if last:
        return PackedLayer(weight, bias, scale)
    multiplier = rng.integers(1, 1 << 24, shape).astype(np.int32)
    return PackedLayer(weight, bias, scale, multiplier, rng.integers(1, 64, shape).astype(np.int32))


def make_network(seed, widths, levels=(20, 60, 127), density=0.3, **options):
    rng = np.random.default_rng(seed)
    pairs = list(itertools.pairwise(widths))
    return PackedNetwork([
        make_layer(rng, *pair, levels, density, last=place == len(pairs) - 1, **options)
        for place, pair in enumerate(pairs)
    ])


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
    return PackedNetwork([hidden, make_layer(rng, units, 10, (40, 80, 127), 0.7)])


def assert_same(one, other):
    assert len(one.layers) == len(other.layers)
    for a, b in zip(one.layers, other.layers, strict=True):
        for name in ("weight", "bias", "scale", "multiplier", "shift"):
            x, y = getattr(a, name), getattr(b, name)
            assert (x is None) == (y is None), name
            if x is not None:
                assert np.asarray(y).dtype == np.asarray(x).dtype, name
                assert np.asarray(y).shape == np.asarray(x).shape, name
                assert np.array_equal(x, y), name


def logits(network, pixels):
    """What the integer classifier of the design computes. pixels: uint8 (n, inputs) -> int64."""
    values = pixels.astype(np.int64)
    for layer in network.layers:
        values = values @ layer.weight.T.astype(np.int64) + layer.bias
        if layer.shift is not None:
            shift = layer.shift.astype(np.int64)
            values = np.maximum(values, 0) * layer.multiplier + (1 << shift - 1) >> shift
            values = np.minimum(values, 255)
    return values


networks = st.builds(
    make_network,
    st.integers(0, 2**32 - 1),
    st.one_of(
        st.lists(st.integers(1, 20), min_size=2, max_size=5),
        st.tuples(st.sampled_from([4, 9, 16, 36, 300]), st.integers(1, 9), st.integers(1, 4)),
    ),
    st.one_of(
        st.integers(2, 8).map(lambda bits: range(1, 1 << bits - 1)),  # all levels of 2 to 8 bits
        st.integers(1, 127).map(lambda level: [level]),  # one level: a sign and a mask
        st.lists(st.integers(1, 127), min_size=2, max_size=5),
    ),
    st.sampled_from([0.0, 0.02, 0.3, 0.9, 1.0]),
    channels=st.booleans(),
    big=st.booleans(),
)


@pytest.mark.parametrize("coder", CODERS)
@given(network=networks)
@QUIET
def test_every_integer_comes_back_and_every_byte_is_accounted_for(coder, network):
    data = pack(network, coder)
    assert_same(network, unpack(data))
    sizes = breakdown(data)
    assert tuple(sizes) == packed.LABELS
    assert min(sizes.values()) >= 0 and sum(sizes.values()) == len(data)


@pytest.mark.parametrize("coder", CODERS)
@pytest.mark.parametrize("density", [0, 1])
def test_extreme_layers_come_back(coder, density):
    network = make_network(1, (784, 12, 10), [127], density)
    assert_same(network, unpack(pack(network, coder)))
    for layer in network.layers:
        layer.bias[:] = 0
    empty = pack(network, coder)
    assert_same(network, unpack(empty))
    assert breakdown(empty)["biases"] <= 4


def test_nothing_costs_nothing_in_the_record_format():
    network = make_network(1, (784, 300, 100, 10), density=0)
    for layer in network.layers:
        layer.bias[:], layer.scale = 0, np.array(0.5, np.float32)
        if layer.shift is not None:
            layer.multiplier, layer.shift = np.array(1, np.int32), np.array(9, np.int32)
    assert len(pack(network)) < 35


@pytest.mark.parametrize("coder", CODERS)
def test_chunks_of_the_order0_coder_join(coder, monkeypatch):
    monkeypatch.setattr("mnist_compress.packed.range_coder.CHUNK", 100)
    network = make_network(5, (33, 30, 7), range(1, 128), 0.6)
    assert_same(network, unpack(pack(network, coder)))


@pytest.mark.parametrize("coder", CODERS)
def test_shared_weights_are_stored_once(coder):
    network = share(make_network(2, (784, 30, 10), density=0.2))
    data, full = pack(network, coder), pack(network, coder, share=False)
    assert_same(network, unpack(data))
    assert_same(network, unpack(full))
    assert len(data) < 0.5 * len(full)
    network.layers[0].weight[3, 29] ^= 1  # one pixel of one block
    almost = pack(network, coder)
    assert_same(network, unpack(almost))
    assert len(almost) >= len(full) - 8


def test_sorting_units_keeps_the_function_and_makes_biases_cheap():
    network = receptive_fields(units=60)
    pixels = np.random.default_rng(0).integers(0, 256, (50, 196), dtype=np.uint8)
    for channels in (False, True):
        ordered = sort_units(make_network(4, (196, 20, 15, 10), density=0.3, channels=channels))
        again = make_network(4, (196, 20, 15, 10), density=0.3, channels=channels)
        assert np.array_equal(logits(ordered, pixels), logits(again, pixels))
        assert (np.diff(ordered.layers[0].bias) >= 0).all()
        assert not np.array_equal(ordered.layers[0].weight, again.layers[0].weight)
    plain, sorted_ = pack(network), pack(network, reorder=True)
    assert np.array_equal(logits(unpack(sorted_), pixels), logits(network, pixels))
    assert breakdown(sorted_)["biases"] < 0.5 * breakdown(plain)["biases"]
    assert len(sorted_) < len(plain)


def crc32(data):
    """CRC-32 (IEEE 802.3) bit by bit."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xEDB88320 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


@pytest.mark.parametrize("number, coder", list(enumerate(CODERS)))
def test_header_fields_are_where_the_format_says(number, coder):
    network = make_network(3, (784, 128, 10))
    network.layers[0].scale = np.array(77 / 2**13, np.float32)
    network.layers[0].multiplier = np.array(200, np.int32)
    network.layers[0].shift = np.array(17, np.int32)
    network.layers[1].scale = np.array(2**-6, np.float32)
    network.layers[0].bias = np.arange(128, dtype=np.int32) * 1024
    network.layers[1].bias = np.arange(10, dtype=np.int32) * 3000
    data = pack(network, coder)
    assert data[:2] == b"mc" and data[2] == 16 + number and data[3] == 2 << 2
    assert data[4:9] == bytes([784 % 128 + 128, 784 // 128, 128, 1, 10])
    first = [77 * 64 + 13, 200 * 64 + 17]
    assert data[9:13] == b"".join(bytes([v % 128 + 128, v // 128]) for v in first)
    assert data[13:14] == bytes([1 * 64 + 10])  # biases are multiples of 1 * 2**10
    assert data[14:15] == bytes([1 * 64 + 6])  # 1 / 2**6
    assert data[15:18] == bytes([(375 * 64 + 3) % 128 + 128, (375 * 64 >> 7) % 128 + 128, 1])
    assert int.from_bytes(data[-4:], "little") == crc32(data[:-4])
    if coder == "dense":
        weights = network.layers[0].weight.tobytes()
        assert data[18] == 1 and data[19:19 + 128] == bytes(range(128))
        assert data[147:147 + len(weights)] == weights
    tied = pack(share(network), coder)
    assert tied[3] == 2 << 2 | 1


def test_breakdown_refuses_files_that_pack_would_not_write():
    network = make_network(3, (9, 2), [1], 0.5)
    network.layers[0].bias[:] = 0
    data = pack(network, "dense")
    place = data.rindex(bytes([0]), 0, len(data) - 4 - 18)  # the size of the biases: none
    wide = data[:place] + b"\1\0\0" + data[place + 1:-4]
    assert_same(network, unpack(sealed(wide)))
    with pytest.raises(PackedFileError, match="other bytes"):
        breakdown(sealed(wide))


def test_sizes_of_simple_formats_are_what_they_say():
    network = make_network(6, (200, 50), [3, 7, 90], 0.2)
    nonzero = np.count_nonzero(network.layers[0].weight)
    values = math.ceil(nonzero / 8) * 2 + 4  # two bit planes, the number of levels and three levels
    sizes = {coder: breakdown(pack(network, coder)) for coder in CODERS}
    assert sizes["dense"]["signs"] + sizes["dense"]["magnitudes"] == 200 * 50
    assert sizes["bitmask"]["positions"] == 200 * 50 / 8
    assert sizes["csr"]["positions"] == 50 + nonzero
    for coder in ("bitmask", "csr"):
        assert sizes[coder]["signs"] == math.ceil(nonzero / 8)
        assert sizes[coder]["magnitudes"] == values
    wide = make_network(6, (256, 5), [3], 0.5)
    nonzero = np.count_nonzero(wide.layers[0].weight)
    assert breakdown(pack(wide, "csr"))["positions"] == 2 * (5 + nonzero)


def entropy(*arrays):
    """Order-0 entropy in bytes, each array with its own histogram."""
    bits = 0
    for array in arrays:
        counts = np.unique(array, return_counts=True)[1]
        bits -= (counts * np.log2(counts / counts.sum())).sum()
    return bits / 8


def test_noise_costs_its_entropy():
    network = make_network(8, (120, 100, 80), [9, 40, 127], 0.4)
    for layer in network.layers:
        layer.bias[:] = 0
    floor = entropy(*(layer.weight for layer in network.layers))
    assert floor < len(pack(network, "order0")) < 1.01 * floor + 120
    assert floor < len(pack(network, "record")) < 1.02 * floor + 30
    sizes, counts = breakdown(pack(network, "order0")), np.zeros(3)
    for layer in network.layers:
        used = layer.weight != 0
        counts += entropy(used), used.sum() / 8, entropy(abs(layer.weight[used]))
    for label, expected in zip(("positions", "signs", "magnitudes"), counts, strict=True):
        assert abs(sizes[label] - expected) < 0.02 * expected + 40, label


def test_the_record_coder_sees_structure():
    network = receptive_fields()
    record, order0 = pack(network, reorder=True), pack(network, "order0")
    plain = b"".join(layer.weight.tobytes() for layer in network.layers)
    assert len(record) < 0.85 * entropy(*(layer.weight for layer in network.layers))
    assert len(record) < 0.75 * len(order0)
    assert len(record) < 0.75 * min(len(zlib.compress(plain, 9)), len(lzma.compress(plain)))
    shuffled = receptive_fields()
    rng = np.random.default_rng(0)
    for layer in shuffled.layers:
        layer.weight = rng.permuted(layer.weight.reshape(-1)).reshape(layer.weight.shape)
    assert len(record) < 0.85 * len(pack(shuffled, reorder=True))


def test_the_same_bytes_on_every_machine():
    """Fixed files: if one changes, files already written can no longer be read."""
    levels, layers = np.array([0, 0, 20, 0, -60, 0, 0, 0, 127, 0, -20, 0, 0], np.int8), []
    for inputs, outputs in ((64, 9), (9, 5)):
        place = np.arange(inputs * outputs).reshape(outputs, inputs)
        bias = (np.arange(outputs) * 37 % 11 * 96).astype(np.int32)
        layers.append(PackedLayer(levels[place**2 // 7 % 13], bias, np.array(0.037, np.float32)))
    layers[0].multiplier, layers[0].shift = np.array(12345, np.int32), np.array(21, np.int32)
    network = share(PackedNetwork(layers))
    found = {coder: hashlib.sha256(pack(network, coder)).hexdigest()[:16] for coder in CODERS}
    assert found == {
        "dense": "06c3135bf57698a1",
        "bitmask": "d629badd7aff2922",
        "csr": "71eac7cd2f148b62",
        "order0": "d29a9ca57c08dd59",
        "record": "8153cf285ea9060b",
    }


def test_the_same_bytes_for_a_long_stream():
    """As above, where columns are full, counters at their end and bits nearly certain."""
    place = np.arange(150 * 100).reshape(150, 100)
    weight = ((place % 7 < 5) * (place < 5000) * (place % 127 + 1)).astype(np.int8)
    layer = PackedLayer(weight, np.zeros(150, np.int32), np.array(1, np.float32))
    data = pack(PackedNetwork([layer]))
    assert_same(PackedNetwork([layer]), unpack(data))
    assert hashlib.sha256(data).hexdigest()[:16] == "c4fe4e4651519f3a"


def test_rare_weights_keep_a_frequency():
    counts = np.zeros(256, np.int64)
    counts[[0, 7, 255]] = 10**8, 1, 2
    assert packed.frequencies(counts)[[0, 7, 255]].tolist() == [65534, 1, 1]


def test_files_are_saved_and_loaded(tmp_path):
    network, path = make_network(9, (784, 20, 10)), tmp_path / "digits.mc"
    assert save_packed(network, path, "order0") == path.stat().st_size
    assert_same(network, load_packed(path))
    path.write_bytes(bytes(16 * 100 + 4097))
    with pytest.raises(PackedFileError, match="5697 bytes are too many for 100 weights"):
        load_packed(path, max_weights=100)


# --- damage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("coder", CODERS)
def test_every_flipped_bit_and_every_missing_end_is_rejected(coder):
    data = pack(make_network(10, (9, 4, 3), [50, 127], 0.5), coder)
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(PackedFileError):
            unpack(bytes(damaged))
    for size in range(len(data)):
        with pytest.raises(PackedFileError):
            unpack(data[:size])
    with pytest.raises(PackedFileError):
        unpack(data + b"\0")


def sealed(body):
    return body + zlib.crc32(body).to_bytes(4, "little")


def hand_made_header(widths, coder="dense", flags=0, version=1, pair=65):
    """A hand-made header: each scale, multiplier and step is one varint, `pair`."""
    first = bytes([version << 4 | CODERS.index(coder), flags | len(widths) - 1 << 2])
    shapes = b"".join(header.varint(width) for width in widths)
    return b"mc" + first + shapes + bytes([pair] * (3 * (len(widths) - 1) - 1))


@pytest.mark.parametrize("data, problem", [
    (b"PK" + bytes(20), "must start with 'mc'"),
    (b"", "must start with 'mc'"),
    (b"mc", "ends too early"),
    (hand_made_header((4, 2)) + bytes(20), "checksum"),
    (sealed(hand_made_header((4, 2), version=2)), "format version 2, this reader knows 1"),
    (sealed(b"mc\x1f\x04" + bytes(9)), "unknown coder 15"),
    (sealed(b"mc\x10\x00\x05\x05\x05"), "without units"),
    (sealed(hand_made_header((4, 0))), "without units"),
    (sealed(hand_made_header((1 << 20, 1 << 20))), "1099511627776 weights are above the limit of 268435456"),
    (sealed(hand_made_header((1 << 10, 1 << 10), "record")), "above the limit of 524288"),
    (sealed(hand_made_header((1, 1 << 21))), "more than 1048576 units"),
    (sealed(hand_made_header((9, 2), flags=1)), "square picture"),
    (sealed(hand_made_header((8, 2), flags=1)), "square picture"),
    (sealed(hand_made_header((4, 2), pair=5)), "out of range"),
    (sealed(hand_made_header((4, 3, 2), pair=64)), "shift of zero"),
    (sealed(hand_made_header((4, 2), pair=64 + 35)), "a step of the biases is out of range"),
    (sealed(hand_made_header((4, 2)) + b"\xff" * 9), "biases of 255 bytes"),
    (sealed(hand_made_header((4, 2)) + b"\0" + bytes(7)), "ends too early"),
    (sealed(hand_made_header((4, 2)) + b"\0" + bytes(9)), "1 bytes too many"),
    (sealed(hand_made_header((4, 2)) + b"\0" + b"\x80" * 8), "weight of -128"),
    (sealed(hand_made_header((4, 2)) + b"\4" + b"\x7f" * 8 + bytes(8)), "a bias is out of range"),
    (sealed(hand_made_header((4, 2))[:6] + b"\x80" * 9), "longer than five bytes"),
    (sealed(hand_made_header((8, 1), "bitmask") + b"\0\xff\0\0"), "without levels"),
    (sealed(hand_made_header((8, 1), "bitmask") + b"\0\xff\1\0\0"), "level out of range"),
    (sealed(hand_made_header((8, 1), "bitmask") + b"\0\xff\3\1\2\3" + b"\xff" * 3), "does not exist"),
    (sealed(hand_made_header((8, 1), "csr") + b"\0\x09"), "more weights in a row"),
    (sealed(hand_made_header((8, 1), "csr") + b"\0\1\x08"), "column outside"),
    (sealed(hand_made_header((8, 1), "csr") + b"\0\2\3\3"), "out of order"),
    (sealed(hand_made_header((8, 2), "order0") + b"\0\0"), "impossible weights"),
    (sealed(hand_made_header((8, 2), "order0") + b"\0\1\x80"), "impossible weights"),
    (sealed(hand_made_header((8, 2), "order0") + b"\0\2\5\6\1\0\1\0"), "does not add up"),
    (sealed(hand_made_header((8, 2), "record")), "out of range|ends too early"),
])
def test_what_is_wrong_is_said(data, problem):
    with pytest.raises(PackedFileError, match=problem):
        unpack(data)
    assert issubclass(PackedFileError, ValueError)


def test_nothing_is_allocated_for_sizes_above_the_limit():
    tracemalloc.start()
    for widths in ((1 << 16, 1 << 16), (2, 1 << 30), (1 << 34, 2)):
        with pytest.raises(PackedFileError):
            unpack(sealed(hand_made_header(widths)))
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()
    unpack(pack(make_network(1, (10, 10))), max_weights=100)
    with pytest.raises(PackedFileError, match="100 weights are above the limit of 99"):
        unpack(pack(make_network(1, (10, 10))), max_weights=99)


@pytest.mark.parametrize("change, problem", [
    ({"weight": np.zeros((3, 4), np.int16)}, "int16 weights, not int8"),
    ({"weight": np.full((3, 4), -128, np.int8)}, "weight of -128"),
    ({"weight": np.zeros((3, 5), np.int8)}, "5 inputs after 4 units"),
    ({"weight": np.zeros((3, 0), np.int8)}, "weight of shape"),
    ({"bias": np.zeros(3, np.int64)}, "int64 biases, not int32"),
    ({"bias": np.zeros(4, np.int32)}, "bias of shape"),
    ({"scale": np.ones(3, np.float32)}, "the last layer has one scale"),
    ({"scale": np.array(0, np.float32)}, "a scale must lie between"),
    ({"scale": np.array(np.nan, np.float32)}, "a scale must lie between"),
    ({"scale": np.array(np.inf, np.float32)}, "a scale must lie between"),
    ({"multiplier": np.array(5), "shift": np.array(5)}, "a multiplier"),
])
def test_a_network_that_breaks_the_rules_is_not_packed(change, problem):
    network = make_network(1, (6, 4, 3))
    for name, value in change.items():
        setattr(network.layers[1], name, value)
    with pytest.raises(ValueError, match=problem):
        pack(network)


@pytest.mark.parametrize("change, problem", [
    ({"multiplier": np.array(0)}, "not in 1..16777215"),
    ({"multiplier": np.array(1 << 24)}, "not in 1..16777215"),
    ({"shift": np.array(64)}, "not in 1..63"),
    ({"shift": np.array(0)}, "not in 1..63"),
    ({"multiplier": None}, "no multiplier"),
    ({"multiplier": np.ones(4)}, "shape"),
])
def test_a_hidden_layer_that_breaks_the_rules_is_not_packed(change, problem):
    network = make_network(1, (6, 4, 3))
    for name, value in change.items():
        setattr(network.layers[0], name, value)
    with pytest.raises(ValueError, match=problem):
        pack(network)


def test_what_cannot_be_packed_is_refused():
    with pytest.raises(ValueError, match=r"coder must be one of .* got 'zip'"):
        pack(make_network(1, (6, 4)), "zip")
    with pytest.raises(ValueError, match="0 layers"):
        pack(PackedNetwork([]))
    with pytest.raises(ValueError, match="525000 weights are too many for record"):
        pack(make_network(1, (700, 750), density=0))
    with pytest.raises(ValueError, match="1048577 units, more than 1048576"):
        pack(make_network(1, (1, (1 << 20) + 1), density=0), "dense")


# --- the parts of the record coder ----------------------------------------------------------------


def test_the_decoder_needs_no_torch_and_no_floats():
    source = Path(context_mixing.__file__).read_text()
    for node in ast.walk(ast.parse(source)):
        assert not isinstance(node, ast.Div)
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float))
    check = "import sys, mnist_compress.packed_decoder; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "mnist_compress.packed_decoder" in loaded
    assert not {"torch", "constriction", "matplotlib"} & set(loaded)


def test_the_tables_are_the_logistic_function_and_its_inverse():
    edge = context_mixing.EDGE
    for x in range(-edge, edge + 1):
        exact = 65536 / (1 + math.exp(-x / 256))
        assert abs(context_mixing.SQUASH[x + edge] - exact) < 1.5
    assert 0 < context_mixing.SQUASH[0] and context_mixing.SQUASH[-1] < 65536
    for p in range(4, 4093):
        exact = 256 * math.log((p + 0.5) / (4096 - p - 0.5))
        assert abs(context_mixing.STRETCH[p] - exact) < 2 + 0.01 * abs(exact)


@pytest.mark.parametrize("seed", range(30))
def test_the_arithmetic_coder_is_exact_and_tight(seed):
    chance, writer, ideal = random.Random(seed), context_mixing.BitWriter(), 0
    skew = chance.choice([0.5, 0.02, 0.98])
    script = []
    for _ in range(chance.choice([0, 1, 7, 3000])):
        p = min(max(int(65536 * chance.betavariate(5 * skew, 5 * (1 - skew))), 2), 65534)
        script.append((p, int(chance.random() < (p / 65536 if seed % 3 else 0.5))))
    for p, truth in script:
        writer(p, truth)
        ideal -= math.log2((p if truth else 65536 - p) / 65536)
    data = writer.finish()
    assert script or data == b""
    read = context_mixing.bit_reader(data)
    assert [read(p, 0) for p, _ in script] == [truth for _, truth in script]
    assert len(data) <= ideal / 8 * 1.001 + 2


def test_a_carry_runs_through_bytes_of_255():
    writer = context_mixing.BitWriter()
    writer.out, writer.low, writer.span = bytearray([7, 255, 255]), 0xFFFFFFFF, 1 << 25
    writer(32768, 0)
    assert writer.out[:3] == bytearray([8, 0, 0])


@pytest.mark.parametrize("most", [0, 1, 2, 3, 6, 126, 1 << 32])
def test_numbers_of_any_size_are_coded(most):
    numbers = sorted({0, most, most // 2, min(5, most), min(127, most), max(most - 1, 0)}) * 3
    writer = context_mixing.BitWriter()
    mixer = context_mixing.Mixer(writer)
    for number in numbers:
        assert mixer.number(1, [0, 5], most, number) == number
    mixer = context_mixing.Mixer(context_mixing.bit_reader(writer.finish()))
    assert [mixer.number(1, [0, 5], most) for _ in numbers] == numbers


def test_a_stream_with_numbers_out_of_range_is_rejected(monkeypatch):
    layer = PackedLayer(np.ones((1, 1), np.int8), np.array([1 << 31]), np.array(1, np.float32))
    number, stream = context_mixing.BitWriter(), context_mixing.BitWriter()
    with monkeypatch.context() as unchecked:
        unchecked.setattr(context_mixing, "check", lambda condition, problem: None)
        context_mixing.Mixer(number).number(1, [0], 4, 6)
        context_mixing.walk(context_mixing.Mixer(stream), [layer])
    with pytest.raises(PackedFileError, match="a number in the stream"):
        context_mixing.Mixer(context_mixing.bit_reader(number.finish())).number(1, [0], 4)
    mixer = context_mixing.Mixer(context_mixing.bit_reader(stream.finish()))
    with pytest.raises(PackedFileError, match="a bias is out of range"):
        context_mixing.walk(mixer, [layer])


def test_no_integer_of_the_mixer_outgrows_javascript():
    mixer = context_mixing.Mixer(lambda p, truth: int(p < 32768))  # always the less likely bit
    for turn in range(20000):
        mixer.bit(1, [0, turn % 3, turn % 5, turn % 7, turn % 11])
        assert 6 * max(map(abs, mixer.weights[1])) * context_mixing.EDGE < 2**53
        assert all(0 <= state[0] < 1 << 22 for state in mixer.states.values())


@pytest.mark.parametrize("coder", CODERS)
def test_the_ends_of_the_biases(coder):
    for end, fine in ((-(1 << 31), False), (1 - (1 << 31), True), ((1 << 31) - 1, True)):
        for other in (0, 7):
            network = PackedNetwork([PackedLayer(
                np.ones((2, 3), np.int8), np.array([end, other], np.int32),
                np.array(0.5, np.float32))])
            if fine:
                assert unpack(pack(network, coder)).layers[0].bias.tolist() == [end, other]
            else:
                with pytest.raises(ValueError, match="a bias of -2\\*\\*31"):
                    pack(network, coder)


@pytest.mark.parametrize("wrong", [DigitClassifier(), None, "a file"])
def test_a_model_of_floats_is_refused_by_name(wrong, tmp_path):
    for write in (pack, lambda model: save_packed(model, tmp_path / "a.mc")):
        with pytest.raises(ValueError, match=f"got {type(wrong).__name__}"):
            write(wrong)
    assert not list(tmp_path.iterdir())


def test_a_scale_that_could_not_be_written_is_not_read():
    network = PackedNetwork([PackedLayer(
        np.ones((2, 3), np.int8), np.zeros(2, np.int32), np.array(2.0**-39, np.float32))])
    data = bytearray(pack(network, "dense"))
    assert unpack(bytes(data)).layers[0].scale == np.float32(2.0**-39)
    assert data[6] == 1 << 6 | 39  # after magic, coder, flags and two widths: 1 / 2**39
    data[6] = 1 << 6 | 40
    data[-4:] = zlib.crc32(data[:-4]).to_bytes(4, "little")
    with pytest.raises(PackedFileError, match="a scale is out of range"):
        unpack(bytes(data))

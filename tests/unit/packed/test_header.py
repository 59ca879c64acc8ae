"""The header of a packed file, byte for byte, and what a reader refuses."""

import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from mnist_compress.packed import CODECS, PackedFileError, breakdown, pack, unpack
from mnist_compress.packed.header import Header, Port

from .examples import assert_same, hand_made, make_network, one_layer, sealed, share, varint


def crc32(data):
    """CRC-32 (IEEE 802.3) bit by bit."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xEDB88320 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


@pytest.mark.parametrize("number, codec", list(enumerate(CODECS)))
def test_header_fields_are_where_the_format_says(number, codec):
    network = make_network(3, (784, 128, 10), density=0.01)
    network.layers[0].scale = np.array(77 / 2**13, np.float32)
    network.layers[0].multiplier = np.array(200, np.int32)
    network.layers[0].shift = np.array(17, np.int32)
    network.layers[1].scale = np.array(2**-6, np.float32)
    network.layers[0].bias = np.arange(128, dtype=np.int32) * 1024
    network.layers[1].bias = np.arange(10, dtype=np.int32) * 3000
    data = pack(network, codec)
    assert data[:2] == b"mc" and data[2] == 16 + number and data[3] == 2 << 2
    assert data[4:9] == bytes([784 % 128 + 128, 784 // 128, 128, 1, 10])
    first = [77 * 64 + 13, 200 * 64 + 17]
    assert data[9:13] == b"".join(bytes([v % 128 + 128, v // 128]) for v in first)
    assert data[13:14] == bytes([1 * 64 + 10])  # biases are multiples of 1 * 2**10
    assert data[14:15] == bytes([1 * 64 + 6])  # 1 / 2**6
    assert data[15:18] == bytes([(375 * 64 + 3) % 128 + 128, (375 * 64 >> 7) % 128 + 128, 1])
    assert int.from_bytes(data[-4:], "little") == crc32(data[:-4])
    if codec == "dense":
        weights = network.layers[0].weight.tobytes()
        assert data[18] == 1 and data[19:19 + 128] == bytes(range(128))
        assert data[147:147 + len(weights)] == weights
    assert pack(share(network), codec)[3] == 2 << 2 | 1


def test_a_scale_for_each_unit_is_a_flag_and_one_number_for_each():
    network = make_network(3, (4, 3, 2), channels=True)
    network.layers[0].scale = np.array([1, 3, 0.75], np.float32)
    network.layers[0].multiplier = np.array([1, 2, 3], np.int32)
    network.layers[0].shift = np.array([4, 5, 6], np.int32)
    data = pack(network, "dense")
    assert data[3] == 2 << 2 | 2
    numbers = [1 * 64, 3 * 64, 3 * 64 + 2, 1 * 64 + 4, 2 * 64 + 5, 3 * 64 + 6]
    encoded = b"".join(map(varint, numbers))
    assert data[7:7 + len(encoded)] == encoded


def test_large_steps_of_biases():
    for step in (1, 2**24 - 1, 2**24 + 1, 2**30, 3 << 28):
        network = one_layer(np.ones((2, 3)), [step, -step])
        assert_same(network, unpack(pack(network, "dense")))


@pytest.mark.parametrize("data, problem", [
    (b"PK" + bytes(20), "must start with 'mc'"),
    (b"", "must start with 'mc'"),
    (b"mc", "ends too early"),
    (hand_made((4, 2))[:-4] + bytes(20), "checksum"),
    (hand_made((4, 2), version=3), "format version 3, this reader knows 1 and 2"),
    (sealed(b"mc\x1f\x04" + hand_made((4, 2))[4:-4] + bytes(9)), "unknown codec 15"),
    (sealed(b"mc\x10\x00\x05\x05\x05"), "without units"),
    (hand_made((4, 0)), "without units"),
    (hand_made((0, 4)), "without units"),
    (hand_made((1 << 20, 1 << 20)), "1099511627776 weights are above the limit of 4194304; trust"),
    (hand_made((1 << 10, 1 << 11), "context_mixing"), "2097152 lookups are above the limit of 157"),
    (hand_made((1, 1 << 15)), "32768 units are above the limit of 16384; trusted=True lifts it"),
    (hand_made((9, 2), flags=1), "square picture"),
    (hand_made((8, 2), flags=1), "square picture"),
    (hand_made((4, 2), pair=5), "out of range"),
    (hand_made((4, 2), pair=1 << 30), "out of range"),
    (hand_made((4, 3, 2), pair=64, body=bytes(20)), "multiplier and shift must lie in 1"),
    (hand_made((4, 2), pair=64 + 35), "a step of the biases is out of range"),
    (hand_made((4, 2), pair=64 + 40), "a scale is out of range"),
    (hand_made((4, 2), body=b"\xff" * 9), "biases of 255 bytes"),
    (hand_made((4, 2), body=b"\3" * 9), "biases of 3 bytes"),
    (hand_made((4, 2), body=b"\0" + bytes(7)), "ends too early"),
    (hand_made((4, 2), body=b"\0" + bytes(9)), "1 bytes too many"),
    (hand_made((4, 2), body=b"\4" + b"\x7f" * 8 + bytes(8)), "a bias is out of range"),
    (sealed(hand_made((4, 2))[:6] + b"\x80" * 9), "longer than five bytes"),
])
def test_what_is_wrong_is_said(data, problem):
    with pytest.raises(PackedFileError, match=problem):
        unpack(data)
    assert issubclass(PackedFileError, ValueError)


def test_a_scale_that_could_not_be_written_is_not_read():
    data = bytearray(pack(one_layer(np.ones((2, 3)), scale=2.0**-39), "dense"))
    assert unpack(bytes(data)).layers[0].scale == np.float32(2.0**-39)
    assert data[6] == 1 << 6 | 39  # after magic, codec, flags and two widths: 1 / 2**39
    data[6] = 1 << 6 | 40
    with pytest.raises(PackedFileError, match="a scale is out of range"):
        unpack(sealed(bytes(data[:-4])))


def test_the_header_alone_can_be_read():
    network = share(make_network(3, (16, 5, 3)))
    network.layers[0].bias[:] = [0, 30, -60, 30, 90]
    data, header = pack(network), Header()
    port = Port(data)
    header.walk(port)
    assert header.codec == 4 and header.tied and header.steps[0] == 30
    assert [layer.weight.shape for layer in header.layers] == [(5, 4), (3, 5)]
    assert not any(layer.weight.any() or layer.bias.any() for layer in header.layers)
    assert data.endswith(bytes(port.rest) + data[-4:])
    for place, layer in enumerate(network.layers):
        for name in ("scale", "multiplier", "shift"):
            assert getattr(header.layers[place], name) == getattr(layer, name)


def test_a_port_gives_back_what_went_through():
    values, mask = np.array([[1, -2], [300, -400]]), np.arange(13) % 3 == 1
    port = Port()
    assert port.array("signs", values, "<i2") is values
    assert np.array_equal(port.bits("positions", mask), mask)
    assert [port.varint("header", number) for number in (0, 127, 128, 2**35 - 1)][-1] == 2**35 - 1
    assert port.pair("scales", 2**24 - 1, 63) == (2**24 - 1, 63)
    data = port.finish()
    assert crc32(data[:-4]) == int.from_bytes(data[-4:], "little")
    again = Port(data)
    assert again.array("signs", np.zeros((2, 2)), "<i2").tolist() == values.tolist()
    assert again.bits("positions", np.zeros(13, bool)).tolist() == mask.tolist()
    assert [again.varint("header", 0) for _ in range(4)] == [0, 127, 128, 2**35 - 1]
    assert again.pair("scales", 1, 1) == (2**24 - 1, 63) and not again.rest
    assert again.sizes == port.sizes == {"header": 6 + 9, "signs": 8, "positions": 2, "scales": 5}
    for number in (0, 2**24):
        with pytest.raises(ValueError, match="out of range"):
            port.pair("scales", number, 1)
    with pytest.raises(ValueError, match="longer than five bytes"):
        port.varint("header", 2**35)


# --- limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, count", [("bytes", 90), ("weights", 24), ("units", 8)])
def test_each_limit_is_the_most_there_may_be(name, count, monkeypatch):
    network = make_network(1, (4, 2, 4, 2))
    data = pack(network, "dense")
    if name == "bytes":
        count = len(data)
    monkeypatch.setitem(Port.LIMITS, name, count)
    assert_same(network, unpack(data))
    monkeypatch.setitem(Port.LIMITS, name, count - 1)
    for read in (unpack, breakdown):
        with pytest.raises(PackedFileError, match=(
                f"{count} {name} are above the limit of {count - 1}; trusted=True lifts it")):
            read(data)
    assert_same(network, unpack(data, trusted=True))
    assert breakdown(data, trusted=True)["header"] == 2 + 2 + 4 + 4


def test_nothing_is_allocated_for_sizes_above_the_limit():
    tracemalloc.start()
    for widths in ((1 << 16, 1 << 16), (2, 1 << 30), (1 << 34, 2), (1, 1 << 15)):
        for codec in CODECS:
            with pytest.raises(PackedFileError, match="above the limit"):
                unpack(hand_made(widths, codec))
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


def test_the_worst_files_take_two_seconds_and_200_megabytes_at_most():
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-m", "tests.unit.packed.hostile"], cwd=root,
                          capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) > 12
    for row in rows:
        assert row["seconds"] < 2 and row["megabytes"] < 200, row
        assert ("limit" in row["outcome"]) == row["name"].startswith("above"), row

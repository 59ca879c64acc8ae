"""The formats that anyone could write: their sizes, and what their readers refuse."""

import math

import numpy as np
import pytest

from mnist_compress.packed import PackedFileError, breakdown, pack, unpack
from mnist_compress.packed.header import Port
from mnist_compress.packed.plain import bitmask, csr, dense

from .examples import assert_same, hand_made, make_network, one_layer


def test_sizes_are_what_they_say():
    network = make_network(6, (200, 50), [3, 7, 90], 0.2)
    nonzero = np.count_nonzero(network.layers[0].weight)
    values = math.ceil(nonzero / 8) * 2 + 4  # two bit planes, the number of levels and three levels
    sizes = {codec: breakdown(pack(network, codec)) for codec in ("dense", "bitmask", "csr")}
    assert sizes["dense"]["signs"] + sizes["dense"]["magnitudes"] == 200 * 50
    assert sizes["bitmask"]["positions"] == 200 * 50 / 8
    assert sizes["csr"]["positions"] == 50 + nonzero
    for codec in ("bitmask", "csr"):
        assert sizes[codec]["signs"] == math.ceil(nonzero / 8)
        assert sizes[codec]["magnitudes"] == values
    wide = make_network(6, (256, 5), [3], 0.5)
    nonzero = np.count_nonzero(wide.layers[0].weight)
    assert breakdown(pack(wide, "csr"))["positions"] == 2 * (5 + nonzero)


def test_every_byte_of_a_small_matrix():
    weight = np.array([[0, 5, 0], [-9, 0, 5]], np.int8)
    written = {}
    for walk in (dense, bitmask, csr):
        port = Port()
        walk(port, weight)
        written[walk] = bytes(port.out[2:])
    values = bytes([2, 5, 9, 0b10100000, 0b01000000])  # two levels; signs; ranks
    assert written[dense] == bytes([0, 5, 0, 247, 0, 5])
    assert written[bitmask] == bytes([0b01010100]) + values
    assert written[csr] == bytes([1, 2, 1, 0, 2]) + values


@pytest.mark.parametrize("inputs", [255, 256, 65535, 65536])
def test_columns_take_one_two_or_four_bytes(inputs):
    weight = np.zeros((2, inputs), np.int8)
    weight[1, [0, -1]] = 1, -1
    network = one_layer(weight)
    data = pack(network, "csr", share=False)
    assert_same(network, unpack(data))
    assert breakdown(data)["positions"] == 4 * {255: 1, 256: 2, 65535: 2, 65536: 4}[inputs]


@pytest.mark.parametrize("data, problem", [
    (hand_made((4, 2), body=b"\0" + b"\x80" * 8), "weight of -128"),
    (hand_made((8, 1), "bitmask", body=b"\0\xff\0\0\0"), "does not exist"),
    (hand_made((8, 1), "bitmask", body=b"\0\xff\1\0\0"), "level out of range"),
    (hand_made((8, 1), "bitmask", body=b"\0\xff\1\x80\0"), "level out of range"),
    (hand_made((8, 1), "bitmask", body=b"\0\xff\3\1\2\3" + b"\xff" * 3), "does not exist"),
    (hand_made((8, 1), "csr", body=b"\0\x09"), "more weights in a row"),
    (hand_made((8, 1), "csr", body=b"\0\1\x08"), "column outside"),
    (hand_made((8, 1), "csr", body=b"\0\2\3\3"), "out of order"),
    (hand_made((8, 1), "csr", body=b"\0\2\3\2"), "out of order"),
])
def test_what_is_wrong_is_said(data, problem):
    with pytest.raises(PackedFileError, match=problem):
        unpack(data)


def test_columns_of_other_rows_may_be_smaller():
    read = unpack(hand_made((8, 2), "csr", body=b"\0\1\1\7\0\1\6\xc0"))
    assert read.layers[0].weight.tolist() == [[0] * 7 + [6], [6] + [0] * 7]

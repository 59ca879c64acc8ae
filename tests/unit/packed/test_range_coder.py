"""The range coder's format: its size is the entropy, and it does without constriction."""

import sys

import numpy as np
import pytest

from mnist_compress.packed import PackedFileError, breakdown, pack, unpack
from mnist_compress.packed.header import Port
from mnist_compress.packed.range_coder import order0

from .examples import assert_same, entropy, hand_made, make_network, one_layer


def test_chunks_join(monkeypatch):
    monkeypatch.setattr("mnist_compress.packed.range_coder._CHUNK", 100)
    network = make_network(5, (33, 30, 7), range(1, 128), 0.6)
    data = pack(network, "order0")
    assert_same(network, unpack(data))
    monkeypatch.undo()
    assert len(pack(network, "order0")) < len(data)


def test_noise_costs_its_entropy():
    network = make_network(8, (120, 100, 80), [9, 40, 127], 0.4)
    for layer in network.layers:
        layer.bias[:] = 0
    floor = entropy(*(layer.weight for layer in network.layers))
    data = pack(network, "order0")
    assert floor < len(data) < 1.01 * floor + 120
    sizes, counts = breakdown(data), np.zeros(3)
    for layer in network.layers:
        used = layer.weight != 0
        counts += entropy(used), used.sum() / 8, entropy(abs(layer.weight[used]))
    for label, expected in zip(("positions", "signs", "magnitudes"), counts, strict=True):
        assert abs(sizes[label] - expected) < 0.02 * expected + 40, label


def test_rare_weights_keep_a_frequency():
    weight = np.zeros((400, 500), np.int8)
    weight[7, 7], weight[399, 499] = -1, 7
    network = one_layer(weight)
    data = pack(network, "order0")
    place = data.index(bytes([3, 0, 7, 255])) + 4  # of the frequencies
    assert np.frombuffer(data, "<u2", 3, place).tolist() == [65534, 1, 1]
    assert_same(network, unpack(data))


def test_one_value_takes_no_stream():
    port, weight = Port(), np.full((30, 40), -5, np.int8)
    order0(port, weight)
    assert port.out[2:] == bytes([1, 251])
    assert_same(one_layer(weight), unpack(pack(one_layer(weight), "order0")))


@pytest.mark.parametrize("body, problem", [
    (b"\0\0", "impossible weights"),
    (b"\0\1\x80", "impossible weights"),
    (b"\0\2\5\6\1\0\1\0", "does not add up"),
    (b"\0\2\5\6\0\0\xff\xff", "does not add up"),
    (b"\0\2\5\6\1\0\xff\xff\xff\xff\xff\xff\xff", "longer than five bytes"),
    (b"\0\2\5\6\1\0\xff\xff\2\0\0\0\0", "ends too early"),
    (b"\0\2\5\6\1\0\xff\xff\1\xff\xff\xff\xff\0", "1 bytes too many"),
])
def test_what_is_wrong_is_said(body, problem):
    with pytest.raises(PackedFileError, match=problem):
        unpack(hand_made((8, 2), "order0", body=body))


def test_a_stream_that_cannot_be_is_rejected():
    body = b"\0\2\5\6\1\0\xff\xff" + b"\2" + b"\xff" * 8
    with pytest.raises(PackedFileError, match="does not fit its histogram"):
        unpack(hand_made((256, 256), "order0", body=body))


def test_without_constriction_a_large_file_is_refused(monkeypatch):
    data = pack(one_layer(np.eye(64, 2000, dtype=np.int8)), "order0")
    monkeypatch.setitem(sys.modules, "constriction", None)
    monkeypatch.setitem(Port.LIMITS, "lookups", 127_999)
    with pytest.raises(PackedFileError, match="128000 lookups are above the limit of 127999"):
        unpack(data)
    assert unpack(data, trusted=True).widths == (2000, 64)

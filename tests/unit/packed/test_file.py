"""A packed file gives back the very integers, in every format."""

import dataclasses
import hashlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_compress import pretrained
from mnist_compress.integer import IntegerLayer, IntegerNetwork
from mnist_compress.model import DigitClassifier
from mnist_compress.packed import CODECS, PackedFileError, breakdown, load, pack, save, unpack
from mnist_compress.packed.header import Port

from .examples import (
    QUIET,
    assert_same,
    hand_made,
    make_network,
    networks,
    one_layer,
    receptive_fields,
    sealed,
    share,
)

LABELS = ["header", "positions", "signs", "magnitudes", "scales", "biases"]
EACH = pytest.mark.parametrize("codec", CODECS)
WIDTHS = st.one_of(
    st.lists(st.integers(1, 16), min_size=2, max_size=5),
    st.tuples(st.sampled_from([4, 9, 16, 36, 300]), st.integers(1, 5), st.integers(1, 4)))


@EACH
@given(network=networks(WIDTHS), shared=st.booleans())
@settings(QUIET, max_examples=60)
def test_every_integer_comes_back_and_every_byte_is_accounted_for(codec, network, shared):
    if shared and math.isqrt(network.widths[0]) in (2, 4, 6):
        share(network)
    data = pack(network, codec)
    again = unpack(data)
    assert_same(network, again)
    assert_same(again, IntegerNetwork.from_arrays(again.arrays()))
    assert_same(network, unpack(pack(network, codec, share=False)))
    assert pack(again, codec) == data
    sizes = breakdown(data)
    assert min(sizes.values()) >= 0 and sum(sizes.values()) == len(data)


@EACH
def test_a_network_that_cannot_be_changed_is_packed(codec):
    network = share(make_network(4, (16, 5, 3), channels=True))
    kept = IntegerNetwork.from_arrays({name: part.copy()
                                       for name, part in network.arrays().items()})
    for part in network.arrays().values():
        part.flags.writeable = False
    assert_same(network, unpack(pack(network, codec)))
    data = pack(network, codec, reorder=True)
    assert_same(network, kept)
    network.layers[0].weight = np.asfortranarray(network.layers[0].weight)
    assert pack(network, codec, reorder=True) == data
    assert unpack(data).widths == (16, 5, 3)


@EACH
@pytest.mark.parametrize("density", [0, 1])
def test_extreme_layers_come_back(codec, density):
    network = make_network(1, (196, 12, 10), [127], density)
    assert_same(network, unpack(pack(network, codec)))
    for layer in network.layers:
        layer.bias[:] = 0
    empty = pack(network, codec)
    assert_same(network, unpack(empty))
    assert breakdown(empty)["biases"] <= 4


@EACH
def test_shared_weights_are_stored_once(codec):
    network = share(make_network(2, (784, 16, 10), density=0.2))
    data, full = pack(network, codec), pack(network, codec, share=False)
    assert_same(network, unpack(data))
    assert_same(network, unpack(full))
    assert len(data) < 0.5 * len(full)
    network.layers[0].weight[3, 29] ^= 1  # one pixel of one block
    almost = pack(network, codec)
    assert_same(network, unpack(almost))
    assert len(almost) >= len(full) - 8


def test_sorting_units_keeps_the_function_and_makes_biases_cheap():
    pixels = np.random.default_rng(0).integers(0, 256, (50, 196), dtype=np.uint8)
    for channels in (False, True):
        network = make_network(4, (196, 20, 15, 10), density=0.3, channels=channels)
        ordered = unpack(pack(network, "dense", reorder=True))
        assert np.array_equal(ordered.logits(pixels), network.logits(pixels))
        assert ordered.logit_scale == network.logit_scale
        assert all((np.diff(layer.bias) >= 0).all() for layer in ordered.layers[:-1])
        assert not np.array_equal(ordered.layers[0].weight, network.layers[0].weight)
    network = receptive_fields(units=60)
    plain, sorted_ = pack(network), pack(network, reorder=True)
    assert np.array_equal(unpack(sorted_).logits(pixels), network.logits(pixels))
    assert breakdown(sorted_)["biases"] < 0.5 * breakdown(plain)["biases"]
    assert len(sorted_) < len(plain)


def test_of_equal_biases_the_unit_with_most_weights_comes_first():
    network = make_network(1, (5, 4, 2))
    network.layers[0].bias[:] = [7, -1, 7, 7]
    network.layers[0].weight[:] = np.arange(5) < np.array([[1], [2], [4], [3]])
    ordered = unpack(pack(network, reorder=True)).layers[0]
    assert ordered.bias.tolist() == [-1, 7, 7, 7]
    assert np.count_nonzero(ordered.weight, axis=1).tolist() == [2, 4, 3, 1]


@EACH
def test_the_ends_of_the_biases(codec):
    for end in (1 + 3 * 255 - 2**31, 2**31 - 1 - 3 * 255):
        for other in (0, 7):
            network = one_layer(np.ones((2, 3)), [end, other])
            assert unpack(pack(network, codec)).layers[0].bias.tolist() == [end, other]


def test_the_same_bytes_on_every_machine():
    """Fixed files: if one changes, files already written can no longer be read."""
    levels, layers = np.array([0, 0, 20, 0, -60, 0, 0, 0, 127, 0, -20, 0, 0], np.int8), []
    for inputs, outputs in ((64, 9), (9, 5)):
        place = np.arange(inputs * outputs).reshape(outputs, inputs)
        bias = (np.arange(outputs) * 37 % 11 * 96).astype(np.int32)
        rescale = [np.array(12345, np.int32), np.array(21, np.int32)] if inputs == 64 else []
        layers.append(IntegerLayer(levels[place**2 // 7 % 13], bias, np.array(0.037, np.float32),
                                   *rescale))
    network = share(IntegerNetwork(layers))
    found = {codec: hashlib.sha256(pack(network, codec)).hexdigest()[:16] for codec in CODECS}
    assert found == {
        "dense": "06c3135bf57698a1",
        "bitmask": "d629badd7aff2922",
        "csr": "71eac7cd2f148b62",
        "order0": "d29a9ca57c08dd59",
        "context_mixing": "8153cf285ea9060b",
    }


def test_files_are_saved_and_loaded(tmp_path, monkeypatch):
    network, path = make_network(9, (784, 20, 10)), tmp_path / "digits.mc"
    assert save(network, path, "order0", share=False) == path.stat().st_size
    assert path.read_bytes() == pack(network, "order0", share=False)
    assert_same(network, load(path))
    assert_same(network, load(str(path)))
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "other.mc")
    monkeypatch.setitem(Port.LIMITS, "bytes", 100)
    assert_same(network, load(path, trusted=True))
    with path.open("wb") as file:
        file.truncate(1 << 33)  # of which no more than the limit is read
    with pytest.raises(PackedFileError, match="101 bytes are above the limit of 100"):
        load(path)


@pytest.mark.parametrize("wrong", [DigitClassifier(), None, "a file", []])
def test_what_is_no_network_of_integers_is_refused_by_name(wrong, tmp_path):
    for write in (pack, lambda network: save(network, tmp_path / "a.mc")):
        with pytest.raises(ValueError, match=f"got {type(wrong).__name__}"):
            write(wrong)
    assert not list(tmp_path.iterdir())


def test_what_no_file_can_hold_is_refused():
    with pytest.raises(ValueError, match=r"codec must be one of dense, .*mixing; got 'zip'"):
        pack(make_network(1, (6, 4)), "zip")
    with pytest.raises(ValueError, match="at most 63 layers, not 64"):
        pack(make_network(1, [2] * 65))
    assert unpack(pack(make_network(1, [2] * 64))).widths == (2,) * 64
    mixed = make_network(1, (6, 4, 5, 3))
    mixed.layers[0].scale = np.full(4, 0.5, np.float32)
    for name in ("multiplier", "shift"):
        setattr(mixed.layers[0], name, np.full(4, 9, np.int32))
    with pytest.raises(ValueError, match="one scale each, or all one for each unit"):
        pack(IntegerNetwork(mixed.layers))


@pytest.mark.parametrize("scale", [0, -1, np.nan, np.inf, 2.0**24, 2.0**-40])
@pytest.mark.parametrize("place", [0, 1])
def test_a_scale_that_no_file_can_hold_is_refused(place, scale):
    network = make_network(1, (6, 4, 3))
    network.layers[place].scale = np.array(scale, np.float32)
    with pytest.raises(ValueError, match="a scale must lie between"):
        pack(network)


# --- damage ---------------------------------------------------------------------------------------


@EACH
def test_every_flipped_bit_and_every_missing_end_is_rejected(codec):
    data = pack(make_network(10, (9, 4, 3), [50, 127], 0.5), codec)
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


def test_an_accumulator_beyond_32_bits_is_rejected():
    network = one_layer(np.ones((2, 3)), [2**31 - 1 - 765, 0])
    data = pack(network, "dense")
    assert data[-10:-4] == b"\1" * 6
    with pytest.raises(PackedFileError, match="an accumulator could reach 2147483902, beyond 32"):
        unpack(sealed(data[:-10] + b"\2" + data[-9:-4]))


@pytest.mark.parametrize("data", [bytearray(pack(make_network(1, (4, 2)))), b""])
def test_any_bytes_are_taken(data):
    with pytest.raises(PackedFileError):
        unpack(data[:-1])
    if data:
        assert_same(unpack(data), unpack(memoryview(bytes(data))))


def test_codecs_keep_their_numbers():
    assert list(CODECS) == ["dense", "bitmask", "csr", "order0", "context_mixing"]
    for number, codec in enumerate(CODECS):
        assert pack(make_network(1, (4, 2)), codec)[2] == 16 + number
    with pytest.raises(PackedFileError, match="unknown codec 5"):
        unpack(sealed(b"mc\x15" + hand_made((4, 2))[3:-4]))


def test_the_fields_of_a_layer_are_those_a_file_holds():
    names = [field.name for field in dataclasses.fields(IntegerLayer)]
    assert names == ["weight", "bias", "scale", "multiplier", "shift"]


# --- what the bytes are for ---------------------------------------------------------------------


@pytest.mark.parametrize("codec", CODECS)
def test_labels_and_their_sum(codec):
    data = pack(make_network(3, (16, 9, 4), channels=True), codec)
    sizes = breakdown(data)
    assert list(sizes) == LABELS and sum(sizes.values()) == len(data)
    assert all(isinstance(size, int) for size in sizes.values())
    assert sizes["header"] >= 11 and sizes["scales"] >= 19 and sizes["biases"] > 0


def test_the_shares_of_the_shipped_network():
    """Fixed: notebook 07 prints them."""
    network = unpack(pretrained.path("thousand").read_bytes())
    found = {codec: list(breakdown(pack(network, codec)).values()) for codec in CODECS}
    assert found == {
        "dense": [13, 0, 3296, 23072, 6, 142],
        "bitmask": [13, 3296, 71, 150, 6, 142],
        "csr": [13, 698, 71, 150, 6, 142],
        "order0": [15, 434, 55, 155, 6, 142],
        "context_mixing": [13, 231, 55, 115, 6, 13],
    }


def test_a_file_that_pack_would_not_write_is_told_as_it_is():
    network = make_network(3, (9, 2), [1], 0.5)
    network.layers[0].bias[:] = 0
    data = pack(network, "dense")
    place = data.rindex(bytes([0]), 0, len(data) - 4 - 18)  # the size of the biases: none
    wide = sealed(data[:place] + b"\1\0\0" + data[place + 1:-4])
    assert_same(network, unpack(wide))
    assert breakdown(wide)["biases"] == breakdown(data)["biases"] + 2


def test_what_is_no_packed_file():
    with pytest.raises(PackedFileError, match="must start with 'mc'"):
        breakdown(b"<html>")

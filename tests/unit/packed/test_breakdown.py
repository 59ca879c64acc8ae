"""Every byte of a packed file is for something, and the sum is the file."""

import pytest

from mnist_compress import pretrained
from mnist_compress.packed import CODECS, PackedFileError, breakdown, pack, unpack

from .examples import assert_same, make_network, sealed

LABELS = ["header", "positions", "signs", "magnitudes", "scales", "biases"]


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

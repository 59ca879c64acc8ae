"""The range coder in Python against constriction, both ways."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mnist_compress.packed import PackedFileError, unpack
from mnist_compress.packed.words import decode, encode

from .examples import make_network

stream = pytest.importorskip("constriction").stream
LARGEST = 2**32 - 1


def library(shares):
    return stream.model.Categorical(np.array(shares) / 65536, perfect=False)


def written(ranks, shares):
    encoder = stream.queue.RangeEncoder()
    encoder.encode(np.array(ranks, np.int32), library(shares))
    return encoder.get_compressed().tolist()


@st.composite
def all_shares(draw, most=255):
    """2 to `most` shares, each at least 1, of 65,536: often very uneven."""
    count = draw(st.integers(2, most))
    cuts = draw(st.sets(st.integers(1, 65535), min_size=count - 1, max_size=count - 1)
                | st.just(set(range(1, count))) | st.just(set(range(65536 - count + 1, 65536))))
    return np.diff([0, *sorted(cuts), 65536]).tolist()


@settings(max_examples=300, deadline=None)
@given(all_shares(), st.integers(1, 3000), st.integers(0, 2**32), st.floats(0, 4))
@example([65535, 1], 60000, 1, 1.0)
@example([1, 65535], 60000, 1, 1.0)
@example([1, 65534, 1], 5000, 3, 0.0)
def test_the_same_words_as_constriction(shares, count, seed, skew):
    chance = np.array(shares, float) ** skew  # 0: rare symbols are frequent
    rng = np.random.default_rng(seed)
    ranks = rng.choice(len(shares), count, p=chance / chance.sum()).tolist()
    words = encode(ranks, shares)
    assert words == written(ranks, shares)
    assert decode(words, count, shares) == ranks
    decoder = stream.queue.RangeDecoder(np.array(words, np.uint32))
    assert decoder.decode(library(shares), count).tolist() == ranks


def test_carries_run_through_many_words():
    shares = [32768, 32768]
    seen = set()
    for seed in range(60):  # a middle symbol over and over stays at the border of two halves
        ranks = [0] + [1] * (100 + seed) + [0, 1] * 40
        words = encode(ranks, shares)
        assert words == written(ranks, shares)
        seen |= {LARGEST, 0} & set(words)
    assert seen


@settings(max_examples=300, deadline=None)
@given(all_shares(6), st.lists(st.integers(0, LARGEST) | st.sampled_from([0, LARGEST]),
                               max_size=12), st.integers(1, 400))
@example([65535, 1], [LARGEST, LARGEST], 400)
def test_any_words_mean_the_same_to_both(shares, words, count):
    try:
        decoder = stream.queue.RangeDecoder(np.array(words, np.uint32))
        expected = decoder.decode(library(shares), count).tolist()
    except (AssertionError, ValueError):
        expected = None
    try:
        assert decode(words, count, shares) == expected
    except PackedFileError:
        assert expected is None


def test_files_are_the_same_with_and_without_constriction():
    program = """
import sys
if sys.argv[1] == "without":
    sys.modules["constriction"] = None
from tests.unit.packed.examples import make_network
from mnist_compress.packed import pack, unpack
data = pack(make_network(8, (120, 100, 80), [9, 40, 127], 0.4), "order0")
assert pack(unpack(data), "order0") == data
assert bool(sys.modules.get("constriction")) == (sys.argv[1] == "with")
print(data.hex())
"""
    with_it, without = (subprocess.check_output([sys.executable, "-c", program, each], text=True)
                        for each in ("with", "without"))
    assert with_it == without
    found = unpack(bytes.fromhex(without))
    network = make_network(8, (120, 100, 80), [9, 40, 127], 0.4)
    assert all(np.array_equal(one.weight, other.weight)
               for one, other in zip(found.layers, network.layers, strict=True))

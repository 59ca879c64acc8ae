"""What breaks a rule is not written; what the package makes keeps them all."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_compress.compress import compress_once
from mnist_compress.integer import IntegerNetwork
from mnist_compress.model import DigitClassifier
from mnist_compress.packed import PackedFileError, pack
from mnist_compress.packed.rules import check_layers
from mnist_compress.quantization import quantize_model

from .examples import QUIET, make_network
from .test_convolutions import make


def refused(network, place, parts, text):
    for name, part in parts.items():
        setattr(network.layers[place], name, part)
    with pytest.raises(PackedFileError, match=text):
        pack(network)


@pytest.mark.parametrize(("place", "parts", "text"), [
    (1, {"weight": np.zeros((4, 6), np.int8)}, "layer 1: 6 inputs after 5 units"),
    (0, {"weight": np.zeros((5, 6))}, "layer 0: weights must be int8 .out, in.*; got float64 "),
    (0, {"weight": np.zeros(5, np.int8)}, "layer 0: weights must be int8"),
    (0, {"weight": np.full((5, 6), -128, np.int8)}, "-127..127; got int8 of"),
    (0, {"weight": np.zeros((0, 6), np.int8)}, "weights must be int8"),
    (0, {"bias": np.zeros(4, np.int32)}, "bias must be int32 of .5,.; got int32 of .4,"),
    (0, {"bias": np.zeros(5, np.int64)}, "bias must be int32"),
    (2, {"scale": np.ones(3, np.float32)}, r"scale must have the shape \(\); got"),
    (0, {"scale": np.ones(4, np.float32)}, r"shape \(\) or \(5,\); got \(4,\)"),
    (0, {"multiplier": None, "shift": None}, "hidden layers have multiplier and shift"),
    (0, {"shift": None}, "hidden layers have multiplier and shift"),
    (0, {"multiplier": None}, "hidden layers have multiplier and shift"),
    (2, {"multiplier": np.array(1), "shift": np.array(1)}, "the last one has none"),
    (0, {"shift": np.array(64)}, "must lie in"),
    (0, {"shift": np.array(0)}, "must lie in"),
    (0, {"multiplier": np.array(0)}, "must lie in"),
    (0, {"multiplier": np.array(2**24)}, "must lie in"),
    (0, {"multiplier": np.ones(5, np.int32)}, "must lie in"),
    (0, {"bias": np.full(5, 2**31 - 1, np.int32)}, "an accumulator could reach 214"),
])
def test_dense_layers_that_break_the_rules(place, parts, text):
    refused(make_network(0, (6, 5, 4, 3)), place, parts, text)


@pytest.mark.parametrize(("place", "parts", "text"), [
    (0, {"weight": np.zeros((4, 1, 3), np.int8)}, r"int8 \(out, in / groups, kernel, kernel\)"),
    (0, {"weight": np.zeros((4, 1, 2, 2), np.int8)}, "its side odd; got 2 x 2"),
    (0, {"weight": np.zeros((4, 1, 3, 1), np.int8)}, "its side odd; got 3 x 1"),
    (1, {"groups": 1}, "inputs after"),
    (0, {"groups": 0}, "groups must divide"),
    (0, {"groups": 7}, "groups must divide"),
    (0, {"stride": 0}, "stride must lie in 1..side"),
    (2, {"side": 3}, "a picture of side 3 after one of 6"),
    (2, {"most": 255}, "most must be [0-9]+, what an input can reach; got 255"),
    (1, {"pool": 2}, r"pool must be one of \(1,\); got 2"),
    (0, {"pool": 0}, r"pool must be one of \(1, 2\); got 0"),
    (4, {"pool": 1}, r"pool must be one of \(0,\); got 1"),
    (1, {"scale": np.ones(4, np.float32)}, "scale must have the shape"),
    (0, {"shift": None}, "hidden layers have multiplier and shift"),
    (4, {"multiplier": np.array(1), "shift": np.array(1)}, "the last one has none"),
    (0, {"bias": np.full(4, 2**31 - 1, np.int32)}, "layer 0: an accumulator could reach"),
])
def test_convolutions_that_break_the_rules(place, parts, text):
    refused(make(0), place, parts, text)


def test_a_file_has_layers_of_one_kind():
    mixed = IntegerNetwork([make(1, side=28).layers[0], *make_network(0, (784, 5, 3)).layers])
    with pytest.raises(PackedFileError, match="convolutions or dense layers, not both"):
        pack(mixed)


@given(seed=st.integers(0, 10**6), size=st.sampled_from([1e-6, 0.01, 1.0, 1e4]),
       lower=st.sampled_from([0.0, 0.1, 3.0]), bits=st.integers(2, 8), channels=st.booleans(),
       weights=st.integers(1, 5000) | st.integers(5550, 5573))
@settings(QUIET, max_examples=60)
def test_what_the_package_makes_keeps_the_rules(seed, size, lower, bits, channels, weights, digits):
    few = digits[::20]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = DigitClassifier((784, 7, 5, 10))
    with torch.no_grad():
        for layer in model.layers:
            layer.bias -= lower  # units that stay at 0 on all digits
            layer.weight *= size
            layer.bias *= size
    for quantize in (lambda: quantize_model(model, few, bits=bits, per_channel=channels),
                     lambda: compress_once(model, few, weights, levels=(2, 3, 1))):
        try:
            made = quantize()
        except ValueError as problem:
            assert str(problem).startswith(("a bias is too large", "a layer has no weights left"))
        else:
            check_layers(made.layers)

"""The C file, compiled by this machine's compiler, against the network in NumPy."""

import ctypes
import itertools
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from string import Template

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnist_compress import deploy, pretrained
from mnist_compress.deploy import c
from mnist_compress.deploy.encodings import ENCODINGS
from mnist_compress.integer import IntegerLayer, IntegerNetwork, spread_2x2
from mnist_compress.model import DigitClassifier
from tests.unit.deploy.networks import NAMES, network, pictures

COMPILER = None if sys.platform == "win32" else shutil.which("cc")
FLAGS = ["-std=c99", "-O1", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion",
         "-Wshadow", "-Wmissing-prototypes", "-Werror", "-fsanitize=undefined",
         "-fno-sanitize-recover=all"]
SOURCES = Path(deploy.__file__).with_name("c")


def compiled(source):
    """A library of this C file; a warning is an error, undefined behavior stops the process."""
    if COMPILER is None:
        pytest.skip("there is no C compiler here")
    library = Path(source).with_suffix(".so")
    subprocess.run([COMPILER, *FLAGS, "-shared", "-fPIC", source, "-o", library], check=True)
    return ctypes.CDLL(str(library))


def exported(network, path, *options):
    """What the C file of a network answers to uint8 (n, 784): int32 (n, 10)."""
    deploy.export_c(network, path, *options)
    library = compiled(path)
    kind = np.float32 if isinstance(network, DigitClassifier) else np.int32

    def logits(pixels):
        found = np.zeros((len(pixels), 10), kind)
        for digit, answer in zip(pixels, found, strict=True):
            library.predict(*(ctypes.c_void_p(part.ctypes.data) for part in (digit, answer)))
        return found

    return logits


def few_levels(network):
    return all(len(np.unique(np.abs(layer.weight[layer.weight != 0]))) <= 3
               for layer in network.layers)


@pytest.mark.parametrize("name", NAMES)
def test_logits_are_those_of_numpy(name, test, tmp_path):
    given_, pixels = network(name), pictures(network(name), test.images[:1000])
    wanted = given_.logits(pixels)
    for encoding in ENCODINGS if few_levels(given_) else ("dense", "gaps"):
        logits = exported(given_, tmp_path / f"{encoding}.c", encoding)
        assert np.array_equal(logits(pixels), wanted), encoding


@pytest.mark.parametrize("bits", range(1, 7))
def test_any_bits_for_gaps(bits, test, tmp_path):
    logits = exported(network("thousand"), tmp_path / "file.c", "bits", bits)
    pixels = test.images[:50].reshape(-1, 784).numpy()
    assert np.array_equal(logits(pixels), network("thousand").logits(pixels))


def test_bits_choose_the_shortest_gaps(tmp_path):
    sizes = [deploy.export_c(network("lenet"), tmp_path / "file.c", "bits", bits)
             for bits in range(1, 7)]
    assert deploy.export_c(network("lenet"), tmp_path / "file.c", "bits") <= min(sizes)


def test_float_logits_are_sums_in_order(model, test, tmp_path):
    pixels = test.images[:20].reshape(-1, 784).numpy()
    values = pixels.astype(np.float32) / np.float32(255)
    for layer in model.layers:
        weight, bias = (part.detach().numpy() for part in (layer.weight, layer.bias))
        terms = values[:, None] * weight
        start = np.broadcast_to(bias[:, None], (len(values), len(bias), 1))
        sums = np.concatenate([start, terms], 2).cumsum(2, dtype=np.float32)[..., -1]
        values = np.maximum(sums, 0)
    found = exported(model, tmp_path / "file.c")(pixels)
    assert np.array_equal(found, sums)
    assert torch.allclose(torch.from_numpy(found), model(test.inputs[:20]), atol=1e-5)


def random_network(seed, shared=False, channels=False):
    """784-6-5-10 with few weights, some units dead, biases of any size."""
    rng = np.random.default_rng(seed)
    layers, hidden = [], 0
    for inputs, units in ((196 if shared else 784, 6), (6, 5), (5, 10)):
        magnitudes = rng.choice(np.arange(1, 128), rng.integers(1, 4), replace=False)
        weight = rng.choice([*magnitudes, *-magnitudes, *[0] * 12], (units, inputs))
        weight[rng.random(units) < 0.2] = 0
        weight = weight.astype(np.int8)
        bias = rng.integers(-40, 40, units) * int(rng.choice([1, 12, 2**10]))
        hidden = units < 10
        layers.append(IntegerLayer(spread_2x2(weight) if inputs == 196 else weight,
                                   bias.astype(np.int32), np.array(0.01, np.float32)))
        if hidden:
            shape = (units,) if channels else ()
            shift = rng.integers(17, 30, shape)
            most = 255 * 2.0**shift / max(layers[-1].bound, 1)
            factor = rng.uniform(0.5, 8, shape) * most
            layers[-1].scale = np.full(shape, 0.01, np.float32)
            layers[-1].multiplier = np.asarray(factor.clip(1, 2**24 - 1), np.int32)
            layers[-1].shift = np.asarray(shift, np.int32)
    return IntegerNetwork(layers)


@settings(max_examples=12, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), shared=st.booleans(), channels=st.booleans(),
       encoding=st.sampled_from([*ENCODINGS]))
def test_random_networks(seed, shared, channels, encoding, tmp_path):
    drawn = random_network(seed, shared, channels)
    pixels = pictures(drawn, np.random.default_rng(seed).integers(0, 256, (50, 784), np.uint8))
    path = tmp_path / f"{seed}{shared}{channels}{encoding}.c"  # a name is loaded only once
    assert np.array_equal(exported(drawn, path, encoding)(pixels), drawn.logits(pixels))


@pytest.fixture(scope="module")
def rescales(tmp_path_factory):
    """Both C functions: (sum, multiplier, shift) -> 0..255."""
    folder = tmp_path_factory.mktemp("rescale")
    found = {}
    for name in ("rescale", "rescale_by_bytes"):
        text = Template((SOURCES / f"{name}.c").read_text()).substitute(product="")
        path = folder / f"{name}.c"
        path.write_text(f"#include <stdint.h>\ntypedef uint8_t value;\n{text}\n"
                        "value call(int32_t sum, uint32_t multiplier, uint32_t shift);\n"
                        "value call(int32_t sum, uint32_t multiplier, uint32_t shift)\n"
                        "{ return rescale(sum, multiplier, shift); }\n")
        found[name] = compiled(path).call
        found[name].argtypes = ctypes.c_int32, ctypes.c_uint32, ctypes.c_uint32
        found[name].restype = ctypes.c_uint8
    return found


def rounded(total, multiplier, shift):
    """Half up, in fractions."""
    return min(int(Fraction(max(total, 0) * multiplier, 2**shift) + Fraction(1, 2)), 255)


@settings(max_examples=300)
@given(multiplier=st.integers(1, 2**24 - 1), shift=st.integers(1, 32), data=st.data())
def test_one_multiplication(rescales, multiplier, shift, data):
    most = min((2**32 - 1) // multiplier, 2**31 - 1)
    half = min(int((254.5 if data.draw(st.booleans()) else 0.5) * 2**shift) // multiplier, most)
    total = data.draw(st.integers(-2**31, most) | st.integers(max(half - 2, 0), half))
    assert rescales["rescale"](total, multiplier, shift - 1) == rounded(total, multiplier, shift)


@settings(max_examples=300)
@given(multiplier=st.integers(1, 2**24 - 1), shift=st.integers(17, 48), data=st.data())
def test_three_multiplications(rescales, multiplier, shift, data):
    step = data.draw(st.integers(1, 255))
    half = min(int(Fraction(2 * step - 1, 2) * 2**shift / multiplier), 2**24 - 2)
    total = data.draw(st.integers(-2**31, 2**24 - 1) | st.integers(half, half + 1))
    assert (rescales["rescale_by_bytes"](total, multiplier, shift - 17)
            == rounded(total, multiplier, shift))


@settings(max_examples=100)
@given(weight=st.lists(st.lists(st.integers(-127, 127), min_size=4, max_size=4), min_size=1,
                       max_size=3), bias=st.integers(-2**20, 2**20))
def test_the_proven_bounds_by_brute_force(weight, bias):
    layer = IntegerLayer(np.array(weight, np.int8), np.full(len(weight), bias, np.int32),
                         np.array(1, np.float32))
    every = np.array(list(itertools.product((0, 255), repeat=4)), np.uint8)
    sums = layer.accumulate(every)
    assert np.array_equal(c._highest(layer), sums.max(0))
    assert abs(sums).max() <= layer.bound


def test_units_that_do_not_matter_are_left_out(tmp_path):
    path = tmp_path / "file.c"
    deploy.export_c(network("lenet"), path)
    text = path.read_text()
    first, second, last = (layer.weight for layer in network("lenet").layers)
    living = second[last.any(0)].any(0) & first.any(1), last.any(0) & second.any(1)
    assert f"784-{living[0].sum()}-{living[1].sum()}-10" in text
    assert f"value hidden[{living[0].sum() + living[1].sum()}];" in text


def test_a_network_without_living_units(tmp_path):
    dead = network("thousand")
    first = replace(dead.layers[0], weight=0 * dead.layers[0].weight, bias=0 * dead.layers[0].bias)
    dead = IntegerNetwork([first, dead.layers[1]])
    pixels = np.full((1, 784), 200, np.uint8)
    for encoding in ENCODINGS:
        found = exported(dead, tmp_path / f"{encoding}.c", encoding)(pixels)
        assert np.array_equal(found, dead.logits(pixels))


def test_the_file_says_what_it_is(tmp_path):
    path = tmp_path / "file.c"
    size = deploy.export_c(network("thousand"), path)
    text = path.read_text("ascii")
    bound = max(layer.bound for layer in network("thousand").layers)
    assert text.startswith("/* A digit reader, 784-31-10, with 560 weights")
    assert f"table of {size:,} bytes (bytes)" in " ".join(text.split()) and f"{bound:,}" in text
    code = re.sub(r"(?s)/\*.*?\*/", "", text)
    assert not re.findall(r"\$|float|double|64_t|malloc", code)
    assert re.findall("#include.*", code) == ["#include <stdint.h>"]
    assert max(map(len, text.splitlines())) <= 100


def test_no_exact_rescale(tmp_path):
    layers = [replace(layer) for layer in network("thousand").layers]
    layers[0].bias = layers[0].bias + np.int32(2**24)
    layers[0].multiplier = np.array(2**23, np.int32)
    with pytest.raises(ValueError, match="no rescale in 32 bits is exact here: an accumulator"):
        deploy.export_c(IntegerNetwork(layers), tmp_path / "file.c")


def test_what_is_refused(tmp_path):
    path = tmp_path / "file.c"
    small = IntegerNetwork([replace(layer) for layer in network("thousand").layers][1:])
    with pytest.raises(ValueError, match=r"784 pixels, a hidden layer.*network of \(128, 10\)"):
        deploy.export_c(small, path)
    with pytest.raises(ValueError, match=r"got a network of \(784, 10\)"):
        deploy.export_c(DigitClassifier((784, 10)), path)
    with pytest.raises(ValueError, match=r"encoding must be one of dense, .*; got 'zip'"):
        deploy.export_c(network("thousand"), path, "zip")
    with pytest.raises(ValueError, match="gap_bits must be a whole number from 1 to 6; got 7"):
        deploy.export_c(network("thousand"), path, "bits", 7)
    with pytest.raises(ValueError, match="at most three magnitudes; one has"):
        deploy.export_c(network("pruned"), path, "bytes")
    assert not path.exists()


def test_the_encoding_that_nobody_named(tmp_path):
    for name, encoding in (("lenet", "bytes"), ("pruned", "dense"), ("channels", "gaps"),
                           ("ternary", "bytes")):
        deploy.export_c(network(name), tmp_path / "file.c")
        assert f"bytes ({encoding})" in " ".join((tmp_path / "file.c").read_text().split())


def test_every_finished_network_is_here():
    assert set(pretrained.RECIPES) < set(NAMES)

"""The C file of a small convolution, compiled by this machine's compiler, against NumPy."""

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnist_compress import deploy, pretrained
from mnist_compress.deploy import c_convolution
from mnist_compress.integer import IntegerNetwork
from tests.unit.deploy.test_c import exported
from tests.unit.packed.test_convolutions import layer


def make(seed, channels=(4, 6, 8), kernel=5, stride=2, pools=(2, 1), rms=1.5):
    """A network of the form that C knows: windows at each channel alone, mixtures, pools."""
    rng = np.random.default_rng(seed)
    first = layer(rng, 1, channels[0], kernel, rms=rms, side=28, stride=stride)
    layers = [first]
    for outputs, pool in zip(channels[1:], pools, strict=True):
        inputs, side = len(layers[-1].weight), layers[-1].out_side
        layers.append(layer(rng, inputs, inputs, 3, "linear", rms, groups=inputs, side=side))
        layers.append(layer(rng, inputs, outputs, 1, rms=rms, pool=pool, side=side,
                            most=layers[-1].bound))
    layers.append(layer(rng, channels[-1], 10, 1, "last", rms, pool=0, side=layers[-1].out_side))
    for each in layers:
        np.clip(each.weight, -8, 7, out=each.weight)
    for before, after in zip(layers[1::2], layers[2::2], strict=False):
        after.most = before.bound
    return IntegerNetwork(layers)


def pictures(seed, images=()):
    rng = np.random.default_rng(seed)
    drawn = [np.zeros((1, 784)), np.full((1, 784), 255), rng.integers(0, 256, (5, 784)),
             255 * rng.integers(0, 2, (5, 784)), *images]
    return np.concatenate(drawn).astype(np.uint8)


def test_logits_are_those_of_numpy(test, tmp_path):
    network = pretrained.load("convolution")
    pixels = pictures(0, [test.images[:1000].reshape(-1, 784).numpy()])
    assert np.array_equal(exported(network, tmp_path / "file.c")(pixels), network.logits(pixels))


@settings(max_examples=12, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), channels=st.lists(st.integers(1, 5), min_size=2, max_size=4),
       kernel=st.sampled_from([1, 3, 5]), stride=st.integers(1, 3), data=st.data(),
       rms=st.sampled_from([0.5, 2.0, 50.0]))
def test_random_networks(seed, channels, kernel, stride, data, rms, tmp_path):
    pools = [data.draw(st.integers(1, 2)) for _ in channels[1:]]
    drawn = make(seed, [2 * each for each in channels], kernel, stride, pools, rms)
    pixels, path = pictures(seed), tmp_path / f"{seed}{channels}{kernel}{stride}{pools}{rms}.c"
    assert np.array_equal(exported(drawn, path)(pixels), drawn.logits(pixels))


def test_the_room_is_less_than_two_layers_side_by_side():
    layers = pretrained.load("convolution").layers
    blocks = [(layers[0], None), *zip(layers[1:-1:2], layers[2:-1:2], strict=True)]
    lies, upward, room = c_convolution._layout(blocks)
    assert min(lies) == 0 and not upward[0]
    sizes = [(mixture or window).units for window, mixture in blocks]
    assert max(sizes) < room < max(a + b for a, b in pairwise(sizes))


def test_the_file_says_what_it_is(tmp_path):
    network, path = pretrained.load("convolution"), tmp_path / "file.c"
    size = deploy.export_c(network, path)
    text = path.read_text("ascii")
    assert size == sum(layer.weight.size for layer in network.layers) // 2
    said = " ".join(text.split())
    assert "convolutions, 8-20-28-28 channels" in said and f"table of {size:,} bytes" in said
    bound = int(re.search(r"beyond ([\d,]+), so 32", said)[1].replace(",", ""))
    assert bound >= max(layer.bound for layer in network.layers)
    code = re.sub(r"(?s)/\*.*?\*/", "", text)
    assert not re.findall(r"\$|float|double|64_t|malloc", code)
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(("change", "problem"), [
    (lambda layers: layers[2].weight.__setitem__((0, 0), 8), "numbers of channels, weights -8"),
    (lambda layers: layers.insert(1, layers[0]), "C code has convolutions of this form"),
    (lambda layers: setattr(layers[-1], "bias", np.full(10, 2**31 - 99, np.int32)), "32 bits"),
    (lambda layers: setattr(layers[0], "multiplier", layers[0].multiplier << 20), "no rescale"),
])
def test_what_is_refused(change, problem, tmp_path):
    network = make(1)
    change(network.layers)
    with pytest.raises(ValueError, match=problem):
        deploy.export_c(network, tmp_path / "file.c")
    assert not list(tmp_path.iterdir())

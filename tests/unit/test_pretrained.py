"""The finished networks: their bytes, what they say of digits, what was measured on them."""

import copy
import functools
from pathlib import Path

import numpy as np
import pytest
import torch

from mnist_compress import pretrained
from mnist_compress.convolution import small_convolution
from mnist_compress.data import Digits, load_full
from mnist_compress.integer import IntegerNetwork
from mnist_compress.packed import pack
from mnist_compress.pretrained import CONVOLUTIONS, checkpoint
from mnist_compress.pruning import sparsity
from mnist_compress.training import evaluate
from tools.train_pretrained import REFERENCES, digits_for

FOLDER = Path(pretrained.__file__).parent
ALL = pytest.mark.parametrize("name", pretrained.RECIPES)
LIMITS = {  # largest mean of the bytes, and the dense network with the points it may lose
    "thousand": (598, "dense-thousand", 0.0),
    "thousand-small": (598, "dense-thousand", 0.0),
    "thousand-untied": (598, "dense-thousand", 0.0),
    "perceptron": (2400, "dense-perceptron", 0.001),
    "perceptron-untied": (3180, "dense-perceptron", 0.001),
    "perceptron-small": (500, "dense-perceptron", 0.03),
}
EVERY = pytest.mark.parametrize("name", [*pretrained.RECIPES, "convolution"])
# Largest means of bytes and official errors.
ERRORS = {"lenet": (2953, 0.0164), "lenet-untied": (2953, 0.0164), "lenet-small": (2048, 0.02),
          "lenet-small-untied": (2048, 0.02), "convolution": (1024, 0.012)}


load = functools.cache(pretrained.load)  # reading one takes a second


@pytest.fixture(scope="module")
def full(official):
    return load_full(official, progress=False)


@ALL
def test_the_file_is_the_one_that_was_measured(name):
    recipe, network = pretrained.RECIPES[name], load(name)
    found, data = pretrained.measured(name), pretrained.path(name).read_bytes()
    assert len(data) == found.bytes[0]
    assert len(found.bytes) >= 3
    assert network.widths == recipe.widths
    weights = [np.count_nonzero(layer.weight) for layer in network.layers]
    weights[0] //= 4 if recipe.tie else 1
    assert 0.8 * recipe.weights < sum(weights) <= recipe.weights
    assert isinstance(network, IntegerNetwork) and pack(network) == data


def test_the_file_of_convolutions_is_the_one_that_was_measured():
    network, data = load("convolution"), pretrained.path("convolution").read_bytes()
    found = pretrained.measured("convolution")
    assert len(data) == found.bytes[0] and len(found.bytes) >= 3 and max(found.bytes) <= 1024
    assert tuple(len(layer.weight) for layer in network.layers if layer.kernel != 3
                 ) == (8, 20, 28, 28, 10)
    assert pack(network) == data


@EVERY
def test_accuracy_on_the_samples_other_digits(name):
    accuracy = evaluate(load(name), digits_for("thousand")[1]).accuracy
    if name.startswith("thousand"):
        error = pretrained.measured(name).validation_errors[0]
        assert 1 - accuracy == pytest.approx(error, abs=1e-6)
    else:  # these digits are among the 55,000 that it was trained on
        assert accuracy > (0.95 if name == "perceptron-small" else 0.97)


@EVERY
def test_errors_on_the_official_digits(name, full):
    network, found = load(name), pretrained.measured(name)
    assert 1 - evaluate(network, full[1]).accuracy == pytest.approx(found.official_errors[0])
    if not name.startswith("thousand"):
        validation = 1 - evaluate(network, full[0][-5000:]).accuracy
        assert validation == pytest.approx(found.validation_errors[0])


@pytest.mark.parametrize("name", LIMITS)
def test_small_and_no_worse_than_dense(name):
    largest, dense, points = LIMITS[name]
    found, reference = pretrained.measured(name), pretrained.measured(dense)
    assert found.mean_bytes <= largest
    assert found.official_error <= reference.official_error + points


@pytest.mark.parametrize("name", ERRORS)
def test_so_few_errors_in_so_many_bytes(name):
    largest, error = ERRORS[name]
    found = pretrained.measured(name)
    assert found.mean_bytes <= largest and found.official_error <= error


def test_means_by_hand():
    found = pretrained.measured("thousand")
    text = (FOLDER / "measured.csv").read_text()
    rows = [line.split(",") for line in text.splitlines() if line.startswith("thousand,")]
    assert [int(row[1]) for row in rows] == list(range(len(rows)))
    for column, mean in ((2, found.mean_bytes), (3, found.validation_error),
                         (4, found.official_error)):
        assert sum(float(row[column]) for row in rows) / len(rows) == pytest.approx(mean)


def test_everything_is_documented_and_packaged():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name in (*pretrained.RECIPES, "convolution", *REFERENCES):
        assert f"`{name}`" in text
        assert pretrained.measured(name).official_errors
    assert {path.stem for path in FOLDER.glob("*.mc")} == {
        *pretrained.RECIPES, "convolution"}


def test_the_official_error_says_where_it_comes_from(official, monkeypatch):
    monkeypatch.setenv("MNIST_COMPRESS_DATA", str(official))
    told = pretrained.official_error("thousand")
    assert "measured just now" in told
    monkeypatch.setattr(pretrained, "full_is_here", lambda: False)
    monkeypatch.setattr(pretrained, "load_full", None)
    recorded = pretrained.official_error("thousand")
    assert recorded.split()[0] == told.split()[0]
    assert "not on this machine, so this run did not measure it" in recorded


def test_one_digit_is_enough(test):
    one = Digits(test.images[:1], test.labels[:1])
    assert evaluate(load("lenet"), one).predictions.shape == (1,)


def test_checkpoints_of_convolutions(validation):
    pair = validation.inputs.view(-1, 1, 28, 28), validation.labels
    for name, channels in CONVOLUTIONS.items():
        model = small_convolution(channels)
        before = copy.deepcopy(model.state_dict())
        networks = [checkpoint(name, model, seed) for seed in range(5, 10)]
        assert all(evaluate(network, pair).accuracy > 0.93 for network in networks)
        assert len({network[0].weight.sum().item() for network in networks}) == 5
        assert all(torch.equal(before[key], part) for key, part in model.state_dict().items())
    assert sparsity(checkpoint("80 % zeros", small_convolution())) == pytest.approx(0.8, abs=1e-4)


def test_a_checkpoint_of_another_network():
    with pytest.raises(ValueError, match="this model 5,141: it is another network, so train"):
        checkpoint("trained", small_convolution((8, 16, 16)))


def test_another_name_is_told_which_there_are():
    model = small_convolution()
    for call, allowed in ((pretrained.load, "thousand"), (pretrained.path, "convolution"),
                          (pretrained.measured, "dense-thousand"),
                          (lambda name: checkpoint(name, model), "trained on")):
        with pytest.raises(ValueError, match=rf"^name .* one of .*{allowed}.*; got 'thousnd'$"):
            call("thousnd")
    with pytest.raises(ValueError, match="seed must be a whole number from 5 to 9; got 4"):
        checkpoint("trained", model, 4)

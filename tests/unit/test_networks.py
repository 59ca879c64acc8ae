"""The shipped networks: their bytes, what they say of digits, the command that makes them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mnist_compress import data, pretrained
from mnist_compress.data import Digits, load_full
from mnist_compress.packed.file import load_packed, pack
from mnist_compress.packed.reader import PackedClassifier
from mnist_compress.training import evaluate
from tools import train_pretrained as command

FOLDER = Path(pretrained.__file__).parent
ALL = pytest.mark.parametrize("name", pretrained.RECIPES)
LIMITS = {  # largest mean of the bytes, and the dense network with the points it may lose
    "thousand": (598, "dense-thousand", 0.0),
    "thousand-small": (598, "dense-thousand", 0.0),
    "thousand-untied": (598, "dense-thousand", 0.0),
    "perceptron": (2400, "dense-perceptron", 0.001),
    "perceptron-untied": (3180, "dense-perceptron", 0.001),
}
ERRORS = {"lenet": (2953, 0.0164), "lenet-untied": (2953, 0.0164), "lenet-small": (2048, 0.02),
          "lenet-small-untied": (2048, 0.02)}  # largest means of bytes and official errors


@pytest.fixture(scope="module")
def full(official):
    return load_full(official, progress=False)


@ALL
def test_the_file_is_the_one_that_was_measured(name):
    recipe, network = pretrained.recipe(name), pretrained.shipped(name)
    found = pretrained.measured(name)
    assert pretrained.file_of(name).stat().st_size == found.bytes[0]
    assert len(found.bytes) >= 3
    assert network.widths == recipe.widths
    weights = [int((layer.weight != 0).sum()) for layer in network.layers]
    weights[0] //= 4 if recipe.tie else 1
    assert 0.8 * recipe.weights < sum(weights) <= recipe.weights
    assert pack(load_packed(pretrained.file_of(name))) == pretrained.file_of(name).read_bytes()


@ALL
def test_numpy_and_torch_read_the_same_network(name, test):
    reader = PackedClassifier.load(pretrained.file_of(name))
    pixels = test.images[::4]
    sums = pretrained.shipped(name).sums(pixels.flatten(1))
    assert np.array_equal(reader.logits(pixels.numpy()), sums.numpy())


@ALL
def test_accuracy_on_the_samples_test_digits(name, test):
    accuracy = evaluate(pretrained.shipped(name), test).accuracy
    if name.startswith("thousand"):
        assert 1 - accuracy == pytest.approx(pretrained.measured(name).validation_errors[0], abs=1e-6)
    else:  # these digits are among the 55,000 that it was trained on
        assert accuracy > 0.97


@ALL
def test_errors_on_the_official_digits(name, full):
    network, found = pretrained.shipped(name), pretrained.measured(name)
    assert 1 - evaluate(network, full[1]).accuracy == pytest.approx(found.official_errors[0])
    if not name.startswith("thousand"):
        validation = 1 - evaluate(network, full[0][-pretrained.VALIDATION:]).accuracy
        assert validation == pytest.approx(found.validation_errors[0])


@pytest.mark.parametrize("name", LIMITS)
def test_small_and_no_worse_than_dense(name):
    largest, dense, points = LIMITS[name]
    found, reference = pretrained.measured(name), pretrained.measured(dense)
    assert found.mean_bytes <= largest
    assert found.official_error <= reference.official_error + points


@pytest.mark.parametrize("name", ERRORS)
def test_lenet_in_so_many_bytes(name):
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
    for name in (*pretrained.RECIPES, *pretrained.REFERENCES):
        assert f"`{name}`" in text
        assert pretrained.measured(name).official_errors
    assert {path.stem for path in FOLDER.glob("*.mc")} == set(pretrained.RECIPES)


def test_unknown_names():
    for call in (pretrained.recipe, pretrained.shipped, pretrained.file_of, pretrained.rows_for):
        with pytest.raises(ValueError, match=r"name must be one of thousand, .*; got 'resnet'"):
            call("resnet")
    with pytest.raises(ValueError, match="nothing was measured under the name 'resnet'"):
        pretrained.measured("resnet")


def test_training_and_validation_rows(full, official, digits, test):
    for name in ("thousand-small", "dense-thousand"):
        train, validation = pretrained.rows_for(name)
        assert torch.equal(train.images, digits.images)
        assert torch.equal(validation.labels, test.labels)
    for name in ("lenet", "dense-lenet"):
        train, validation = pretrained.rows_for(name, official)
        assert torch.equal(train.images, full[0].images[:55000])
        assert torch.equal(validation.images, full[0].images[55000:])


def test_the_official_error_says_where_it_comes_from(official, monkeypatch):
    error, told = pretrained.official_error("thousand", official)
    assert "measured just now" in told and f"{error:.2%}" in told
    monkeypatch.setattr(pretrained, "full_is_here", lambda folder: False)
    monkeypatch.setattr(pretrained, "load_full", None)
    recorded, told = pretrained.official_error("thousand")
    assert recorded == pytest.approx(error)
    assert "not on this machine, so this run did not measure it" in told


def test_whether_the_official_files_are_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MNIST_COMPRESS_DATA", raising=False)
    monkeypatch.setattr(data, "_CACHE", tmp_path / "cache")
    assert not data.full_is_here()
    for name in data._SHA256:
        assert not data.full_is_here(tmp_path)
        (tmp_path / f"{name}.gz").write_bytes(b"")
    assert data.full_is_here(tmp_path)


def test_the_command_makes_files_that_can_be_read(tmp_path, capsys, monkeypatch, digits, test):
    short = {"copies": 2, "teacher": (16,), "teacher_steps": 30, "dense_steps": 20,
             "prune_steps": 40, "quantize_steps": 20, "batch": 50}
    small = replace(pretrained.RECIPES["thousand-small"], **short)
    monkeypatch.setitem(pretrained.RECIPES, "thousand", replace(small, weights=300))
    monkeypatch.setitem(pretrained.RECIPES, "thousand-small", small)
    monkeypatch.setattr(command, "load_full", lambda *_, **__: (digits, test[::8]))
    lessons, teach = [], command.teach
    monkeypatch.setattr(command, "teach", lambda *each: lessons.append(each) or teach(*each))
    command.main(["thousand", "thousand-small", "dense-thousand", "--seeds", "0", "5",
                  "--folder", str(tmp_path / "made"), "--official"])
    header, *lines = capsys.readouterr().out.splitlines()
    assert header == (FOLDER / "measured.csv").read_text().splitlines()[0]
    assert len(lines) == 6 and len(lessons) == 2  # one lesson a seed serves both networks
    for line in lines:
        name, seed, size, validation, official, _ = line.split(",")
        if name.startswith("dense"):
            assert int(size) == 407_080
            continue
        path = tmp_path / "made" / f"{name}-{seed}.mc"
        network = pretrained.from_arrays(load_packed(path))
        assert int(size) == path.stat().st_size
        assert float(validation) == pytest.approx(1 - evaluate(network, test).accuracy, abs=1e-5)
        assert float(official) == pytest.approx(1 - evaluate(network, test[::8]).accuracy, abs=1e-4)


def test_shipped_networks_are_digit_readers(test):
    one = Digits(test.images[:1], test.labels[:1])
    assert evaluate(pretrained.shipped("lenet"), one).predictions.shape == (1,)

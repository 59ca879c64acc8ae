"""The command that makes the finished networks."""

from dataclasses import replace

import pytest
import torch

from mnist_compress import pretrained
from mnist_compress.data import load_full
from mnist_compress.packed import load
from mnist_compress.training import evaluate
from tools import train_pretrained as command

SHORT = {"copies": 2, "teacher": (16,), "teacher_steps": 30, "dense_steps": 20, "prune_steps": 40,
         "quantize_steps": 20, "batch": 50}


@pytest.fixture
def short(monkeypatch):
    """Trainings of a moment."""
    small = replace(pretrained.RECIPES["thousand-small"], **SHORT)
    monkeypatch.setitem(pretrained.RECIPES, "thousand", replace(small, weights=300))
    monkeypatch.setitem(pretrained.RECIPES, "thousand-small", small)
    monkeypatch.setitem(command.REFERENCES, "dense-thousand", {"epochs": 1, "batch_size": 100})


def test_it_makes_files_that_can_be_read(short, tmp_path, capsys, monkeypatch, digits, test):
    monkeypatch.setattr(command, "load_full", lambda *_, **__: (digits, test[::8]))
    lessons, teach = [], command.teach
    monkeypatch.setattr(command, "teach", lambda *each: lessons.append(each) or teach(*each))
    command.main(["thousand", "thousand-small", "dense-thousand", "--seeds", "0", "5",
                  "--folder", str(tmp_path / "made"), "--official"])
    chosen_on = command.digits_for("thousand")[1]
    header, *lines = capsys.readouterr().out.splitlines()
    measured = pretrained.path("thousand").with_name("measured.csv")
    assert header == measured.read_text().splitlines()[0]
    assert len(lines) == 6 and len(lessons) == 2  # one lesson a seed serves both networks
    for line in lines:
        name, seed, size, validation, official, _ = line.split(",")
        if name.startswith("dense"):
            assert int(size) == 407_080
            continue
        path = tmp_path / "made" / f"{name}-{seed}.mc"
        network = load(path)
        assert int(size) == path.stat().st_size
        wrong = 1 - evaluate(network, chosen_on).accuracy
        assert float(validation) == pytest.approx(wrong, abs=1e-5)
        assert float(official) == pytest.approx(1 - evaluate(network, test[::8]).accuracy, abs=1e-4)


def test_an_unknown_name_is_refused(capsys):
    with pytest.raises(SystemExit):
        command.main(["resnet"])
    assert "invalid choice: 'resnet'" in capsys.readouterr().err


def test_the_readme_has_its_command_lines():
    text = pretrained.path("thousand").with_name("README.md").read_text("utf-8")
    found = [line for line in text.splitlines() if line.startswith(f"python -m {command.__name__}")]
    named = {word for line in found for word in line.split()}
    assert {*pretrained.RECIPES, "convolution", *command.REFERENCES} <= named


def test_training_and_validation_digits(official, digits, validation, test):
    full = load_full(official, progress=False)
    for name in ("thousand-small", "dense-thousand"):
        train, chosen_on = command.digits_for(name)
        assert torch.equal(train.images, digits.images)
        assert torch.equal(chosen_on.images, torch.cat([validation.images, test.images]))
    for name in ("lenet", "dense-lenet"):
        train, chosen_on = command.digits_for(name, official)
        assert torch.equal(train.images, full[0].images[:55000])
        assert torch.equal(chosen_on.images, full[0].images[55000:])

"""Small packed networks that come with the package, and the recipe that made each of them.

"thousand" is the course's 784-128-10 trained on its 1,000 digits, "perceptron" the same on MNIST's
training digits, "lenet" LeNet-300-100 on those, "convolution" a small convolution. "-small" has
fewer weights, "-untied" none that 2x2 pixels share; "dense-" is what they are compared with.
README.md has commands and seeds. `checkpoint` has the convolutions of notebook 10, in float32.
"""

import copy
import csv
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import numpy as np
import torch
from torch import nn

from .. import packed
from ..compress import Recipe
from ..data import Digits, load_full, load_sample
from ..integer import IntegerNetwork
from ..official import full_is_here
from ..training import COURSE_SEED, evaluate

_PERCEPTRON = Recipe(units=(100,), weights=3400, copies=12, augmentation=1.0, teacher=(600, 300),
                     teacher_steps=12000, dense_steps=3000, prune_steps=10000, quantize_steps=8000)
_LENET = replace(_PERCEPTRON, widths=(784, 300, 100, 10), units=(150, 60), weights=3700,
                 levels=(3, 3, 3), prune_steps=12000, quantize_steps=10000)
_UNTIED = replace(_LENET, tie=False, copies=8, rate_weight=0.7)
RECIPES = {
    "thousand": Recipe(),
    "thousand-small": Recipe(weights=380),
    "thousand-untied": Recipe(weights=700, tie=False),
    "perceptron": _PERCEPTRON,
    "perceptron-small": replace(_PERCEPTRON, units=(32,), weights=600),
    "perceptron-untied": replace(_PERCEPTRON, units=(80,), tie=False, copies=8),
    "lenet": _LENET,
    "lenet-small": replace(_LENET, units=(100, 40), weights=2900),
    "lenet-untied": replace(
        _UNTIED, units=(100, 40), weights=4080, prune_steps=16000, quantize_steps=14000),
    "lenet-small-untied": replace(_UNTIED, units=(80, 36), weights=2860, quantize_steps=20000),
}
REFERENCES = {  # plain training of the dense network, as `training.train` does it
    "dense-thousand": {},
    "dense-perceptron": {"epochs": 10, "batch_size": 64},
    "dense-lenet": {"widths": (784, 300, 100, 10), "epochs": 10, "batch_size": 64},
}
CONVOLUTIONS = {  # {name in convolutions.npz: channels of its `small_convolution`}
    "trained": (8, 16, 32), "trained on": (8, 16, 32), "80 % zeros": (8, 16, 32),
    "half the channels": (8, 16, 16), "small from scratch": (8, 16, 16)}


def recipe(name: str) -> Recipe:
    """The recipe of that name; ValueError, which lists the names, if there is none."""
    return RECIPES[_one_of(RECIPES, name)]


def _one_of(names, name):
    if name not in names:
        raise ValueError(f"name must be one of {', '.join(names)}; got {name!r}")
    return name


def path(name: str) -> Path:
    """The packed file that was made with seed 0; ValueError, which lists the names, for another."""
    return Path(__file__).with_name(f"{_one_of((*RECIPES, 'convolution'), name)}.mc")


def load(name: str) -> IntegerNetwork:
    """The network in that file."""
    return packed.load(path(name))


def digits_for(name: str, folder: str | Path | None = None) -> tuple[Digits, Digits]:
    """What a network was trained on, and its validation digits, which choices were made on.

    The sample's 1,000 and its other 4,000, or MNIST's first 55,000 and last 5,000 training digits.
    """
    _one_of((*RECIPES, "convolution", *REFERENCES), name)
    if "thousand" in name:
        train, *others = load_sample()
        return train, Digits(torch.cat([part.images for part in others]),
                             torch.cat([part.labels for part in others]))
    train = load_full(folder, progress=False)[0]
    return train[:-5000], train[-5000:]


@dataclass(frozen=True)
class _Measured:
    """The files of one recipe, one number for each seed, 0 first: bytes, and errors as shares of 1
    on the validation digits and on MNIST's 10,000 test digits. The others are means of these."""

    name: str
    bytes: tuple[int, ...]
    validation_errors: tuple[float, ...]
    official_errors: tuple[float, ...]

    mean_bytes = property(lambda self: mean(self.bytes))
    validation_error = property(lambda self: mean(self.validation_errors))
    official_error = property(lambda self: mean(self.official_errors))


def measured(name: str) -> _Measured:
    """What was measured when the networks of that name were made: one of RECIPES, one of
    REFERENCES, or "thousand teacher", "thousand student in float" (before the first weight goes),
    "thousand same shape in float", and so on: dense networks of the same teacher and digits."""
    return _recorded("measured.csv", "references.csv", name=name)


def steps() -> dict[str, _Measured]:
    """{change: what "thousand" becomes by it}, one step of the recipe changed at a time, as
    `tools.train_steps` recorded it with other seeds than those of `measured`."""
    text = Path(__file__).with_name("steps.csv").read_text("utf-8")
    names = dict.fromkeys(line["change"] for line in csv.DictReader(text.splitlines()))
    return {name: _recorded("steps.csv", name=name) for name in names}


def _recorded(*files, name):
    """The lines of that name in recorded files."""
    every = []
    for file in files:
        text = Path(__file__).with_name(file).read_text("utf-8")
        every += csv.DictReader(text.splitlines())
    lines = [line for line in every if name in (line.get("network"), line.get("change"))]
    if not lines:
        raise ValueError(f"nothing was measured under the name {name!r}")
    sizes = tuple(int(line["bytes"]) for line in lines)
    errors = [tuple(float(line[f"{kind} error"]) for line in lines)
              for kind in ("validation", "official")]
    return _Measured(name, sizes, *errors)


def official_error(name: str, folder: str | Path | None = None) -> tuple[float, str]:
    """Share of MNIST's 10,000 test digits that the network gets wrong, and a sentence about it.

    Measured now if `load_full(folder)` finds these digits here, else as it was recorded.
    """
    if full_is_here(folder):
        error = 1 - evaluate(load(name), load_full(folder, progress=False)[1]).accuracy
        return error, f"{error:.2%} of MNIST's official test digits are wrong, measured just now."
    error = measured(name).official_errors[0]
    return error, (f"{error:.2%} of MNIST's official test digits were wrong when the file was "
                   "made. They are not on this machine, so this run did not measure it.")


def checkpoint(name: str, model: nn.Module, seed: int = COURSE_SEED) -> nn.Module:
    """A copy of the model with weights that were trained for notebook 10, float32.

    name: one of `CONVOLUTIONS`; model: a network of the same shapes, `small_convolution(channels)`;
    seed: 5 to 9. ValueError for another name or seed, or a model of other shapes.
    """
    with np.load(Path(__file__).with_name("convolutions.npz"), allow_pickle=False) as stored:
        if f"{name} {seed}" not in stored:
            raise ValueError(f"name must be one of {', '.join(CONVOLUTIONS)} and seed 5 to 9; "
                             f"got {name!r} and {seed!r}")
        numbers = torch.from_numpy(stored[f"{name} {seed}"])
    filled = copy.deepcopy(model)
    sizes = [part.numel() for part in filled.state_dict().values()]
    if sum(sizes) != len(numbers):
        raise ValueError(f"{name!r} has {len(numbers):,} numbers and this model {sum(sizes):,}: "
                         "it is another network, so train your own")
    parts = zip(filled.state_dict().values(), numbers.split(sizes), strict=True)
    for part, values in parts:
        part.copy_(values.view_as(part))
    return filled


def numbers_of(model: nn.Module) -> np.ndarray:
    """All that a network learned, float32 (n,), as `checkpoint` reads it."""
    return torch.cat([part.flatten().float() for part in model.state_dict().values()]).numpy()

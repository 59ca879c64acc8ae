"""Small packed networks that come with the package, and the recipe that made each of them.

"thousand" is the course's 784-128-10 trained on its 1,000 digits, "perceptron" the same on MNIST's
training digits, "lenet" LeNet-300-100 on those, "convolution" a small convolution. "-small" has
fewer weights, "-untied" none that 2x2 pixels share; "dense-" is what they are compared with.
README.md has commands and seeds.
"""

import csv
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import torch

from .. import packed
from ..compress.recipe import ConvolutionRecipe, Recipe
from ..data import Digits, full_is_here, load_full, load_sample
from ..integer import IntegerNetwork
from ..training import evaluate

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
SMALLEST = {"convolution": ConvolutionRecipe()}
REFERENCES = {  # plain training of the dense network, as `training.train` does it
    "dense-thousand": {},
    "dense-perceptron": {"epochs": 10, "batch_size": 64},
    "dense-lenet": {"widths": (784, 300, 100, 10), "epochs": 10, "batch_size": 64},
}


def recipe(name: str) -> Recipe | ConvolutionRecipe:
    """The recipe of that name; ValueError, which lists the names, if there is none."""
    every = RECIPES | SMALLEST
    if name not in every:
        raise ValueError(f"name must be one of {', '.join(every)}; got {name!r}")
    return every[name]


def path(name: str) -> Path:
    """The packed file that was made with seed 0."""
    recipe(name)
    return Path(__file__).with_name(f"{name}.mc")


def load(name: str) -> IntegerNetwork:
    """The network in that file."""
    return packed.load(path(name))


def digits_for(name: str, folder: str | Path | None = None) -> tuple[Digits, Digits]:
    """What a network was trained on, and its validation digits, which choices were made on.

    The sample's 1,000 and its other 4,000, or MNIST's first 55,000 and last 5,000 training digits.
    """
    if name not in REFERENCES:
        recipe(name)  # ValueError for an unknown one
    if "thousand" in name:
        train, *others = load_sample()
        return train, Digits(torch.cat([part.images for part in others]),
                             torch.cat([part.labels for part in others]))
    train = load_full(folder, progress=False)[0]
    return train[:-5000], train[-5000:]


@dataclass(frozen=True)
class Measured:
    """The files of one recipe, one number for each seed, 0 first: bytes, and errors as shares of 1
    on the validation digits and on MNIST's 10,000 test digits. The others are means of these."""

    name: str
    bytes: tuple[int, ...]
    validation_errors: tuple[float, ...]
    official_errors: tuple[float, ...]

    mean_bytes = property(lambda self: mean(self.bytes))
    validation_error = property(lambda self: mean(self.validation_errors))
    official_error = property(lambda self: mean(self.official_errors))


def measured(name: str) -> Measured:
    """What was measured when the networks of that name were made, a "dense-" one too."""
    text = Path(__file__).with_name("measured.csv").read_text("utf-8")
    lines = [line for line in csv.DictReader(text.splitlines()) if line["network"] == name]
    if not lines:
        raise ValueError(f"nothing was measured under the name {name!r}")
    sizes = tuple(int(line["bytes"]) for line in lines)
    errors = [tuple(float(line[f"{kind} error"]) for line in lines)
              for kind in ("validation", "official")]
    return Measured(name, sizes, *errors)


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

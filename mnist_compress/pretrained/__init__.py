"""Small packed networks that come with the package, and the recipe that made each of them.

"thousand" is the course's 784-128-10 trained on its 1,000 digits, "perceptron" the same on MNIST's
training digits, "lenet" LeNet-300-100 on those, "convolution" a small convolution. "-small" has
fewer weights, "-untied" none that 2x2 pixels share; "dense-" is what they are compared with.
README.md has commands and seeds. `checkpoint` has the convolutions of notebook 10, in float32.
"""

import copy
import csv
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from .. import packed
from ..arguments import one_of, whole
from ..compress import Recipe
from ..data import load_full
from ..integer import IntegerNetwork
from ..official import full_is_here
from ..training import COURSE_SEED, evaluate

__all__ = ["CONVOLUTIONS", "RECIPES", "Measured", "checkpoint", "load", "measured",
           "official_error", "path", "steps"]

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
CONVOLUTIONS = {  # {name in convolutions.npz: channels of its `small_convolution`}
    "trained": (8, 16, 32), "trained on": (8, 16, 32), "80 % zeros": (8, 16, 32),
    "half the channels": (8, 16, 16), "small from scratch": (8, 16, 16)}


def path(name: str) -> Path:
    """The packed file of that name, of RECIPES or "convolution", made with seed 0. ValueError."""
    one_of("name", name, [*RECIPES, "convolution"])
    return Path(__file__).with_name(f"{name}.mc")


def load(name: str) -> IntegerNetwork:
    """The network in that file."""
    return packed.load(path(name))


class Measured(NamedTuple):
    """The files of one recipe, one number for each seed, 0 first: bytes, and errors as shares of 1
    on the validation digits and on MNIST's 10,000 test digits. The others are means of these."""

    bytes: tuple[int, ...]
    validation_errors: tuple[float, ...]
    official_errors: tuple[float, ...]

    mean_bytes = property(lambda self: mean(self.bytes))
    validation_error = property(lambda self: mean(self.validation_errors))
    official_error = property(lambda self: mean(self.official_errors))


def measured(name: str) -> Measured:
    """What was measured when the networks of that name were made: one of RECIPES, "convolution",
    "dense-thousand", or "thousand teacher", "thousand student in float" (before the first weight
    goes), "thousand same shape in float": dense networks of the same teacher and digits.
    ValueError for another name."""
    every = _recorded("measured.csv") | _recorded("references.csv")
    one_of("name", name, every)
    return every[name]


def steps() -> dict[str, Measured]:
    """{change: what "thousand" becomes by it}, one step of the recipe changed at a time, as
    `tools.train_steps` recorded it with other seeds than those of `measured`."""
    return _recorded("steps.csv")


def _recorded(file):
    """{name: what was measured under it}, of a recorded file."""
    rows = {}
    text = Path(__file__).with_name(file).read_text("utf-8")
    for name, _, size, *errors in list(csv.reader(text.splitlines()))[1:]:
        rows.setdefault(name, []).append((int(size), float(errors[0]), float(errors[1])))
    return {name: Measured(*zip(*each, strict=True)) for name, each in rows.items()}


def official_error(name: str) -> str:
    """A sentence on the share of MNIST's 10,000 test digits that the network gets wrong: measured
    now if `load_full` finds these digits here, else as it was recorded."""
    if full_is_here():
        error = 1 - evaluate(load(name), load_full(progress=False)[1]).accuracy
        return f"{error:.2%} of MNIST's official test digits are wrong, measured just now."
    return (f"{measured(name).official_errors[0]:.2%} of MNIST's official test digits were wrong "
            "when the file was made. They are not on this machine, so this run did not measure it.")


def checkpoint(name: str, model: nn.Module, seed: int = COURSE_SEED) -> nn.Module:
    """A copy of the model with weights that were trained for notebook 10, float32.

    name: one of `CONVOLUTIONS`; seed: 5 to 9. ValueError for others, and for a model that does not
    have the shapes of `small_convolution(channels)`.
    """
    one_of("name", name, CONVOLUTIONS)
    whole("seed", seed, 5, 9)
    with np.load(Path(__file__).with_name("convolutions.npz"), allow_pickle=False) as stored:
        numbers = torch.from_numpy(stored[f"{name} {seed}"])
    filled = copy.deepcopy(model)
    parts = filled.state_dict().values()
    sizes = [part.numel() for part in parts]
    if sum(sizes) != len(numbers):
        raise ValueError(f"{name!r} has {len(numbers):,} numbers and this model {sum(sizes):,}: "
                         "it is another network, so train your own")
    for part, values in zip(parts, numbers.split(sizes), strict=True):
        part.copy_(values.view_as(part))
    return filled

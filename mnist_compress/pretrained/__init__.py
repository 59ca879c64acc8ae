"""Small packed networks that come with the package, and the recipe that made each of them.

README.md beside this file has the commands and the seeds, measured.csv what came out. The names
say what was trained: "thousand" the course's 784-128-10 on its 1,000 digits, "perceptron" the same
network on MNIST's training digits, "lenet" LeNet-300-100 on those. "-small" has fewer weights,
"-untied" does without the shared weights of 2x2 pixels, "dense-" is the float32 network that the
others are compared with.
"""

import csv
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

from ..compress.recipe import Recipe
from ..data import full_is_here, load_full, load_sample
from ..packed.file import load_packed
from ..training import evaluate

VALIDATION = 5000  # of the 60,000 training digits, the last ones: for choices, never for training
THOUSAND = Recipe()
PERCEPTRON = Recipe(
    units=(100,), weights=3400, copies=12, distortion=1.0, teacher=(600, 300), teacher_steps=12000,
    dense_steps=3000, prune_steps=10000, quantize_steps=8000)
LENET = replace(
    PERCEPTRON, widths=(784, 300, 100, 10), units=(150, 60), weights=3700, levels=(3, 3, 3),
    prune_steps=12000, quantize_steps=10000)
RECIPES = {
    "thousand": THOUSAND,
    "thousand-small": replace(THOUSAND, weights=380),
    "thousand-untied": replace(THOUSAND, weights=700, tie=False),
    "perceptron": PERCEPTRON,
    "perceptron-untied": replace(PERCEPTRON, units=(80,), tie=False, copies=8),
    "lenet": LENET,
    "lenet-small": replace(LENET, units=(100, 40), weights=2900),
    "lenet-untied": replace(
        LENET, units=(100, 40), weights=4080, tie=False, copies=8, prune_steps=16000,
        quantize_steps=14000, thrift=0.7),
    "lenet-small-untied": replace(
        LENET, units=(80, 36), weights=2860, tie=False, copies=8, quantize_steps=20000, thrift=0.7),
}
REFERENCES = {  # plain training of the dense network, as `training.train` does it
    "dense-thousand": {},
    "dense-perceptron": {"epochs": 10, "batch_size": 64},
    "dense-lenet": {"widths": (784, 300, 100, 10), "epochs": 10, "batch_size": 64},
}


def recipe(name):
    """The `Recipe` of that name; ValueError if there is none."""
    if name not in RECIPES:
        raise ValueError(f"name must be one of {', '.join(RECIPES)}; got {name!r}")
    return RECIPES[name]


def file_of(name):
    """Path of the packed file that was made with seed 0."""
    recipe(name)
    return Path(__file__).with_name(f"{name}.mc")


def shipped(name):
    """The network in that file, an `IntegerNetwork`; ValueError for another name."""
    return load_packed(file_of(name))


def rows_for(name, folder=None):
    """(training Digits, validation Digits) of that network.

    "thousand": the sample's 1,000 and its other 4,000. Others: the first 55,000 and the last 5,000
    of MNIST's training digits, which `load_full(folder)` finds. DataError, ValueError as there.
    """
    if name not in REFERENCES:
        recipe(name)
    if "thousand" in name:
        return load_sample()
    train = load_full(folder, progress=False)[0]
    return train[:-VALIDATION], train[-VALIDATION:]


@dataclass(frozen=True)
class Measured:
    """The files of one recipe: bytes, and errors on the validation rows and on MNIST's official
    test digits, shares of 1; one number for each seed, 0 first."""

    name: str
    bytes: tuple
    validation_errors: tuple
    official_errors: tuple

    @property
    def mean_bytes(self):
        return mean(self.bytes)

    @property
    def validation_error(self):
        """The mean over the seeds."""
        return mean(self.validation_errors)

    @property
    def official_error(self):
        """The mean over the seeds."""
        return mean(self.official_errors)


def measured(name):
    """What was `Measured` when the networks of that name were made; "dense-..." are references."""
    with Path(__file__).with_name("measured.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["network"] == name]
    if not rows:
        raise ValueError(f"nothing was measured under the name {name!r}")
    return Measured(name, tuple(int(row["bytes"]) for row in rows),
                    *(tuple(float(row[kind]) for row in rows)
                      for kind in ("validation error", "official error")))


def official_error(name, folder=None):
    """(error, sentence) of the shipped network on MNIST's 10,000 test digits, a share of 1.

    Measured now if `load_full(folder)` finds them on this machine, else as it was recorded; the
    sentence says which.
    """
    if full_is_here(folder):
        test = load_full(folder, progress=False)[1]
        error = 1 - evaluate(shipped(name), test).accuracy
        return error, f"{error:.2%} of MNIST's official test digits are wrong, measured just now."
    error = measured(name).official_errors[0]
    return error, (f"{error:.2%} of MNIST's official test digits were wrong when the file was "
                   "made. They are not on this machine, so this run did not measure it.")

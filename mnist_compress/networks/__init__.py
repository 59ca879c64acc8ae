"""Small packed networks that come with the package, and the recipe that made each of them.

README.md beside this file has the commands, the seeds and what was measured. The names say what
was trained: "thousand" the course's 784-128-10 on its 1,000 digits, "perceptron" the same network
on MNIST's training digits, "lenet" LeNet-300-100 on those. "-small" has fewer weights, "-untied"
does without the shared weights of 2x2 pixels.
"""

from dataclasses import replace
from pathlib import Path

import torch

from ..data import load_full, load_sample
from ..packing import load_packed
from ..quantization import IntegerClassifier, IntegerLayer
from ..recipes import Recipe

VALIDATION = 5000  # of the 60,000 training digits, the last ones: for choices, never for training
THOUSAND = Recipe()
PERCEPTRON = Recipe(
    units=(80,), weights=2900, copies=12, distortion=1.0, teacher=(600, 300), teacher_steps=12000,
    dense_steps=3000, prune_steps=10000, quantize_steps=8000)
LENET = replace(
    PERCEPTRON, widths=(784, 300, 100, 10), units=(150, 60), weights=3700, levels=(3, 3, 3),
    prune_steps=12000, quantize_steps=10000)
RECIPES = {
    "thousand": THOUSAND,
    "thousand-small": replace(THOUSAND, weights=380),
    "thousand-untied": replace(THOUSAND, weights=700, tie=False),
    "perceptron": PERCEPTRON,
    "perceptron-untied": replace(PERCEPTRON, weights=3400, tie=False, copies=8),
    "lenet": LENET,
    "lenet-small": replace(LENET, units=(100, 40), weights=2900),
    "lenet-untied": replace(LENET, weights=4200, tie=False, copies=8),
    "lenet-small-untied": replace(LENET, units=(100, 40), weights=3200, tie=False, copies=8),
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
    """The network in that file, an `IntegerClassifier`; ValueError for another name."""
    return as_classifier(load_packed(file_of(name)))


def as_classifier(network):
    """PackedNetwork (arrays) -> IntegerClassifier (tensors), the same integers."""
    return IntegerClassifier(
        IntegerLayer(torch.from_numpy(layer.weight), torch.from_numpy(layer.bias),
                     torch.as_tensor(layer.scale),
                     *(part if part is None else torch.as_tensor(part).to(torch.int64)
                       for part in (layer.multiplier, layer.shift)))
        for layer in network.layers)


def rows_for(name, folder=None):
    """(training Digits, validation Digits) of that network.

    "thousand": the sample's 1,000 and its other 4,000. Others: the first 55,000 and the last 5,000
    of MNIST's training digits, which `load_full(folder)` finds. DataError, ValueError as there.
    """
    recipe(name)
    if name.startswith("thousand"):
        return load_sample()
    train = load_full(folder, progress=False)[0]
    return train[:-VALIDATION], train[-VALIDATION:]

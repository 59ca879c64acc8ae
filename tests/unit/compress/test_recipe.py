"""What a recipe may say."""

import math
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from mnist_compress.compress import Recipe
from mnist_compress.compress.recipe import wholes


@pytest.mark.parametrize(("field", "value", "wanted"), [
    ("weights", 0, "weights must be a whole number, 1 or more; got 0"),
    ("weights", 6593, "weights must be a whole number from 1 to 6592; got 6593"),
    ("weights", True, "weights must be a whole number, 1 or more; got True"),
    ("dense_steps", -1, "dense_steps must be a whole number, 0 or more; got -1"),
    ("quantize_steps", 2.5, "quantize_steps must be a whole number, 1 or more; got 2.5"),
    ("units", (200,), "each of units must be a whole number from 1 to 128; got 200"),
    ("units", (3, 4), r"units must be a tuple of 1 whole numbers; got \(3, 4\)"),
    ("units", 32, "units must be a tuple of one or more whole numbers; got 32"),
    ("levels", (3,), r"levels must be a tuple of 2 whole numbers; got \(3,\)"),
    ("levels", (3, 128), "each of levels must be a whole number from 1 to 127; got 128"),
    ("widths", (784, 10), r"widths must go from 784 to 10 over a hidden layer; got \(784, 10\)"),
    ("widths", (196, 128, 10), r"got \(196, 128, 10\)"),
    ("teacher", (), r"teacher must be a tuple of one or more whole numbers; got \(\)"),
    ("teacher", (300, 0), "each of teacher must be a whole number, 1 or more; got 0"),
    ("rate", 1.0, "rate must be a finite number above 0 and below 1; got 1.0"),
    ("rate_weight", -0.5, "rate_weight must be a finite number at least 0; got -0.5"),
    ("augmentation", math.nan, "augmentation must be a finite number at least 0; got nan"),
    ("curvature", math.inf, "curvature must be a finite number at least 0; got inf"),
    ("bias_step", 0, "bias_step must be a finite number above 0; got 0"),
    ("rate", "x", "rate must be a finite number at least 0; got 'x'"),
    ("rate_weight", "x", "rate_weight must be a finite number at least 0; got 'x'"),
    ("tie", "x", "tie must be True or False; got 'x'"),
])
def test_a_recipe_that_cannot_be(field, value, wanted):
    with pytest.raises(ValueError, match=wanted):
        replace(Recipe(), **{field: value})


def test_numbers_of_every_kind_are_numbers():
    recipe = Recipe(weights=np.int64(500), units=[np.uint8(30)], rate=np.float32(0.5),
                    copies=torch.tensor(3), levels=(torch.tensor(2), 3), rate_weight=1)
    plain = Recipe(weights=500, units=(30,), rate=0.5, copies=3, levels=(2, 3), rate_weight=1.0)
    assert recipe == plain and repr(recipe) == repr(plain)
    kinds = {type(value) for value in asdict(recipe).values()}
    assert kinds == {int, float, bool, tuple}


def test_widths_of_the_student():
    assert Recipe().student_widths == (196, 32, 10)
    deep = Recipe(widths=(784, 300, 100, 10), units=(9, 8), levels=(1, 2, 3), tie=False)
    assert deep.student_widths == (784, 9, 8, 10)


def test_wholes_of_their_own_limits():
    assert wholes("levels", [1, np.int8(7)], (1, 7)) == (1, 7)
    with pytest.raises(ValueError, match="each of levels must be a whole number from 1 to 7"):
        wholes("levels", (1, 8), (1, 7))

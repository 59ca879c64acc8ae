"""What a recipe may say."""

import numpy as np
import pytest

from mnist_compress.compress import Recipe


@pytest.mark.parametrize(("value", "wanted"), [
    (0, "weights must be a whole number from 1 to 6592; got 0"),
    (6593, "weights must be a whole number from 1 to 6592; got 6593"),
    (True, "weights must be a whole number from 1 to 6592; got True"),
])
def test_weights_that_cannot_be(value, wanted):
    with pytest.raises(ValueError, match=wanted):
        Recipe(weights=value)


def test_numbers_of_every_kind_are_numbers():
    assert repr(Recipe(weights=np.int64(500))) == repr(Recipe(weights=500))


def test_widths_of_the_student():
    assert Recipe().student_widths == (196, 32, 10)
    deep = Recipe(widths=(784, 300, 100, 10), units=(9, 8), levels=(1, 2, 3), tie=False)
    assert deep.student_widths == (784, 9, 8, 10)

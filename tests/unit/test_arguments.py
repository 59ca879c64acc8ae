import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from mnist_compress.arguments import real, whole

DRESSES = {  # the same number in other people's clothes
    "plain": lambda number: number,
    "NumPy scalar": lambda number: np.array(number)[()],
    "NumPy array": lambda number: np.array(number),
    "NumPy array of one": lambda number: np.array([[number]]),
    "tensor": lambda number: torch.tensor(number),
    "tensor of one": lambda number: torch.tensor([number]),
}
dresses = st.sampled_from(list(DRESSES.values()))
SHAPELESS = ["1", "x", b"1", None, 1j, np.complex64(1), torch.tensor(1j), [1], [], (1,), {1},
             np.ones(2, int), torch.zeros(2, dtype=torch.int64), np.array([]), torch.tensor([]),
             np.array("1"), object, int]


@given(st.integers(-2**62, 2**62), st.integers(-2**62, 2**62), st.integers(0, 9), dresses)
def test_whole_numbers_of_all_kinds_are_those_within_the_limits(number, least, more, dress):
    value = dress(number)
    for most in (least + more, number, math.inf):
        if least <= number <= most:
            found = whole("n", value, least, most)
            assert type(found) is int and found == number
        else:
            with pytest.raises(ValueError, match=r"^n must be a whole number") as error:
                whole("n", value, least, most)
            assert str(error.value).endswith(f"; got {value!r}")


@given(st.booleans() | st.floats(), dresses)
@example(2.0, DRESSES["plain"])
def test_floats_and_booleans_are_no_whole_numbers(wrong, dress):
    with pytest.raises(ValueError, match=r"^n must be a whole number"):
        whole("n", dress(wrong), -10)


def test_whole_says_what_is_allowed():
    for wrong in [*SHAPELESS, 7.0, Fraction(2), math.inf, math.nan]:
        with pytest.raises(ValueError) as error:
            whole("epochs", wrong)
        assert str(error.value) == f"epochs must be a whole number, 0 or more; got {wrong!r}"
    with pytest.raises(ValueError, match=r"^bits must be a whole number from 2 to 8; got 9$"):
        whole("bits", 9, 2, 8)
    assert whole("seed", 10**400) == 10**400
    counter = type("Counter", (), {"__index__": lambda self: 3})
    assert whole("seed", counter()) == 3


ends = st.floats(-9, 9) | st.sampled_from([-math.inf, math.inf])


@given(st.floats(-10, 10) | st.integers(-10, 10), dresses, ends, ends, ends, ends)
def test_real_numbers_of_all_kinds_are_those_within_the_limits(
        number, dress, least, most, above, below):
    value = dress(number)
    number = value.item() if isinstance(value, torch.Tensor) else number  # a float32
    if number >= least and number <= most and number > above and number < below:
        found = real("x", value, least, most, above=above, below=below)
        assert type(found) is float and found == number
    else:
        with pytest.raises(ValueError, match=r"^x must be a finite number") as error:
            real("x", value, least, most, above=above, below=below)
        assert str(error.value).endswith(f"; got {value!r}")


@given(st.booleans() | st.sampled_from([math.nan, math.inf, -math.inf]), dresses)
def test_booleans_and_what_is_not_finite_are_no_real_numbers(wrong, dress):
    with pytest.raises(ValueError, match=r"^x must be a finite number; got "):
        real("x", dress(wrong))


def test_real_says_what_is_allowed():
    for wrong in [*SHAPELESS, 10**400, -10**400, Fraction(10**400)]:
        with pytest.raises(ValueError) as error:
            real("rate", wrong, above=0, below=1)
        assert str(error.value) == (
            f"rate must be a finite number above 0 and below 1; got {wrong!r}")
    with pytest.raises(ValueError, match="number at least 0 and at most 1; got"):
        real("sparsity", 1.01, 0, 1)
    for fine in (np.float16(0.5), np.longdouble(0.5), Fraction(1, 2),
                 torch.tensor(0.5, dtype=torch.bfloat16), torch.tensor(0.5, requires_grad=True)):
        assert real("x", fine) == 0.5

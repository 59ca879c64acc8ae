"""Numbers, names and tensors of every kind: what is taken, and what an error says."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mnist_compress.arguments import finite, one_of, real, tensor, whole

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


def test_tensors_are_what_they_are_said_to_be():
    tensor("images", torch.zeros(2, 3, 4), torch.float32, (3, 4))
    tensor("images", torch.zeros(0, 3))
    for wrong, error, told in [
            ([[1.0]], TypeError, "images must be a torch.Tensor of torch.float32; got list"),
            (torch.zeros(1).long(), TypeError, "of torch.float32; got torch.int64"),
            (torch.zeros(3, 4), ValueError, r"\(n, 3, 4\), so one alone is \(1, 3, 4\)")]:
        with pytest.raises(error, match=told):
            tensor("images", wrong, torch.float32, (3, 4))


@given(st.lists(st.floats(), max_size=9))
def test_finite_numbers_are_those_of_float32(numbers):
    values = torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
    if numbers and all(abs(number) < 3.4e38 for number in numbers):
        found = finite("weights", values)
        assert torch.equal(found, values) and not found.requires_grad
    else:
        assume(not any(3.4e38 <= abs(number) < 3.5e38 for number in numbers))
        with pytest.raises(ValueError, match=r"^(number of )?weights must be"):
            finite("weights", values)


def test_a_choice_is_one_of_those_there_are():
    one_of("scope", "layer", ("global", "layer"))
    for wrong in ("row", None, ["layer"], 0):
        with pytest.raises(ValueError) as error:
            one_of("scope", wrong, {"global": 1, "layer": 2})
        assert str(error.value) == f"scope must be one of global, layer; got {wrong!r}"

"""Estimates of energy by hand."""

import numpy as np
import pytest

from mnist_compress import measure


def test_by_hand():
    # 101,632 multiplications of 3.7 pJ with additions of 0.9 pJ, and of 1.31 and 0.38
    found = measure.energy(101_632, "float32")
    assert found == pytest.approx({"7 nm": 0.1718, "45 nm": 0.4675}, rel=1e-3)
    assert measure.energy(1e6, "int8") == pytest.approx({"7 nm": 0.1, "45 nm": 0.3})
    assert measure.energy(np.int64(1000), "cycle") == pytest.approx(
        {"STM32L031": 76e-6 * 3 / 1e6 * 1e6 * 1000, "STM32F031": 0.855})  # A / MHz x V x cycles


def test_smaller_numbers_take_less():
    for process in ("7 nm", "45 nm"):
        each = [measure.energy(1, kind)[process] for kind in ("int8", "float16", "float32")]
        assert each == sorted(each)


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"kind must be one of int8, .*; got 'int4'"):
        measure.energy(1, "int4")
    with pytest.raises(ValueError, match="count must be a finite number at least 0; got -1"):
        measure.energy(-1, "int8")

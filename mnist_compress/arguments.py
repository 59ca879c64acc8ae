"""Checks of numbers where a user enters them; errors quote the value and say what is allowed."""

import math
import numbers
import operator
import sys

import numpy as np
from torch import Tensor


def whole(name: str, value: object, least: int = 0, most: float = math.inf) -> int:
    """The whole number `value`, `least` to `most`, as an int; of any kind, but not True or 2.0."""
    number = _scalar(value)
    found = operator.index(number) if hasattr(type(number), "__index__") else least - 1
    if not least <= found <= most:
        allowed = f", {least} or more" if most == math.inf else f" from {least} to {most}"
        raise ValueError(f"{name} must be a whole number{allowed}; got {value!r}")
    return found


def real(name: str, value: object, least: float = -math.inf, most: float = math.inf, *,
         above: float = -math.inf, below: float = math.inf) -> float:
    """The finite number `value` as a float: `real("sparsity", value, 0, below=1)`.

    NumPy's numbers and tensors of one element count; True, NaN and "2" do not: ValueError.
    """
    number = _scalar(value)
    is_real = isinstance(number, numbers.Real)
    found = float(number) if is_real and abs(number) <= sys.float_info.max else math.nan
    if not (least <= found <= most and above < found < below):
        ends = {"at least": least, "above": above, "at most": most, "below": below}
        allowed = " and".join(f" {word} {end}" for word, end in ends.items() if math.isfinite(end))
        raise ValueError(f"{name} must be a finite number{allowed}; got {value!r}")
    return found


def _scalar(value):
    """The value, or what an array or a tensor of one element holds; None for True and False."""
    if isinstance(value, (np.generic, np.ndarray, Tensor)):
        value = value.item() if math.prod(value.shape) == 1 else None
    return None if isinstance(value, bool) else value

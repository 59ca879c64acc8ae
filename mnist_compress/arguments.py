"""Checks where a user enters numbers, names or tensors; errors quote the value and say what is
allowed. (`integer` and `packed` do without, as they need NumPy alone.)"""

import math
import numbers
import operator
import sys
from collections.abc import Iterable

import numpy as np
import torch
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


def one_of(name: str, value: object, allowed: Iterable) -> None:
    """ValueError unless the value is one of these."""
    if value not in list(allowed):
        raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}; got {value!r}")


def tensor(name: str, value: object, dtype: torch.dtype | None = None,
           shape: tuple[int, ...] = ()) -> None:
    """TypeError unless it is a tensor of that dtype; ValueError unless (n, *shape) is its shape."""
    if not isinstance(value, Tensor) or dtype not in (None, value.dtype):
        got = value.dtype if isinstance(value, Tensor) else type(value).__name__
        raise TypeError(f"{name} must be a torch.Tensor{f' of {dtype}' * bool(dtype)}; got {got}")
    if shape and value.shape[1:] != shape:
        sizes = ", ".join(map(str, shape))
        raise ValueError(f"{name} must have the shape (n, {sizes}), so one alone is (1, {sizes}); "
                         f"got {tuple(value.shape)}")


def finite(name: str, values: Tensor) -> Tensor:
    """The tensor without its gradients; ValueError for no numbers, NaN, or beyond float32."""
    values = torch.as_tensor(values).detach()
    whole(f"number of {name}", values.numel(), 1)
    wrong = values[~torch.isfinite(values.to(torch.float32))]
    if len(wrong):
        raise ValueError(f"{name} must be finite float32 numbers; got {wrong[0].item()}")
    return values

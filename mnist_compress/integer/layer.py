"""One layer of integers: products of 8-bit numbers, added up, and brought back to 8 bits."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

FLOAT32_EXACT = 2**24  # below it, float32 adds whole numbers exactly, in any order


@dataclass(eq=False)
class IntegerLayer:
    """One layer: weight int8 (out, in), -127..127; bias int32 (out,); what they stand for.

    scale: float32 () or (out,), the value of weight 1. A hidden layer also has multiplier
    (1..2**24 - 1) and shift (1..63), int32 of the shape of scale; the last layer has None.
    """

    weight: np.ndarray
    bias: np.ndarray
    scale: np.ndarray
    multiplier: Any = None
    shift: Any = None

    @property
    def inputs(self) -> int:
        """How many numbers it reads of one digit."""
        return self.weight.shape[1]

    @property
    def units(self) -> int:
        """How many numbers it hands on of one digit."""
        return len(self.weight)

    @property
    def bound(self) -> int:
        """No accumulator can be larger in magnitude, whatever the inputs 0..255."""
        rows = 255 * np.abs(self.weight).sum(1, dtype=np.int64)
        return int((rows + np.abs(self.bias.astype(np.int64))).max())

    def output_scale(self, input_scale: float) -> float:
        """What 1 means in the rescaled output, if it means `input_scale` in the input."""
        if self.shift is None:
            return input_scale * self.scale.item()
        best = self.scale.argmax()  # each unit gives the same; this one has the most bits
        scale, multiplier, shift = (part.flat[best].item()
                                    for part in (self.scale, self.multiplier, self.shift))
        return input_scale * scale * 2.0**shift / multiplier

    @cached_property
    def _factors(self):
        """Weight (in, out) and bias as floats in which every product and sum is exact."""
        kind = np.float32 if self.bound < FLOAT32_EXACT else np.float64
        return self.weight.T.astype(kind), self.bias.astype(kind)

    def accumulate(self, inputs: np.ndarray) -> np.ndarray:
        """uint8 (n, in) -> accumulators int32 (n, out): inputs x weight + bias, exactly.

        As one product of floats: an optimized int8 product is not in NumPy, and integers take ten
        times as long.
        """
        weight, bias = self._factors
        total = inputs.astype(weight.dtype) @ weight
        total += bias
        return total.astype(np.int32)

    def rescale(self, accumulators: np.ndarray) -> np.ndarray:
        """int32 accumulators -> ReLU and 0..255, uint8: floor((a * m + 2**(s - 1)) / 2**s)."""
        shift = self.shift.astype(np.int64)
        total = np.maximum(accumulators, 0).astype(np.int64)
        total *= self.multiplier
        total += np.int64(1) << shift - 1
        total >>= shift
        return np.minimum(total, 255).astype(np.uint8)

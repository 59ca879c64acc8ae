"""The one network of integers: what is quantized to, packed, traced and exported. NumPy only.

From the pixels to the last accumulators there is no rounding of floats: products of 8-bit numbers,
added up as 32-bit integers, and one integer multiplication with a shift between two layers (Jacob
et al. 2018, "Quantization and Training of Neural Networks for Integer-Arithmetic-Only Inference").
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import frexp, isqrt, ldexp, prod
from typing import Any

import numpy as np

PIXEL_SCALE = 1 / 255  # a pixel always was an 8-bit number
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
    def bound(self) -> int:
        """No accumulator can be larger in magnitude, whatever the inputs 0..255."""
        rows = 255 * np.abs(self.weight).sum(1, dtype=np.int64)
        return int((rows + np.abs(self.bias.astype(np.int64))).max())

    def output_scale(self, input_scale: float) -> float:
        """What 1 means in the rescaled output, if it means `input_scale` in the input."""
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


class IntegerNetwork:
    """A multilayer perceptron in integers; its input is uint8 pixels of scale 1/255.

    ValueError for layers that break the rules of `IntegerLayer`, do not follow on each other, or
    could leave the 32 bits of an accumulator.
    """

    def __init__(self, layers: Iterable[IntegerLayer]):
        self.layers = list(layers)
        if not self.layers:
            raise ValueError("need at least one layer; got none")
        for place, layer in enumerate(self.layers):
            inputs = self.layers[place - 1].weight.shape[0] if place else layer.weight.shape[-1]
            if problem := _problem(layer, inputs, place == len(self.layers) - 1):
                raise ValueError(f"layer {place}: {problem}")

    @property
    def widths(self) -> tuple[int, ...]:
        """Units from input to output, such as (784, 128, 10)."""
        return (self.layers[0].weight.shape[1], *(len(layer.weight) for layer in self.layers))

    @property
    def nbytes(self) -> int:
        """Bytes of the weights and biases it holds."""
        return sum(layer.weight.nbytes + layer.bias.nbytes for layer in self.layers)

    @property
    def activation_scales(self) -> list[float]:
        """What 1 means in each layer's input: the pixels' 1/255, then one for each hidden layer."""
        scales = [PIXEL_SCALE]
        for layer in self.layers[:-1]:
            scales.append(layer.output_scale(scales[-1]))
        return scales

    @property
    def logit_scale(self) -> float:
        """What 1 means in the logits."""
        return self.activation_scales[-1] * self.layers[-1].scale.item()

    def _run(self, pixels):
        if pixels.dtype != np.uint8 or pixels.ndim < 2 or prod(pixels.shape[1:]) != self.widths[0]:
            raise ValueError(f"pixels must be uint8, {self.widths[0]} for each of n digits; got "
                             f"{pixels.dtype} of {pixels.shape}")
        values = pixels.reshape(len(pixels), self.widths[0])
        for layer in self.layers:
            accumulators = layer.accumulate(values)
            values = None if layer.shift is None else layer.rescale(accumulators)
            yield accumulators, values

    def accumulators(self, pixels: np.ndarray) -> list[np.ndarray]:
        """uint8 (n, in) or (n, side, side) -> int32 (n, out) of each layer. ValueError."""
        return [accumulators for accumulators, _ in self._run(pixels)]

    def activations(self, pixels: np.ndarray) -> list[np.ndarray]:
        """uint8 pixels -> uint8 (n, units) of each hidden layer, after ReLU."""
        return [values for _, values in self._run(pixels)][:-1]

    def logits(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 pixels -> the last layer's accumulators, int32 (n, 10), in units of logit_scale."""
        return self.accumulators(pixels)[-1]

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 pixels -> the digit with the largest logit, int64 (n,)."""
        return self.logits(pixels).argmax(1)

    def arrays(self) -> dict[str, np.ndarray]:
        """All its arrays by name, such as "layers.0.weight"."""
        return {f"layers.{place}.{name}": part for place, layer in enumerate(self.layers)
                for name, part in vars(layer).items() if isinstance(part, np.ndarray)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "IntegerNetwork":
        """The network whose `arrays` these are."""
        layers: dict[int, dict[str, np.ndarray]] = {}
        for name, part in arrays.items():
            _, place, field = name.split(".")
            layers.setdefault(int(place), {})[field] = part
        return cls(IntegerLayer(**layers[place]) for place in sorted(layers))


def _problem(layer, inputs, last):
    """What is wrong with a layer that follows on so many inputs, or None."""
    weight, bias, shape = layer.weight, layer.bias, layer.scale.shape
    if weight.ndim != 2 or weight.dtype != np.int8 or not weight.size or weight.min() == -128:
        return f"weights must be int8 (out, in), -127..127; got {weight.dtype} of {weight.shape}"
    if weight.shape[1] != inputs:
        return f"{weight.shape[1]} inputs after {inputs} units"
    if bias.dtype != np.int32 or bias.shape != weight.shape[:1]:
        return f"bias must be int32 of {weight.shape[:1]}; got {bias.dtype} of {bias.shape}"
    if shape not in ((), bias.shape) or (last and shape):
        return f"scale must have the shape (){'' if last else f' or {bias.shape}'}; got {shape}"
    if not (np.isfinite(layer.scale) & (layer.scale > 0)).all():
        return f"scale must be above 0 and finite; got {layer.scale}"
    if (layer.multiplier is None) != last or (layer.shift is None) != last:
        return "hidden layers have multiplier and shift, the last one has none"
    for part, most in () if last else ((layer.multiplier, 2**24 - 1), (layer.shift, 63)):
        if part.shape != shape or part.min() < 1 or part.max() > most:
            return f"multiplier and shift must lie in 1..2**24 - 1 and 1..63; got {part}"
    if layer.bound >= 2**31:
        return f"an accumulator could reach {layer.bound}, beyond 32 bits"
    return None


def as_fraction(value: float, bits: int = 24, most: int = 63) -> tuple[int, int]:
    """Positive float -> (m, s), m below 2**bits and s at most `most`, with value close to m / 2**s.

    With 24 bits a float32 of ordinary size is met exactly.
    """
    shift = min(bits - frexp(value)[1], most)
    return min(max(round(ldexp(value, shift)), 1), 2**bits - 1), shift


def spread_2x2(weight: np.ndarray) -> np.ndarray:
    """(out, side * side) of 2x2 blocks -> (out, 4 * side * side): each goes to its four pixels."""
    side = isqrt(weight.shape[1])
    return weight.reshape(-1, side, side).repeat(2, 1).repeat(2, 2).reshape(len(weight), -1)


def share_2x2(weight: np.ndarray) -> np.ndarray | None:
    """The inverse of `spread_2x2`, or None where the weights of a block differ."""
    side = isqrt(weight.shape[1])
    if side**2 != weight.shape[1] or side % 2:
        return None
    small = weight.reshape(-1, side, side)[:, ::2, ::2].reshape(len(weight), -1)
    return small if np.array_equal(spread_2x2(small), weight) else None

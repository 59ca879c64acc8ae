"""The one network of integers: what is quantized to, packed, traced and exported. NumPy only.

From the pixels to the last accumulators there is no rounding of floats: products of 8-bit numbers,
added up as 32-bit integers, and one integer multiplication with a shift between two layers (Jacob
et al. 2018, "Quantization and Training of Neural Networks for Integer-Arithmetic-Only Inference").
"""

from collections.abc import Iterable
from math import frexp, isqrt, ldexp, prod
from typing import Any

import numpy as np

from .convolution import IntegerConvolution
from .layer import IntegerLayer

PIXEL_SCALE = 1 / 255  # a pixel always was an 8-bit number

__all__ = ["PIXEL_SCALE", "IntegerConvolution", "IntegerLayer", "IntegerNetwork",
           "as_fraction", "share_2x2", "spread_2x2"]


class IntegerNetwork:
    """A network in integers: a multilayer perceptron, or convolutions; its input is uint8 pixels of
    scale 1/255. Who makes one keeps the rules of `IntegerLayer`; `packed` checks them."""

    def __init__(self, layers: Iterable[IntegerLayer]):
        self.layers: list[Any] = list(layers)

    @property
    def widths(self) -> tuple[int, ...]:
        """Units from input to output, such as (784, 128, 10)."""
        return (self.layers[0].inputs, *(layer.units for layer in self.layers))

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
            values = accumulators if layer.shift is None else layer.rescale(accumulators)
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
        return {f"layers.{place}.{name}": part
                for place, layer in enumerate(self.layers)
                for name, part in vars(layer).items() if isinstance(part, np.ndarray)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "IntegerNetwork":
        """The network of dense layers whose `arrays` these are."""
        layers: dict[int, dict[str, np.ndarray]] = {}
        for name, part in arrays.items():
            _, place, field = name.split(".")
            layers.setdefault(int(place), {})[field] = part
        return cls(IntegerLayer(**layers[place]) for place in sorted(layers))


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

"""The one network of integers: what is quantized to, packed, traced and exported. NumPy only.

From the pixels to the last accumulators there is no rounding of floats: products of 8-bit numbers,
added up as 32-bit integers, and one integer multiplication with a shift between two layers (Jacob
et al. 2018, "Quantization and Training of Neural Networks for Integer-Arithmetic-Only Inference").
"""

from collections.abc import Iterable
from math import frexp, isqrt, ldexp, prod

import numpy as np

from .convolution import IntegerConvolution
from .layer import IntegerLayer

PIXEL_SCALE = 1 / 255  # a pixel always was an 8-bit number

__all__ = ["PIXEL_SCALE", "IntegerConvolution", "IntegerLayer", "IntegerNetwork",
           "as_fraction", "share_2x2", "spread_2x2"]


class IntegerNetwork:
    """A network in integers: a multilayer perceptron, or convolutions; its input is uint8 pixels of
    scale 1/255.

    ValueError for layers that break the rules of `IntegerLayer`, do not follow on each other, or
    could leave the 32 bits of an accumulator.
    """

    def __init__(self, layers: Iterable[IntegerLayer]):
        self.layers = list(layers)
        if not self.layers:
            raise ValueError("need at least one layer; got none")
        for place, layer in enumerate(self.layers):
            if problem := _problem(layer, self.layers[:place], place == len(self.layers) - 1):
                raise ValueError(f"layer {place}: {problem}")

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
        return {f"layers.{place}.{name}": np.asarray(part)
                for place, layer in enumerate(self.layers)
                for name, part in vars(layer).items() if isinstance(part, np.ndarray | int)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "IntegerNetwork":
        """The network whose `arrays` these are."""
        layers: dict[int, dict[str, np.ndarray]] = {}
        for name, part in arrays.items():
            _, place, field = name.split(".")
            layers.setdefault(int(place), {})[field] = part
        return cls(_from_arrays(layers[place]) for place in sorted(layers))


def _from_arrays(fields):
    """The layer of these arrays; what a convolution has beside arrays are whole numbers."""
    if "side" not in fields:
        return IntegerLayer(**fields)
    numbers = {name: int(fields[name]) for name in ("side", "stride", "groups", "pool", "most")}
    return IntegerConvolution(**fields | numbers)


def _problem(layer, before, last):
    """What is wrong with a layer that follows on those before, or None."""
    weight, bias, shape = layer.weight, layer.bias, layer.scale.shape
    moves = isinstance(layer, IntegerConvolution)
    if (weight.ndim != (4 if moves else 2) or weight.dtype != np.int8 or not weight.size
            or weight.min() == -128):
        form = "out, in / groups, kernel, kernel" if moves else "out, in"
        return f"weights must be int8 ({form}), -127..127; got {weight.dtype} of {weight.shape}"
    if moves and (problem := _window_problem(layer, before, last)):
        return problem
    if before and layer.inputs != before[-1].units:
        return f"{layer.inputs} inputs after {before[-1].units} units"
    if bias.dtype != np.int32 or bias.shape != weight.shape[:1]:
        return f"bias must be int32 of {weight.shape[:1]}; got {bias.dtype} of {bias.shape}"
    linear = layer.shift is None and moves
    if shape not in ((), bias.shape) or ((last or linear) and shape):
        return f"scale must have the shape (){'' if last else f' or {bias.shape}'}; got {shape}"
    if not (np.isfinite(layer.scale) & (layer.scale > 0)).all():
        return f"scale must be above 0 and finite; got {layer.scale}"
    if (layer.multiplier is None) != (layer.shift is None) or (
            (layer.shift is None) != last and (last or not linear)):
        return "hidden layers have multiplier and shift, the last one has none"
    for part, most in () if last or linear else ((layer.multiplier, 2**24 - 1), (layer.shift, 63)):
        if part.shape != shape or part.min() < 1 or part.max() > most:
            return f"multiplier and shift must lie in 1..2**24 - 1 and 1..63; got {part}"
    if layer.bound >= 2**31:
        return f"an accumulator could reach {layer.bound}, beyond 32 bits"
    return None


def _window_problem(layer, before, last):
    """What is wrong with the numbers that only a convolution has, or None."""
    height, width = layer.weight.shape[2:]
    if height != width or height % 2 == 0:
        return f"a window must be square, its side odd; got {height} x {width}"
    if not 1 <= layer.stride <= layer.side or layer.groups < 1 or len(layer.weight) % layer.groups:
        return (f"stride must lie in 1..side, groups must divide {len(layer.weight)} channels; got "
                f"stride {layer.stride}, side {layer.side}, groups {layer.groups}")
    pools = (0,) if last else (1, 2) if layer.shift is not None and layer.places > 1 else (1,)
    if layer.pool not in pools:
        return f"pool must be one of {pools}; got {layer.pool}"
    if before and isinstance(before[-1], IntegerConvolution) and layer.side != before[-1].out_side:
        return f"a picture of side {layer.side} after one of {before[-1].out_side}"
    most = before[-1].bound if before and before[-1].shift is None else 255
    if layer.most != most:
        return f"most must be {most}, what an input can reach; got {layer.most}"
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

"""A layer of integers that moves a window over a picture."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .layer import FLOAT32_EXACT, IntegerLayer

_PART = 256  # digits that a convolution takes at a time: their windows fill a cache, not the memory


@dataclass(eq=False)
class IntegerConvolution(IntegerLayer):
    """A layer that moves small windows over pictures (LeCun et al. 1989), zeros around them: int8
    weight (out, in / groups, kernel, kernel), kernel odd. It reads and hands on flat pictures.

    side: of the pictures that it reads. stride: 1 or more, from window to window. groups: channels
    are split into as many, none reads another's. pool: 1; 2: of each 2x2 block of a hidden layer's
    rescaled numbers the largest remains; 0, for the last layer alone: a channel's accumulators add
    up over the picture, its bias once. A hidden layer may have neither multiplier nor shift: its
    accumulators go on as they are. most: no input is larger in magnitude: 255, or the bound of such
    a layer before this one. scale, multiplier and shift: (), or (out,) in a hidden layer.
    """

    side: int = 28
    stride: int = 1
    groups: int = 1
    pool: int = 1
    most: int = 255

    @property
    def kernel(self) -> int:
        """The side of a window."""
        return self.weight.shape[2]

    @property
    def places(self) -> int:
        """The side of the picture of accumulators: so many windows lie beside each other."""
        return (self.side - 1) // self.stride + 1

    @property
    def out_side(self) -> int:
        """The side of the pictures that it hands on."""
        return self.places // self.pool if self.pool else 1

    @property
    def inputs(self) -> int:
        """Channels times places of the pictures that it reads."""
        return self.weight.shape[1] * self.groups * self.side**2

    @property
    def units(self) -> int:
        """Channels times places of the pictures that it hands on."""
        return len(self.weight) * self.out_side**2

    @property
    def bound(self) -> int:
        """No accumulator can be larger in magnitude, whatever the inputs."""
        most = self.most * (1 if self.pool else self.places**2)
        rows = np.abs(self.weight.astype(np.int64)).sum((1, 2, 3)).tolist()
        biases = self.bias.tolist()
        return max(row * most + abs(bias) for row, bias in zip(rows, biases, strict=True))

    @cached_property
    def _factors(self):
        """Weight (groups, in / groups * kernel**2, out / groups) and bias; see `IntegerLayer`."""
        kind = np.float32 if self.bound < FLOAT32_EXACT else np.float64
        weight = self.weight.astype(kind).reshape(self.groups, len(self.weight) // self.groups, -1)
        return weight.transpose(0, 2, 1), self.bias.astype(kind)

    def accumulate(self, inputs: np.ndarray) -> np.ndarray:
        """Integers (n, inputs) -> int32 (n, out * places**2); with pool 0, (n, out)."""
        parts = np.split(inputs, range(_PART, len(inputs), _PART))
        return np.concatenate([self._windows(part) for part in parts])

    def _windows(self, inputs):
        """Each window is one row of a product of matrices, one product for each group."""
        (weight, bias), edge, n = self._factors, self.kernel // 2, len(inputs)
        groups, window, _ = weight.shape
        picture = inputs.astype(weight.dtype).reshape(n, self.inputs // self.side**2, self.side,
                                                      self.side)
        picture = np.pad(picture, ((0, 0), (0, 0), (edge, edge), (edge, edge)))
        seen = np.lib.stride_tricks.sliding_window_view(picture, (self.kernel, self.kernel), (2, 3))
        seen = seen[:, :, ::self.stride, ::self.stride].transpose(1, 4, 5, 0, 2, 3)
        rows = seen.reshape(groups, window, n * self.places**2).swapaxes(1, 2)
        total = (rows @ weight).swapaxes(1, 2).reshape(len(bias), n, self.places**2).swapaxes(0, 1)
        total = total.sum(2) + bias if self.pool == 0 else total + bias[:, None]
        return total.astype(np.int32).reshape(n, np.prod(total.shape[1:], dtype=int))

    def rescale(self, accumulators: np.ndarray) -> np.ndarray:
        """int32 accumulators -> as in `IntegerLayer`, then pooled: uint8 (n, units)."""
        n, channels, side, pool = len(accumulators), len(self.weight), self.out_side, self.pool
        total = accumulators.reshape(n, channels, self.places, self.places).swapaxes(1, 3)
        values = super().rescale(total).swapaxes(1, 3)[..., :side * pool, :side * pool]
        values = values.reshape(n, channels, side, pool, side, pool).max((3, 5))
        return values.reshape(n, self.units)

"""What a file says of a network before its weights.

After "mc" come a byte with version and codec, a byte with flags, then varints: the widths, and for
each layer its scale, the multiplier that brings a hidden layer's accumulators back to 8 bits, and
the step its biases are multiples of. The body follows, and a CRC-32 of all before it.
"""

from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import isqrt

import numpy as np

from ..integer import IntegerLayer, IntegerNetwork, spread_2x2
from .port import PackedFileError, Port, check

_LEAST = 2.0**-39  # scale: as a fraction of a number below 2**24, its power is below 2**64


@dataclass
class Header:
    """A network as a file stores it; layers that are read are zeros until a codec has filled them.

    codec: its number. tied: the first layer holds one weight for each 2x2 block of pixels. steps:
    the biases of each layer are stored divided by its step.
    """

    codec: int = 0
    tied: bool = False
    layers: list[IntegerLayer] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)

    def walk(self, port: Port) -> None:
        """All before the body. Sizes are checked before anything of such a size is allocated."""
        channels = self.layers[0].scale.ndim if self.layers else 0
        kind = port.byte("header", 16 | self.codec)
        flags = port.byte("header", self.tied | channels << 1 | len(self.layers) << 2)
        check(kind >> 4 == 1, f"format version {kind >> 4}, this reader knows 1")
        self.codec, self.tied, channels = kind & 15, bool(flags & 1), flags >> 1 & 1
        widths = [0] * ((flags >> 2) + 1)
        if self.layers:
            inputs = self.layers[0].weight.shape[1] << 2 * self.tied
            widths = [inputs, *(len(layer.weight) for layer in self.layers)]
        widths = [port.varint("header", width) for width in widths]
        check(len(widths) > 1 and min(widths) > 0, "a layer without units")
        port.limit("weights", sum(a * b for a, b in pairwise(widths)))
        port.limit("units", sum(widths[1:]))
        side = isqrt(widths[0])
        even = side**2 == widths[0] and side % 2 == 0
        check(even or not self.tied, "2x2 sharing needs a square picture")
        if port.reading:
            widths[0] >>= 2 * self.tied
            self.layers = [_zeros(*pair, channels) for pair in pairwise(widths[:-1])]
            self.layers.append(_zeros(*widths[-2:]))
            self.steps = [1] * len(self.layers)
        for place, layer in enumerate(self.layers):
            _walk_scales(port, layer)
            twos = (self.steps[place] & -self.steps[place]).bit_length() - 1
            odd, twos = port.pair("biases", self.steps[place] >> twos, twos)
            self.steps[place] = odd << twos
            check(odd << twos < 1 << 31, "a step of the biases is out of range")

    def network(self) -> IntegerNetwork:
        """The network of `layers`, once they are read. PackedFileError."""
        layers = []
        for layer, step in zip(self.layers, self.steps, strict=True):
            bias = layer.bias.astype(np.int64) * step
            check(abs(bias).max() < 1 << 31, "a bias is out of range")
            layers.append(replace(layer, bias=bias.astype(np.int32)))
        if self.tied:
            layers[0].weight = spread_2x2(layers[0].weight)
        try:
            return IntegerNetwork(layers)
        except ValueError as problem:
            raise PackedFileError(str(problem)) from problem


def _zeros(inputs, outputs, channels=None):
    """A layer to be read; channels: whether a hidden layer has a scale for each unit."""
    ones = np.ones(outputs if channels else (), np.int32)
    rescale = [] if channels is None else [ones, ones]
    weight, bias = np.zeros((outputs, inputs), np.int8), np.zeros(outputs, np.int32)
    return IntegerLayer(weight, bias, ones.astype(np.float32), *rescale)


def _walk_scales(port, layer):
    """scale as exact fractions number / 2**shift in lowest terms, then multipliers and shifts."""
    shape, scales = layer.scale.shape, layer.scale.ravel().tolist()
    for place, scale in enumerate(scales):
        check(_LEAST <= scale < 1 << 24, f"a scale must lie between 2**-39 and 2**24, got {scale}")
        number, power = scale.as_integer_ratio()
        number, shift = port.pair("scales", number, power.bit_length() - 1)
        scales[place] = number / 2**shift
    check(min(scales) >= _LEAST, "a scale is out of range")
    layer.scale = np.array(scales, np.float32).reshape(shape)
    if layer.shift is not None:
        both = zip(layer.multiplier.ravel().tolist(), layer.shift.ravel().tolist(), strict=True)
        both = np.array([port.pair("scales", *pair) for pair in both], np.int32)
        layer.multiplier, layer.shift = both.T[0].reshape(shape), both.T[1].reshape(shape)

"""How a file is passed: the `Port` that writes and reads it, and the `Header` before all weights.

A format is one walk: all that a file holds goes through a port, one thing after the other. A port
that writes takes it and gives it back; a port that reads ignores it and gives what the file has
there, so that layers of zeros come back filled.
"""

import zlib
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import isqrt, prod
from typing import ClassVar

import numpy as np

from ..integer import IntegerLayer, spread_2x2


class PackedFileError(ValueError):
    """The file is damaged, hostile or above a limit; the message says what is wrong."""


def check(condition: object, problem: str) -> None:
    """Raise PackedFileError(problem) unless condition holds."""
    if not condition:
        raise PackedFileError(problem)


class Port:
    """One pass over a file: over `data` (trusted: it may be above LIMITS), or to write `out`.

    sizes: the bytes of each label. shares: how those of the label "stream" divide among the others.
    """

    LIMITS: ClassVar = {  # of what costs time and memory, so that any file takes 2 s and 200 MB
        "bytes": 1 << 23,
        "weights": 1 << 22,
        "units": 1 << 14,  # of all layers but the input
        "lookups": 3 << 19,  # of counters and earlier weights in context mixing, and two for a bit
    }

    def __init__(self, data: bytes | None = None, trusted: bool = False):
        self.reading, self.trusted = data is not None, trusted or data is None
        self.sizes, self.shares = Counter(header=6), Counter[str]()
        self.counts = Counter[str]()  # of each limit
        self.out, self.rest = bytearray(b"mc"), memoryview(data or b"")
        if data is not None:
            self.limit("bytes", len(data))
            check(data[:2] == b"mc", "not a packed network: it must start with 'mc'")
            check(len(data) > 8, "the file ends too early")
            checksum = int.from_bytes(data[-4:], "little")
            check(zlib.crc32(self.rest[:-4]) == checksum, "the checksum is wrong")
            self.rest = self.rest[2:-4]

    def limit(self, name: str, count: int) -> None:
        """So many more of what a limit is for. PackedFileError if they are above it now."""
        self.counts[name] += count
        most, found = self.LIMITS[name], self.counts[name]
        check(self.trusted or found <= most,
              f"{found} {name} are above the limit of {most}; trusted=True lifts it")

    def finish(self) -> bytes:
        """The whole file that was written."""
        self.out += zlib.crc32(self.out).to_bytes(4, "little")
        return bytes(self.out)

    def array(self, label: str, values: np.ndarray, dtype: str = "u1",
              count: int | None = None) -> np.ndarray:
        """An array, stored as dtype; a reader must know its shape or the count of its items."""
        shape = values.shape if count is None else (count,)
        size = prod(shape) * np.dtype(dtype).itemsize
        self.sizes[label] += size
        if not self.reading:
            self.out += np.ascontiguousarray(values, dtype).tobytes()
            return values
        check(size <= len(self.rest), "the file ends too early")
        part, self.rest = self.rest[:size], self.rest[size:]
        return np.frombuffer(part, dtype).reshape(shape)

    def bits(self, label: str, truth: np.ndarray) -> np.ndarray:
        """A bool array, eight in a byte."""
        packed = self.array(label, np.packbits(truth))
        return np.unpackbits(packed, count=truth.size).view(bool).reshape(truth.shape)

    def byte(self, label: str, value: int) -> int:
        """A number 0..255."""
        return int(self.array(label, np.array([value]))[0])

    def varint(self, label: str, value: int) -> int:
        """A number below 2**35: seven bits in a byte, lowest first; the eighth says "more"."""
        result = 0
        for place in range(0, 35, 7):
            byte = self.byte(label, value & 127 | 128 * (value > 127))
            result, value = result | (byte & 127) << place, value >> 7
            if byte < 128:
                return result
        raise PackedFileError("a number is longer than five bytes")

    def pair(self, label: str, number: int, shift: int) -> tuple[int, int]:
        """A number 1..2**24 - 1 and a shift 0..63 in one varint."""
        number, shift = divmod(self.varint(label, number << 6 | shift), 64)
        check(0 < number < 1 << 24, "a scale, a multiplier or a step is out of range")
        return number, shift

    def scale(self, scale: float) -> float:
        """A scale, the exact fraction number / 2**shift in lowest terms."""
        check(2.0**-39 <= scale < 2**24, f"a scale must lie between 2**-39 and 2**24, got {scale}")
        number, power = scale.as_integer_ratio()
        number, shift = self.pair("scales", number, power.bit_length() - 1)
        check(number / 2**shift >= 2.0**-39, "a scale is out of range")
        return number / 2**shift


@dataclass
class Header:
    """A network as a file stores it: what is said of it first, and layers for a codec to fill.

    codec: its number. tied: the first layer holds one weight for each 2x2 block of pixels. steps:
    what the biases of each layer were divided by.
    """

    codec: int = 0
    tied: bool = False
    layers: list[IntegerLayer] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)

    def walk(self, port: Port) -> None:
        """A byte each for version and codec, flags; varints: widths, scales, rescaling, steps."""
        check(len(self.layers) < 64, f"a file holds at most 63 layers, not {len(self.layers)}")
        channels = self.layers[0].scale.ndim if self.layers else 0
        kind = port.byte("header", 16 | self.codec)
        flags = port.byte("header", self.tied | channels << 1 | len(self.layers) << 2)
        check(kind >> 4 == 1, f"format version {kind >> 4}, this reader knows 1 and 2")
        self.codec, self.tied, channels = kind & 15, bool(flags & 1), flags >> 1 & 1
        inputs = self.layers[0].weight.shape[1] << 2 * self.tied if self.layers else 0
        units = [len(layer.weight) for layer in self.layers] or [0] * (flags >> 2)
        widths = [port.varint("header", width) for width in (inputs, *units)]
        check(len(widths) > 1 and min(widths) > 0, "a layer without units")
        port.limit("weights", sum(a * b for a, b in pairwise(widths)))
        port.limit("units", sum(widths[1:]))
        side = isqrt(widths[0])
        check(not self.tied or (side & ~1) ** 2 == widths[0], "2x2 sharing needs a square picture")
        if port.reading:  # only now is anything of such a size allocated
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

    def whole(self) -> list[IntegerLayer]:
        """Layers as they are in a network, once they are read. PackedFileError."""
        layers = []
        for layer, step in zip(self.layers, self.steps, strict=True):
            bias = layer.bias.astype(np.int64) * step
            check(abs(bias).max() < 1 << 31, "a bias is out of range")
            layers.append(replace(layer, bias=bias.astype(np.int32)))
        if self.tied:
            layers[0].weight = spread_2x2(layers[0].weight)
        return layers


def _zeros(inputs, outputs, channels=None):
    """A layer to be read; channels: whether a hidden layer has a scale for each unit."""
    ones = np.ones(outputs if channels else (), np.int32)
    rescale = [] if channels is None else [ones, ones]
    weight, bias = np.zeros((outputs, inputs), np.int8), np.zeros(outputs, np.int32)
    return IntegerLayer(weight, bias, ones.astype(np.float32), *rescale)


def _walk_scales(port, layer):
    """All scales of a layer, then its multipliers and shifts."""
    shape = layer.scale.shape
    scales = [port.scale(scale) for scale in layer.scale.ravel().tolist()]
    layer.scale = np.array(scales, np.float32).reshape(shape)
    if layer.shift is not None:
        both = zip(layer.multiplier.ravel().tolist(), layer.shift.ravel().tolist(), strict=True)
        both = np.array([port.pair("scales", *pair) for pair in both], np.int32)
        layer.multiplier, layer.shift = both.T[0].reshape(shape), both.T[1].reshape(shape)

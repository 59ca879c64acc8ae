"""What every packed file has in common: the network as NumPy arrays, the header, the checksum.

A file is "mc", a byte with version and coder, a byte with flags, then varints: the widths, and for
each layer its scale, the multiplier that brings a hidden layer's sums back to 8 bits, and the step
its biases are multiples of. Then comes the body, which depends on the coder, and a CRC-32 of all
before it, lowest byte first. This module needs NumPy only.
"""

import itertools
import zlib
from dataclasses import dataclass
from math import isqrt

import numpy as np

from ..integer import IntegerLayer, IntegerNetwork, as_fraction

MAGIC, VERSION = b"mc", 1
CODERS = ("dense", "bitmask", "csr", "order0", "record")
MAX_WEIGHTS = 1 << 28  # default limit of every reader
RECORD_WEIGHTS = 1 << 19  # limit of the record coder, which needs some 5 microseconds a bit
MAX_LAYERS, MAX_UNITS = 63, 1 << 20
SMALLEST_SCALE = 2.0**-39  # of weights: as an integer below 2**24 it takes 63 shifts


class PackedFileError(ValueError):
    """The file is damaged, hostile or above a limit; the message says what is wrong."""


def check(condition, problem):
    """Raise PackedFileError(problem) unless condition holds."""
    if not condition:
        raise PackedFileError(problem)


def require(condition, problem):
    """Raise ValueError(problem) unless condition holds."""
    if not condition:
        raise ValueError(problem)


@dataclass
class Header:
    """All before the body: layers hold zeros until a coder fills them (biases in steps)."""

    coder: str
    tied: bool
    layers: list[IntegerLayer]
    steps: list[int]


class Cursor:
    """Reads bytes from front to back and raises PackedFileError at the end."""

    def __init__(self, data):
        self.rest = memoryview(data)

    def take(self, count, dtype=np.uint8):
        """The next `count` items as a read-only array of dtype."""
        size = count * np.dtype(dtype).itemsize
        check(size <= len(self.rest), "the file ends too early")
        part, self.rest = self.rest[:size], self.rest[size:]
        return np.frombuffer(part, dtype)

    def varint(self):
        """The next integer as `varint` wrote it, of at most five bytes."""
        value = 0
        for position in range(0, 35, 7):
            byte = int(self.take(1)[0])
            value |= (byte & 127) << position
            if byte < 128:
                return value
        raise PackedFileError("a number is longer than five bytes")


def varint(value):
    """Non-negative integer -> bytes, seven bits each, lowest first; the top bit says "more"."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def pairs(numbers, shifts):
    """Arrays m (below 2**24) and s (below 64), both () or (out,) -> a varint for each pair."""
    both = zip(np.ravel(numbers).tolist(), np.ravel(shifts).tolist(), strict=True)
    return b"".join(varint(number << 6 | shift) for number, shift in both)


def read_pairs(cursor, shape):
    """The arrays that `pairs` wrote, int32 of the given shape, () or (out,)."""
    count = shape[0] if shape else 1
    both = [divmod(cursor.varint(), 64) for _ in range(count)]
    check(all(0 < m < 1 << 24 for m, _ in both), "a scale or multiplier is out of range")
    return [np.array(part, np.int32).reshape(shape) for part in zip(*both, strict=True)]


def odd_and_twos(value):
    """Positive integer -> odd, twos with value == odd << twos."""
    twos = (value & -value).bit_length() - 1
    return value >> twos, twos


def _fractions(scale):
    """Positive float32 array -> int64 m, s with scale == m / 2**s exactly; s least possible."""
    both = []
    for value in np.ravel(scale).tolist():
        if not SMALLEST_SCALE <= value < 1 << 24:
            raise ValueError(f"a scale must lie between 2**-39 and 2**24, got {scale}")
        number, shift = as_fraction(value)
        twos = min(odd_and_twos(number)[1], shift)
        both.append((number >> twos, shift - twos))
    return [np.array(part).reshape(np.shape(scale)) for part in zip(*both, strict=True)]


def write_header(coder, tied, network, steps):
    """Network and the step of each layer's biases -> list of (label, bytes), for read_header."""
    channels = np.ndim(network.layers[0].scale) == 1
    flags = tied | channels << 1 | len(network.layers) << 2
    start = MAGIC + bytes([VERSION << 4 | CODERS.index(coder), flags])
    parts = [("header", start + b"".join(varint(width) for width in network.widths))]
    for layer, step in zip(network.layers, steps, strict=True):
        parts.append(("scales", pairs(*_fractions(layer.scale))))
        if layer.shift is not None:
            parts.append(("scales", pairs(layer.multiplier, layer.shift)))
        parts.append(("biases", pairs(*odd_and_twos(step))))
    return parts


def read_header(data, max_weights=MAX_WEIGHTS):
    """bytes -> Header and Cursor at the body. All sizes are checked before anything is allocated.

    max_weights limits the weights of the unpacked network; raises PackedFileError.
    """
    view = memoryview(data)
    check(view[:2] == MAGIC, "not a packed network: it must start with 'mc'")
    check(len(view) > 8, "the file ends too early")
    check(zlib.crc32(view[:-4]) == int.from_bytes(view[-4:], "little"), "the checksum is wrong")
    cursor = Cursor(view[2:-4])
    kind, flags = cursor.take(2).tolist()
    check(kind >> 4 == VERSION, f"format version {kind >> 4}, this reader knows {VERSION}")
    check(kind & 15 < len(CODERS), f"unknown coder {kind & 15}")
    coder, tied, channels = CODERS[kind & 15], bool(flags & 1), flags >> 1 & 1
    widths = [cursor.varint() for _ in range((flags >> 2) + 1)]
    check(len(widths) > 1 and min(widths) > 0, "a layer without units")
    weights = sum(a * b for a, b in itertools.pairwise(widths))
    limit = min(max_weights, RECORD_WEIGHTS) if coder == "record" else max_weights
    check(weights <= limit, f"{weights} weights are above the limit of {limit}")
    check(sum(widths[1:]) <= MAX_UNITS, f"more than {MAX_UNITS} units")
    side = isqrt(widths[0])
    even = side % 2 == 0 and side**2 == widths[0]
    check(not tied or even, "2x2 sharing needs a square picture")
    layers, steps = [], []
    for index, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        hidden = index < len(widths) - 2
        shape = (outputs,) if channels and hidden else ()
        number, power = read_pairs(cursor, shape)
        scale = np.ldexp(number.astype(np.float64), -power).astype(np.float32)
        check(scale.min() >= SMALLEST_SCALE, "a scale is out of range")
        again = read_pairs(cursor, shape) if hidden else []
        check(not hidden or again[1].min() > 0, "a shift of zero")
        step, twos = read_pairs(cursor, ())
        steps.append(int(step) << int(twos))
        check(steps[-1] < 1 << 31, "a step of the biases is out of range")
        weight = np.zeros((outputs, inputs // 4 if tied and index == 0 else inputs), np.int8)
        layers.append(IntegerLayer(weight, np.zeros(outputs, np.int32), scale, *again))
    return Header(coder, tied, layers, steps), cursor


def share_2x2(weight):
    """(out, side * side) -> (out, side * side / 4) if each 2x2 block is even, else None."""
    side = isqrt(weight.shape[1])
    if side**2 != weight.shape[1] or side % 2:
        return None
    grid = weight.reshape(len(weight), side, side)
    small = grid[:, ::2, ::2]
    if all(np.array_equal(small, grid[:, r::2, c::2]) for r, c in ((0, 1), (1, 0), (1, 1))):
        return np.ascontiguousarray(small).reshape(len(weight), -1)
    return None


def sort_units(network):
    """The same function with the hidden units of each layer in order of their biases.

    The record coder then needs next to nothing for the biases: it is told one of n! equal orders.
    Equal biases go by number of weights, largest first.
    """
    layers = [IntegerLayer(layer.weight, layer.bias, layer.scale, layer.multiplier, layer.shift)
              for layer in network.layers]
    for layer, after in itertools.pairwise(layers):
        order = np.lexsort((-np.count_nonzero(layer.weight, axis=1), layer.bias))
        layer.weight, layer.bias = layer.weight[order], layer.bias[order]
        if np.ndim(layer.scale):
            layer.scale, layer.shift = layer.scale[order], layer.shift[order]
            layer.multiplier = layer.multiplier[order]
        after.weight = after.weight[:, order]
    return IntegerNetwork(layers)

"""What every packed file has in common: the network as plain NumPy arrays, header and checksum.

A file is "mc", a byte with version and coder, a byte with flags, then varints: the widths, and for
each layer its scale, the multiplier that brings a hidden layer's sums back to 8 bits, and the step
its biases are multiples of. Then comes the body, which depends on the coder, and a CRC-32.
This module needs NumPy only.
"""

import io
import zlib
from dataclasses import dataclass
from math import isqrt

import numpy as np

MAGIC, VERSION = b"mc", 1
CODERS = ("dense", "bitmask", "csr", "order0", "record")
MAX_WEIGHTS = 1 << 28  # default limit of every reader
RECORD_WEIGHTS = 1 << 20  # limit of the record coder: it needs some 7 microseconds a bit
MAX_BYTES_A_WEIGHT = 8  # no coder makes a larger file, apart from header and biases


class PackedFileError(ValueError):
    """The file is damaged, hostile or above a limit; the message says what is wrong."""


def check(condition, problem):
    """Raise PackedFileError(problem) unless condition holds."""
    if not condition:
        raise PackedFileError(problem)


@dataclass
class PackedLayer:
    """One layer of integers.

    weight int8 (out, in), -127..127; bias int32 (out,); scale float32 () or (out,), what weight 1
    means. A hidden layer also has multiplier (below 2**24) and shift (below 64), int32 of scale's
    shape: its sums become uint8 as (sum * multiplier + 2**(shift - 1)) >> shift.
    """

    weight: np.ndarray
    bias: np.ndarray
    scale: np.ndarray
    multiplier: np.ndarray | None = None
    shift: np.ndarray | None = None


@dataclass
class PackedNetwork:
    """A multilayer perceptron in integers; the input is uint8 pixels of scale 1/255."""

    layers: list[PackedLayer]

    @property
    def widths(self):
        """Units from input to output, for example (784, 128, 10)."""
        return self.layers[0].weight.shape[1], *(len(layer.weight) for layer in self.layers)


@dataclass
class Header:
    """Everything before the body: layers hold zeros until a coder fills them; body is its place."""

    coder: str
    tied: bool
    layers: list[PackedLayer]
    steps: list[int]
    body: int


def write_varint(value):
    """Non-negative integer -> bytes, seven bits each, lowest first; the top bit says "more"."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def read_varint(stream):
    """Read what write_varint wrote, at most five bytes, from a binary stream."""
    value = 0
    for position in range(0, 35, 7):
        byte = stream.read(1)
        check(byte, "the header ends too early")
        value |= (byte[0] & 127) << position
        if byte[0] < 128:
            return value
    raise PackedFileError("a number in the header is too long")


def write_fractions(numerators, shifts):
    """Two integer arrays m, s (each () or (out,)) -> varints m and s in turn, for m / 2**s."""
    pairs = zip(np.atleast_1d(numerators).tolist(), np.atleast_1d(shifts).tolist(), strict=True)
    return b"".join(write_varint(number) for pair in pairs for number in pair)


def read_fractions(stream, shape):
    """Read m and s, two int32 arrays of the given shape, () or (out,)."""
    count = shape[0] if shape else 1
    pairs = [(read_varint(stream), read_varint(stream)) for _ in range(count)]
    check(all(0 < m < 1 << 24 and s < 150 for m, s in pairs), "a scale or multiplier out of range")
    return [np.array(part, np.int32).reshape(shape) for part in zip(*pairs, strict=True)]


def as_fractions(scale):
    """Positive float32 -> m, s with scale == m / 2**s exactly and m odd or s 0 (ValueError if not)."""
    mantissa, exponent = np.frexp(np.asarray(scale, np.float32).astype(np.float64))
    numerator, shift = (mantissa * 2**24).astype(np.int64), 24 - exponent.astype(np.int64)
    low_zeros = np.minimum(np.log2(np.maximum(numerator & -numerator, 1)).astype(np.int64), shift)
    low_zeros = np.maximum(low_zeros, 0)
    numerator, shift = numerator >> low_zeros, shift - low_zeros
    if not ((numerator > 0) & (numerator < 1 << 24) & (shift >= 0) & (shift < 150)).all():
        raise ValueError(f"scales must lie between 2**-126 and 2**24, got {scale}")
    return numerator, shift


def read_header(data, max_weights=MAX_WEIGHTS):
    """bytes -> Header. Checks magic, checksum and version, and all sizes before it allocates.

    Raises PackedFileError. max_weights bounds the weights of the unpacked network.
    """
    check(bytes(data[:2]) == MAGIC, "not a packed network: it must start with 'mc'")
    check(len(data) > 8, "the header ends too early")
    view = memoryview(data)
    check(zlib.crc32(view[:-4]) == int.from_bytes(view[-4:], "little"), "the checksum differs")
    version, coder = divmod(data[2], 16)
    check(version == VERSION, f"format version {version}, this reader knows {VERSION}")
    check(coder < len(CODERS), f"unknown coder {coder}")
    tied, per_channel, count = data[3] & 1, data[3] >> 1 & 1, data[3] >> 2
    stream = io.BytesIO(view[:-4])
    stream.seek(4)
    widths = [read_varint(stream) for _ in range((count or read_varint(stream)) + 1)]
    check(len(widths) > 1 and min(widths) > 0, "a layer without units")
    weights = sum(a * b for a, b in zip(widths, widths[1:], strict=False))
    limit = min(max_weights, RECORD_WEIGHTS) if CODERS[coder] == "record" else max_weights
    check(weights <= limit, f"{weights} weights are above the limit of {limit}")
    side = isqrt(widths[0])
    check(not tied or side % 2 == 0 and side**2 == widths[0], "2x2 sharing needs a square image")
    layers, steps = [], []
    for index, (inputs, outputs) in enumerate(zip(widths, widths[1:], strict=False)):
        hidden = index < len(widths) - 2
        shape = (outputs,) if per_channel and hidden else ()
        numerator, power = read_fractions(stream, shape)
        again = read_fractions(stream, shape) if hidden else []
        check(not hidden or (again[1] < 64).all(), "a shift is out of range")
        steps.append(read_varint(stream))
        weight = np.zeros((outputs, inputs // 4 if tied and index == 0 else inputs), np.int8)
        scale = np.ldexp(numerator.astype(np.float64), -power).astype(np.float32)
        layers.append(PackedLayer(weight, np.zeros(outputs, np.int32), scale, *again))
    return Header(CODERS[coder], bool(tied), layers, steps, stream.tell())


def write_header(coder, tied, network, steps):
    """Network and bias steps -> header bytes; the inverse of read_header (without the checksum)."""
    hidden = network.layers[:-1]
    per_channel = bool(hidden) and np.ndim(hidden[0].scale) == 1
    count = len(network.layers) if len(network.layers) < 64 else 0
    parts = [MAGIC, bytes([VERSION << 4 | CODERS.index(coder), count << 2 | per_channel << 1 | tied])]
    parts += [b"" if count else write_varint(len(network.layers))]
    parts += [write_varint(width) for width in network.widths]
    for layer, step in zip(network.layers, steps, strict=True):
        parts.append(write_fractions(*as_fractions(layer.scale)))
        if layer.multiplier is not None:
            parts.append(write_fractions(layer.multiplier, layer.shift))
        parts.append(write_varint(step))
    return b"".join(parts)


def share_2x2(weight):
    """(out, side*side) -> (out, side*side/4) if every 2x2 block of pixels is equal, else None."""
    side = isqrt(weight.shape[1])
    if side**2 != weight.shape[1] or side % 2:
        return None
    grid = weight.reshape(len(weight), side, side)
    small = grid[:, ::2, ::2]
    equal = all(np.array_equal(small, grid[:, r::2, c::2]) for r, c in ((0, 1), (1, 0), (1, 1)))
    return np.ascontiguousarray(small).reshape(len(weight), -1) if equal else None


def spread_2x2(weight):
    """The inverse of share_2x2: each shared weight goes to its four pixels."""
    side = isqrt(weight.shape[1])
    return weight.reshape(-1, side, side).repeat(2, 1).repeat(2, 2).reshape(len(weight), -1)

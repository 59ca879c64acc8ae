"""Where what a file holds becomes bytes, and where bytes that nobody vouches for are read.

Each format is written down once, as a walk: all that a file holds goes through a `Port`, one thing
after the other. A port that writes takes it and gives it back; a port that reads ignores it and
gives what the file has there, so that layers of zeros come back filled.
"""

import zlib
from collections import Counter
from math import prod
from typing import ClassVar

import numpy as np


class PackedFileError(ValueError):
    """The file is damaged, hostile or above a limit; the message says what is wrong."""


def check(condition: object, problem: str) -> None:
    """Raise PackedFileError(problem) unless condition holds."""
    if not condition:
        raise PackedFileError(problem)


class Port:
    """One pass over a file: over `data` to read it, or to write what ends up in `out`.

    trusted: a file may be above LIMITS. sizes: the bytes of each label; of those of the label
    "stream", `shares` tells how they divide among the others.
    """

    LIMITS: ClassVar = {  # of what costs time and memory: 2 s and 200 MB do for any file
        "bytes": 1 << 23,
        "weights": 1 << 22,
        "units": 1 << 14,  # of all layers but the input
        "lookups": 5 << 18,  # bits of context mixing, and the counters and weights looked at
    }

    def __init__(self, data: bytes | None = None, trusted: bool = False):
        self.reading, self.trusted = data is not None, trusted or data is None
        self.sizes, self.shares = Counter(header=6), Counter[str]()
        self.out, self.rest = bytearray(b"mc"), memoryview(data or b"")
        if data is not None:
            self.limit("bytes", len(data))
            check(data[:2] == b"mc", "not a packed network: it must start with 'mc'")
            check(len(data) > 8, "the file ends too early")
            checksum = int.from_bytes(data[-4:], "little")
            check(zlib.crc32(self.rest[:-4]) == checksum, "the checksum is wrong")
            self.rest = self.rest[2:-4]

    def limit(self, name: str, count: int) -> None:
        """Raise PackedFileError if `count` is above the limit of that name."""
        most = self.LIMITS[name]
        check(self.trusted or count <= most,
              f"{count} {name} are above the limit of {most}; trusted=True lifts it")

    def finish(self) -> bytes:
        """The whole file that was written."""
        return bytes(self.out + zlib.crc32(self.out).to_bytes(4, "little"))

    def array(self, label: str, values: np.ndarray, dtype: str = "u1",
              count: int | None = None) -> np.ndarray:
        """An array, stored as dtype; a reader must know its shape or the count of its items."""
        shape = values.shape if count is None else (count,)
        size = prod(shape) * np.dtype(dtype).itemsize
        self.sizes[label] += size
        if not self.reading:
            self.out += values.astype(dtype).tobytes()
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

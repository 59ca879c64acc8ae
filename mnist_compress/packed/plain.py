"""packed/plain"""

import numpy as np

from .header import check

PIECE = 1 << 12  # weights that are wider than a byte at a time, in memory


def write_biases(bias):
    """int32 (n,) -> the bytes of one bias (0, 1, 2 or 4), then the biases in so many."""
    if not bias.any():
        return bytes([0])
    kinds = [np.dtype(f"<i{size}") for size in (1, 2, 4)]
    kind = next(kind for kind in kinds if (bias.astype(kind) == bias).all())
    return bytes([kind.itemsize]) + bias.astype(kind).tobytes()


def read_biases(cursor, bias):
    """Fill bias (n,) from the cursor."""
    size = int(cursor.take(1)[0])
    check(size in (0, 1, 2, 4), f"biases of {size} bytes")
    bias[:] = cursor.take(len(bias), f"<i{size}") if size else 0


def write_dense(weight):
    yield "stream", memoryview(np.ascontiguousarray(weight)).cast("B")


def read_dense(cursor, weight):
    weight[:] = cursor.take(weight.size, np.int8).reshape(weight.shape)
    check(weight.min() > -128, "a weight of -128")


def write_bitmask(weight):
    yield "positions", np.packbits(weight != 0).tobytes()
    yield from write_values(weight[weight != 0])


def read_bitmask(cursor, weight):
    mask = np.unpackbits(cursor.take(-(-weight.size // 8)), count=weight.size).astype(bool)
    weight.reshape(-1)[mask] = read_values(cursor, np.count_nonzero(mask))


def write_csr(weight):
    """For each unit the number of its weights, then all their columns, in one integer type."""
    kind = np.min_scalar_type(weight.shape[1]).newbyteorder("<")
    yield "positions", np.count_nonzero(weight, axis=1).astype(kind).tobytes()
    yield "positions", np.nonzero(weight)[1].astype(kind).tobytes()
    yield from write_values(weight[weight != 0])


def read_csr(cursor, weight):
    kind = np.min_scalar_type(weight.shape[1]).newbyteorder("<")
    counts = cursor.take(len(weight), kind).astype(np.int64)
    check(counts.max() <= weight.shape[1], "more weights in a row than columns")
    columns = cursor.take(int(counts.sum()), kind)
    rows = np.repeat(np.arange(len(weight)), counts)
    places = rows * weight.shape[1] + columns
    check(columns.max(initial=0) < weight.shape[1], "a column outside the matrix")
    check((np.diff(places) > 0).all(), "columns out of order")
    weight.reshape(-1)[places] = read_values(cursor, len(columns))


def write_values(values):
    """int8 (n,) without zeros -> their levels, signs and, bit by bit, which level each has."""
    levels = np.flatnonzero(histogram(np.abs(values)))
    rank = np.searchsorted(levels, np.abs(values)).astype(np.uint8)
    yield "magnitudes", bytes([len(levels), *levels])
    yield "signs", np.packbits(values > 0).tobytes()
    for bit in range((max(len(levels), 1) - 1).bit_length()):
        yield "magnitudes", np.packbits(rank >> bit & 1).tobytes()


def read_values(cursor, count):
    """The int8 (count,) that write_values wrote."""
    size = -(-count // 8)
    levels = cursor.take(int(cursor.take(1)[0]))
    check(not len(levels) or 0 < levels.min() <= levels.max() < 128, "a level out of range")
    check(len(levels) or not count, "weights without levels")
    positive = np.unpackbits(cursor.take(size), count=count).astype(bool)
    rank = np.zeros(count, np.uint8)
    for bit in range((max(len(levels), 1) - 1).bit_length()):
        rank |= np.unpackbits(cursor.take(size), count=count) << bit
    check(rank.max(initial=0) < max(len(levels), 1), "a level that does not exist")
    values = levels.astype(np.int8)[rank] if count else np.zeros(0, np.int8)
    return np.where(positive, values, -values)


def histogram(values):
    """int8 array -> int64 (256,): how often each byte occurs, counted a piece at a time."""
    counts = np.zeros(256, np.int64)
    for piece in parts_of(values.reshape(-1).view(np.uint8), PIECE):
        counts += np.bincount(piece, minlength=256)
    return counts


def parts_of(flat, size):
    """Views of `size` items each, the last one of what is left."""
    return (flat[start:start + size] for start in range(0, flat.size, size))

"""packed/range_coder"""

import constriction
import numpy as np

from .header import PackedFileError, check, varint
from .plain import PIECE, histogram, parts_of

CHUNK = 1 << 16  # weights in one stream of the order-0 coder
TOTAL = 1 << 16  # sum of an order-0 histogram


def frequencies(counts):
    """Counts -> integers of sum TOTAL in proportion, at least 1 where a count is not 0."""
    shares = np.maximum(counts * TOTAL // counts.sum(), counts > 0)
    shares[shares.argmax()] += TOTAL - shares.sum()
    return shares


def categorical(shares):
    """The range coder's model; the floats are exact, as TOTAL is a power of two."""
    return constriction.stream.model.Categorical(shares / TOTAL, perfect=False)


def write_order0(weight):
    """The bytes that occur, 16 bits for the frequency of each, then chunks of 32-bit words."""
    weight = np.ascontiguousarray(weight)
    counts = histogram(weight)
    symbols = np.flatnonzero(counts)
    yield "magnitudes", bytes([len(symbols), *symbols.tolist()])
    if len(symbols) == 1:
        return
    shares = frequencies(counts)[symbols]
    yield "magnitudes", shares.astype("<u2").tobytes()
    number, model = np.zeros(256, np.int32), categorical(shares)
    number[symbols] = np.arange(len(symbols))
    for chunk in parts_of(weight.reshape(-1).view(np.uint8), CHUNK):
        encoder = constriction.stream.queue.RangeEncoder()
        for piece in parts_of(chunk, PIECE):
            encoder.encode(number[piece], model)
        words = encoder.get_compressed().astype("<u4", copy=False)
        yield "header", varint(len(words))
        yield "stream", memoryview(words).cast("B")


def read_order0(cursor, weight):
    """Fill weight (out, in) from the cursor."""
    symbols, flat = cursor.take(int(cursor.take(1)[0])), weight.reshape(-1)
    check(len(symbols) and 128 not in symbols, "impossible weights in a histogram")
    if len(symbols) == 1:
        flat[:] = symbols.view(np.int8)
        return
    shares = cursor.take(len(symbols), "<u2").astype(np.int64)
    check(shares.min() > 0 and shares.sum() == TOTAL, "a histogram does not add up")
    model = categorical(shares)
    for chunk in parts_of(flat, CHUNK):
        words = cursor.take(cursor.varint(), "<u4").astype(np.uint32)
        decoder = constriction.stream.queue.RangeDecoder(words)
        for piece in parts_of(chunk, PIECE):
            try:
                numbers = decoder.decode(model, piece.size)
            except (AssertionError, ValueError) as problem:
                raise PackedFileError(
                    f"the stream does not fit its histogram: {problem}") from problem
            piece[:] = symbols.view(np.int8)[numbers]

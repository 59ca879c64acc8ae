"""The format "order0": a range coder (Martin 1979) spends -log2 of how often a weight occurs."""

import numpy as np

from . import words
from .header import PackedFileError, Port, check

_CHUNK = 1 << 16  # weights in one stream
_TOTAL = 1 << 16  # sum of a histogram


def order0(port: Port, weight: np.ndarray) -> None:
    """int8 (out, in): the bytes that occur, the frequency of each, chunks of 32-bit words."""
    flat = weight.reshape(-1).view(np.uint8)
    chunks = [flat[start:start + _CHUNK] for start in range(0, len(flat), _CHUNK)]
    counts = _histogram(chunks)
    symbols = np.flatnonzero(counts)
    symbols = port.array("magnitudes", symbols, count=port.byte("magnitudes", len(symbols)))
    check(len(symbols) and 128 not in symbols, "impossible weights in a histogram")
    if len(symbols) == 1:
        flat[:] = symbols
    else:
        shares = np.maximum(counts * _TOTAL // counts.sum(), counts > 0)  # at least 1 if it occurs
        shares[shares.argmax()] += _TOTAL - shares.sum()
        shares = port.array("magnitudes", shares[symbols], "<u2", len(symbols))
        check(shares.min() > 0 and shares.sum() == _TOTAL, "a histogram does not add up")
        _walk_chunks(port, chunks, symbols, shares)
    counts = _histogram(chunks) if port.reading else counts
    up, down = counts[1:128], counts[:128:-1]
    port.shares["positions"] += _information(np.array([counts[0], counts[1:].sum()]))
    port.shares["signs"] += _information(np.array([up, down]))
    port.shares["magnitudes"] += _information(up + down)


def _walk_chunks(port, chunks, symbols, shares):
    ranks = np.searchsorted(symbols, np.arange(256)).astype(np.int32)
    encode, decode = _coder(port, shares, sum(map(len, chunks)))
    for chunk in chunks:
        stored = np.array([] if port.reading else encode(ranks[chunk]), np.uint32)
        count = port.varint("header", len(stored))
        stored = port.array("stream", stored, "<u4", count)
        if port.reading:
            chunk[:] = symbols[decode(stored.astype(np.uint32), len(chunk))]


def _coder(port, shares, weights):
    """(encode, decode): constriction's, or ours where it is not installed."""
    try:
        from constriction import stream  # here: all other formats need NumPy alone
    except ImportError:
        if port.reading:
            port.limit("lookups", weights)  # in Python, a weight takes as long as one
        return (lambda ranks: words.encode(ranks.tolist(), shares.tolist()),
                lambda stored, count: words.decode(stored.tolist(), count, shares.tolist()))
    model = stream.model.Categorical(shares / _TOTAL, perfect=False)  # _TOTAL: floats are exact

    def encode(ranks):
        encoder = stream.queue.RangeEncoder()
        encoder.encode(ranks, model)
        return encoder.get_compressed()

    def decode(stored, count):
        try:
            return stream.queue.RangeDecoder(stored).decode(model, count)
        except (AssertionError, ValueError) as problem:
            raise PackedFileError("the stream does not fit its histogram") from problem

    return encode, decode


def _histogram(chunks):
    """How often each byte occurs, int64 (256,); NumPy counts in eight bytes for each weight."""
    return np.sum([np.bincount(chunk, minlength=256) for chunk in chunks], 0)


def _information(counts):
    """Bits that it takes to tell apart items with these counts, along axis 0 (Shannon 1948)."""
    return (counts * np.log2(np.maximum(counts.sum(0), 1) / np.maximum(counts, 1))).sum()

"""The format "order0": a range coder (Martin 1979) spends -log2 of how often a weight occurs."""

import numpy as np

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
    from constriction import stream  # here: all other formats need NumPy alone

    model = stream.model.Categorical(shares / _TOTAL, perfect=False)  # _TOTAL: floats are exact
    ranks = np.searchsorted(symbols, np.arange(256)).astype(np.int32)
    for chunk in chunks:
        encoder = stream.queue.RangeEncoder()
        if not port.reading:
            encoder.encode(ranks[chunk], model)
        count = port.varint("header", encoder.num_words())
        words = port.array("stream", encoder.get_compressed(), "<u4", count)
        if port.reading:
            try:
                decoder = stream.queue.RangeDecoder(words.astype(np.uint32))
                chunk[:] = symbols[decoder.decode(model, len(chunk))]
            except (AssertionError, ValueError) as problem:
                raise PackedFileError("the stream does not fit its histogram") from problem


def _histogram(chunks):
    """How often each byte occurs, int64 (256,); NumPy counts in eight bytes for each weight."""
    return np.sum([np.bincount(chunk, minlength=256) for chunk in chunks], 0)


def _information(counts):
    """Bits that it takes to tell apart items with these counts, along axis 0 (Shannon 1948)."""
    return (counts * np.log2(np.maximum(counts.sum(0), 1) / np.maximum(counts, 1))).sum()

"""Three simple formats: every weight a byte, a bit for each position, compressed sparse rows.

Each is a walk over one matrix of int8 weights (out, in), which a port that reads fills.
"""

import numpy as np

from .header import Port, check


def dense(port: Port, weight: np.ndarray) -> None:
    """Every weight is a byte."""
    port.shares.update(signs=1, magnitudes=7)
    weight[:] = port.array("stream", weight, "i1")
    check(weight.min() > -128, "a weight of -128")


def bitmask(port: Port, weight: np.ndarray) -> None:
    """A bit for each position, then the weights that are not zero."""
    mask = port.bits("positions", weight != 0)
    weight[mask] = _walk_values(port, weight[mask])


def csr(port: Port, weight: np.ndarray) -> None:
    """For each unit the number of its weights, then all their columns, then the weights."""
    outputs, inputs = weight.shape
    kind = f"<u{np.min_scalar_type(inputs).itemsize}"
    counts = port.array("positions", np.count_nonzero(weight, axis=1), kind).astype(np.int64)
    check(counts.max() <= inputs, "more weights in a row than columns")
    columns = port.array("positions", np.nonzero(weight)[1], kind, int(counts.sum()))
    check(columns.max(initial=0) < inputs, "a column outside the matrix")
    places = np.repeat(np.arange(outputs) * inputs, counts) + columns
    check((places[1:] > places[:-1]).all(), "columns out of order")
    weight.flat[places] = _walk_values(port, weight.flat[places])


def _walk_values(port, values):
    """int8 (n,) without zeros: their levels, signs and, bit by bit, which level each has."""
    magnitudes = np.abs(values)
    levels = np.unique(magnitudes)
    levels = port.array("magnitudes", levels, count=port.byte("magnitudes", len(levels)))
    check(((levels > 0) & (levels < 128)).all(), "a level out of range")
    positive = port.bits("signs", values > 0)
    ranks, found = np.searchsorted(levels, magnitudes), np.zeros(len(values), np.uint8)
    for bit in range((len(levels) - 1).bit_length()):
        found |= port.bits("magnitudes", ranks >> bit & 1).view(np.uint8) << bit
    check((found < len(levels)).all(), "a level that does not exist")
    magnitudes = levels.astype(np.int8)[found]
    return np.where(positive, magnitudes, -magnitudes)

"""The C file of a small convolution. Its blocks share one piece of memory: each writes over what it
has read already."""

from itertools import accumulate, product

import numpy as np

from ..integer import IntegerConvolution
from .c_file import CFile

_SHAPE = ("C code has convolutions of this form: a window at the pixels, rescaled; windows at each "
          "channel alone, each followed by a rescaled 1 x 1 mixture; a 1 x 1 layer that adds up "
          "over the picture; even numbers of channels, weights -8..7; got ")


def convolution_source(layers: list[IntegerConvolution]) -> tuple[str, int]:
    """Layers of a network -> the text of a C file, the bytes of its table of weights."""
    first, *hidden, last = layers
    blocks = [(first, None), *zip(hidden[::2], hidden[1::2], strict=False), (None, last)]
    _check(blocks, len(hidden))
    table, fields = _table(blocks)
    lies, upward, room = _layout(blocks[:-1])
    ends = [mixture or window for window, mixture in blocks]
    counts = [len(layer.bias) for layer in ends]
    file = CFile(blocks=len(blocks), room=room, most=max(len(layer.bias) for layer in layers),
                 channels="-".join(map(str, counts[:-1])), size=f"{len(table):,}",
                 count=f"{sum(np.count_nonzero(layer.weight) for layer in layers):,}",
                 bound=f"{max(layer.bound for layer in layers):,}")
    file.fields = fields | {"to": [*lies, 0], "upward": [*upward, 0],
                            "first": [0, *accumulate(counts[:-1])]}
    multipliers, shifts = file.add_rescale(ends[:-1], [layer.bound for layer in ends[:-1]])
    file.arrays = {"weights": table, "biases": np.concatenate([layer.bias for layer in ends]),
                   "multipliers": multipliers, "shifts": shifts}
    return file.source("convolution.c"), len(table)


def _check(blocks, hidden):
    """ValueError unless the layers have the form that c/convolution.c knows, and its sums fit."""
    def mixes(layer, pools):
        return layer.kernel == layer.stride == layer.groups == 1 and layer.pool in pools

    (first, _), *pairs, (_, last) = blocks
    every = [layer for pair in blocks for layer in pair if layer is not None]
    alone = all(window.shift is None and window.groups == len(window.weight)
                and mixture.shift is not None and mixture.weight.shape[1] == window.groups
                and mixes(mixture, (1, 2)) for window, mixture in pairs)
    if (hidden % 2 or not alone or first.weight.shape[1] != 1 or first.groups > 1
            or first.pool != 1 or first.shift is None or first.side != 28 or len(last.bias) != 10
            or not mixes(last, (0,)) or any(len(layer.weight) % 2 for layer in every)
            or any(layer.weight.min() < -8 or layer.weight.max() > 7 for layer in every)):
        raise ValueError(_SHAPE + ", ".join(str(layer.weight.shape) for layer in every))
    for _, mixture in blocks[1:]:
        most = 16 * mixture.weight.shape[1] * mixture.most * mixture.side**(2 * (not mixture.pool))
        if most + int(np.abs(mixture.bias).max()) >= 2**31:
            raise ValueError(f"a sum in C could reach {most}, beyond 32 bits")


def _table(blocks):
    """Two weights in a byte, and where each block finds its own; what C has to know of each."""
    table, rows = [], []
    for window, mixture in blocks:
        places = [len(table), 0]
        if window is not None:
            signed = _pairs(window.weight[:, 0].transpose(1, 2, 0)) ^ 0x88
            table += signed.tolist()
        if mixture is not None:
            places[1] = len(table)
            table += _pairs(mixture.weight).tolist()
        seen, end = window or mixture, mixture or window
        channels = seen.weight.shape[1] * seen.groups if window is None else len(seen.weight)
        rows.append((*places, channels if window is None else seen.groups, channels, len(end.bias),
                     seen.side, seen.kernel, seen.stride, max(end.pool, 1),
                     end.out_side if window else 0))
    names = ("window", "mixture", "reads", "channels", "outputs", "side", "kernel", "stride",
             "pool", "places")
    return np.array(table, np.uint8), dict(zip(names, zip(*rows, strict=True), strict=True))


def _pairs(weight):
    """Integers -8..7 -> bytes of two each, the first in the low half, each 8 larger."""
    numbers = weight.ravel().astype(np.int64) + 8
    return numbers[::2] | numbers[1::2] << 4


def _layout(blocks):
    """Where each block writes, whether from the last row to the first, and the bytes of it all.

    A row that is written may lie over rows that no later one reads; the way that takes the least.
    """
    best = None
    for upward in product((0, 1), repeat=len(blocks) - 1):
        lies = [0]
        for way, block in zip(upward, blocks[1:], strict=True):
            lies.append(lies[-1] + _distance(*block, way))
        low = min(lies)
        room = max(lie - low + (pair[1] or pair[0]).units
                   for lie, pair in zip(lies, blocks, strict=True))
        if best is None or room < best[2]:
            best = [lie - low for lie in lies], (0, *upward), room
    return best


def _distance(window, mixture, upward):
    """How far behind its input a block's output must begin; before it, if below zero."""
    old, new = window.side * len(window.weight), mixture.out_side * len(mixture.bias)
    step, edge = mixture.pool * window.stride, window.kernel // 2
    if upward:
        below = (mixture.pool - 1) * window.stride + edge + 1
        return max(old * min(window.side, step * row + below) - new * row
                   for row in range(mixture.out_side))
    return -max(new * (row + 1) - old * max(step * row - edge, 0)
                for row in range(mixture.out_side))

"""Four ways to write the weights of a network as bytes; each has its reader in C in c/.

A weight that is not zero is stored with its gap: how many inputs to go on to come to it. Where
weights have few values, a level of three bits stands for one: 0 to 5 are plus and minus the layer's
magnitudes, 6 only goes on, 7 ends a unit and holds its bias, if the biases are small enough.

Each way takes weights, int8 (out, in) of each layer, biases, whole (out,), and the choice of bits
that gaps may have. It returns the table, uint8 (n,), what C has to know of each layer by name, and
what a stored bias means 0 with; None if biases are not in the table.
"""

from collections.abc import Callable

import numpy as np

_UNIT_END = -128  # in the place of a weight, of which none has this value


def _dense(weights, biases, sizes):
    """A byte for every weight."""
    table = np.concatenate([weight.ravel() for weight in weights]).view(np.uint8)
    return table, {"inputs": [weight.shape[1] for weight in weights]}, None


def _gaps(weights, biases, sizes):
    """Two bytes for a weight, itself and its gap; one for the end of a unit."""
    table = []
    for weight in weights:
        for value, gap in _walk(weight, np.zeros(len(weight)), 255, 255):
            table += [value & 255] if value == _UNIT_END else [value & 255, gap]
    return np.array(table, np.uint8), {}, None


def _bytes(weights, biases, sizes):
    """One byte for a weight: its level in three bits, its gap in five."""
    ends, zero = _ends(biases, 16)
    table = []
    for weight, end in zip(weights, ends, strict=True):
        codes = _codes(weight)
        table += [codes[value] << 5 | gap for value, gap in _walk(weight, end, 31, 31)]
    return np.array(table, np.uint8), {"level": [*map(_levels, weights)]}, zero and zero + (7 << 5)


def _bits(weights, biases, sizes):
    """Fewer bits for a weight: its level in three, its gap in as many as make a layer shortest."""
    ends, zero = _ends(biases, 32)
    text, chosen = "", []
    for weight, end in zip(weights, ends, strict=True):
        texts = {size: _layer_bits(weight, end, size) for size in sizes}
        chosen.append(min(texts, key=lambda size: len(texts[size])))
        text += texts[chosen[-1]]
    table = int(text[::-1], 2).to_bytes(len(text) // 8 + 2, "little")  # the reader takes two bytes
    fields = {"level": [*map(_levels, weights)], "gap_bits": chosen,
              "far": [2**size for size in chosen]}
    return np.frombuffer(table, np.uint8), fields, zero


def _layer_bits(weight, ends, size):
    """A text of 0 and 1, lowest bits first: 3 + size for a weight, 3 to go on, 9 for an end."""
    text, codes = [], _codes(weight)
    for value, gap in _walk(weight, ends, 2**size - 1, 2**size):
        width = {0: 0, _UNIT_END: 6}.get(value, size)
        text.append(f"{codes[value] | (gap << 3) * (width > 0):0{3 + width}b}"[::-1])
    return "".join(text)


def _walk(weight, ends, most, far):
    """(weight, gap) for each weight that is not 0, unit after unit.

    A gap above `most` is cut by (0, far). A unit ends with (_UNIT_END, its number of `ends`).
    """
    for row, end in zip(weight.tolist(), ends.tolist(), strict=True):
        place = 0
        for column in np.flatnonzero(row).tolist():
            while column - place > most:
                yield 0, far
                place += far
            yield row[column], column - place
            place = column
        yield _UNIT_END, end


def _ends(biases, half):
    """What the ends of the units hold, and which number there means 0; None if nothing does."""
    if all(-half <= min(bias) and max(bias) < half for bias in biases):
        return [bias + half for bias in biases], half
    return [0 * bias for bias in biases], None


def _levels(weight):
    """What the levels 0 to 6 of a layer are: its weights, then 0. ValueError."""
    magnitudes = np.unique(np.abs(weight[weight != 0])).tolist()
    if len(magnitudes) > 3:
        raise ValueError("this encoding needs layers of at most three magnitudes; one has "
                         f"{len(magnitudes)}")
    levels = [level * sign for level in magnitudes for sign in (1, -1)]
    return levels + [0] * (7 - len(levels))


def _codes(weight):
    """The level of each weight; the last ones are those of 0 and of a unit's end."""
    return {value: code for code, value in enumerate([*_levels(weight), _UNIT_END])}


ENCODINGS: dict[str, Callable] = {"dense": _dense, "gaps": _gaps, "bytes": _bytes, "bits": _bits}

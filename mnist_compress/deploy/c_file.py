"""A file in C, filled in from the sources of c/: what stands behind a $ in them."""

import textwrap
from pathlib import Path
from string import Template

import numpy as np

_BRACES = str.maketrans("()[]", "{}{}")


class CFile:
    """What a C file holds: numbers of each layer, arrays of all of them, words of the sources."""

    def __init__(self, **words):
        self.words = {"start": "", **words}
        self.fields, self.arrays = {}, {}

    def add_cursor(self, name, values):
        """An array that is read from its first item to its last, by a pointer of that name."""
        self.arrays[f"{name}_table"] = values
        self.words["start"] += f"    const {_kind(values)} *{name} = {name}_table;\n"

    def add_rescale(self, layers, highest):
        """The C function that rescales exactly; the multiplier and the shift of each unit, int64.

        highest: the largest accumulators of each layer. ValueError if 32 bits are not enough.
        """
        highest, multiplier, shift = (
            np.concatenate([np.broadcast_to(part, layer.bias.shape) for part, layer
                            in zip(parts, layers, strict=True)]).astype(np.int64)
            for parts in (highest, [each.multiplier for each in layers],
                          [each.shift for each in layers]))
        product = (highest * multiplier).max()
        if product < 2**32:
            self.words["rescale"] = source("rescale.c", product=f"{product:,}")
            return multiplier, shift - 1
        self.words["rescale"] = source("rescale_by_bytes.c")
        more = np.maximum(17 - shift, 0)
        multiplier, shift = multiplier << more, shift + more - 17
        if max(highest.max(), multiplier.max()) >= 2**24 or shift.max() > 31:
            raise ValueError("no rescale in 32 bits is exact here: an accumulator could reach "
                             f"{highest.max():,}, its product with the multiplier {product:,}")
        return multiplier, shift

    def source(self, name):
        """The text of the file, with c/`name` as its frame."""
        fields = [f"    {_kind(values)} {field}{'[7]' * (field == 'level')};"
                  for field, values in self.fields.items()]
        rows = [f"    {str(row).translate(_BRACES)}"
                for row in zip(*self.fields.values(), strict=True)]
        arrays = [_array(*item) for item in self.arrays.items()]
        return source(name, fields="\n".join(fields), rows=",\n".join(rows),
                       arrays="\n".join(arrays), **self.words)


def _array(name, values):
    """An array in C."""
    digits = "{:#.9g}f" if values.dtype.kind == "f" else "{}"
    numbers = textwrap.fill(", ".join(map(digits.format, values.tolist())), 96,
                            initial_indent="    ", subsequent_indent="    ")
    return f"static const {_kind(values)} {name}[{len(values)}] = {{\n{numbers}\n}};\n"


def _kind(values):
    """The least type of C that holds all these numbers."""
    if np.asarray(values).dtype.kind == "f":
        return "float"
    low, high = np.min(values), np.max(values)
    return f"{np.min_scalar_type(high if low >= 0 else min(low, ~high)).name}_t"


def source(name, **words):
    """A file of c/ with these words in the places that wait for them."""
    text = Path(__file__).with_name("c").joinpath(name).read_text("ascii")
    return Template(text).substitute(words)

"""The network leaves Python altogether: one C99 file that any compiler turns into a digit reader.

The sources are those of c/. `network.c` is the frame; `dense.c`, `gaps.c`, `bytes.c` and `bits.c`
read weights as `encodings` wrote them; `rescale.c` and `rescale_by_bytes.c` bring an accumulator
back to eight bits in arithmetic of 32. What stands behind a $ in them is filled in here.
"""

import textwrap
from dataclasses import replace
from itertools import pairwise
from math import gcd
from pathlib import Path
from string import Template

import numpy as np

from ..data import SIDE, whole
from ..integer import IntegerConvolution, IntegerNetwork, share_2x2
from ..model import DigitClassifier
from .encodings import ENCODINGS

_BRACES = str.maketrans("()[]", "{}{}")


def export_c(network: IntegerNetwork | DigitClassifier, path: str | Path,
             encoding: str | None = None, gap_bits: int | None = None) -> int:
    """Write one C99 file with `void predict(const uint8_t pixels[784], int32_t logits[10])`.

    It computes the network's own integers without floats, 64-bit arithmetic or any library; hidden
    units that nothing depends on are left out. A float network comes out in float32, with float
    logits. Returns the bytes of the table of weights.

    encoding: "dense", a byte for every weight; or, for those that are not zero, "gaps" (two bytes),
    "bytes" (one) or "bits" (fewer). The last two need layers of at most three magnitudes. They say
    how far the next weight is in 5 bits, "bits" in `gap_bits`, 1 to 6, or what is best for each
    layer. None is "bytes", or where magnitudes are more the smaller of the first two.

    ValueError for other networks, and where arithmetic of 32 bits could not be exact.
    """
    if any(isinstance(layer, IntegerConvolution) for layer in network.layers):
        raise ValueError("C code is made of dense layers only; got convolutions")
    widths = network.widths
    if widths[0] != SIDE**2 or widths[-1] != 10 or len(widths) < 3:
        raise ValueError(f"C code needs {SIDE**2} pixels, a hidden layer and 10 digits; got a "
                         f"network of {widths}")
    if encoding not in (None, *ENCODINGS):
        raise ValueError(f"encoding must be one of {', '.join(ENCODINGS)}; got {encoding!r}")
    if gap_bits is not None and encoding != "bits":
        raise ValueError(f"gap_bits belong to the encoding 'bits'; got {encoding!r}")
    if isinstance(network, DigitClassifier):
        text, size = _float_source(network)
    else:
        sizes = range(1, 7) if gap_bits is None else [whole("gap_bits", gap_bits, 1, 6)]
        text, size = _integer_source(network, encoding, sizes)
    Path(path).write_text(text, "ascii")
    return size


class _File:
    """What a C file holds: numbers of each layer, arrays of all of them, words of the sources."""

    def __init__(self, **words):
        self.words = {"start": "", **words}
        self.fields, self.arrays = {}, {}

    def add_cursor(self, name, values):
        """An array that is read from its first item to its last, by a pointer of that name."""
        self.arrays[f"{name}_table"] = values
        self.words["start"] += f"    const {_kind(values)} *{name} = {name}_table;\n"

    def source(self, name):
        """The text of the file, with c/`name` as its frame."""
        fields = [f"    {_kind(values)} {field}{'[7]' * (field == 'level')};"
                  for field, values in self.fields.items()]
        rows = [f"    {str(row).translate(_BRACES)}"
                for row in zip(*self.fields.values(), strict=True)]
        arrays = [_array(*item) for item in self.arrays.items()]
        return _source(name, fields="\n".join(fields), rows=",\n".join(rows),
                       arrays="\n".join(arrays), **self.words)


def _integer_source(network, encoding, sizes):
    """The C file of an integer network, and the bytes of its table of weights."""
    layers = _living(network.layers)
    widths = (SIDE**2, *(len(layer.bias) for layer in layers))
    file = _File(hidden=sum(widths[1:-1]), layers=len(layers))
    file.fields["units"] = widths[1:]
    _add_rescale(file, layers)
    _add_inputs(file, layers)
    encoding = encoding or _natural(layers)
    _add_weights(file, layers, encoding, sizes)
    file.words |= {
        "widths": "-".join(map(str, widths)), "encoding": encoding,
        "count": f"{sum(np.count_nonzero(layer.weight) for layer in layers):,}",
        "size": f"{len(file.arrays['weights']):,}",
        "bound": f"{max(layer.bound for layer in network.layers):,}"}
    return file.source("network.c"), len(file.arrays["weights"])


def _living(layers):
    """Copies of the layers without hidden units that always answer 0 or that no unit listens to;
    each hidden unit gets a multiplier and a shift of its own."""
    layers = [replace(layer) for layer in layers]
    for layer, after in reversed(list(pairwise(layers))):
        for name in ("multiplier", "shift"):
            setattr(layer, name, np.broadcast_to(getattr(layer, name), layer.bias.shape))
        alive = (layer.rescale(_highest(layer)) > 0) & after.weight.any(0)
        alive[0] |= not alive.any()  # C has no arrays without items
        for name in ("weight", "bias", "multiplier", "shift"):
            setattr(layer, name, getattr(layer, name)[alive])
        after.weight = after.weight[:, alive]
    return layers


def _highest(layer):
    """The largest accumulator of each unit, over all inputs 0..255: int64 (out,)."""
    return layer.bias + 255 * np.maximum(layer.weight, 0).sum(1, dtype=np.int64)


def _add_rescale(file, layers):
    """The C function that is exact for each hidden unit, and where it finds its two factors."""
    hidden = layers[:-1]
    highest = np.concatenate([_highest(layer) for layer in hidden]).clip(0)
    multiplier = np.concatenate([layer.multiplier for layer in hidden]).astype(np.int64)
    shift = np.concatenate([layer.shift for layer in hidden]).astype(np.int64)
    product = (highest * multiplier).max()
    if product < 2**32:
        file.words["rescale"] = _source("rescale.c", product=f"{product:,}")
        shift -= 1
    else:
        file.words["rescale"] = _source("rescale_by_bytes.c")
        more = np.maximum(17 - shift, 0)
        multiplier <<= more
        shift += more - 17
        if max(highest.max(), multiplier.max()) >= 2**24 or shift.max() > 31:
            raise ValueError("no rescale in 32 bits is exact here: an accumulator could reach "
                             f"{highest.max():,}, its product with the multiplier {product:,}")
    ends = np.cumsum([len(layer.bias) for layer in hidden])[:-1]
    factors = {"multiplier": np.split(multiplier, ends), "shift": np.split(shift, ends)}
    if all((part == part[0]).all() for parts in factors.values() for part in parts):
        file.words["factors"] = "layer->multiplier, layer->shift"
        for name, parts in factors.items():
            file.fields[name] = [int(part[0]) for part in parts] + [0]
    else:
        file.words["factors"] = "*multiplier++, *shift++"
        file.add_cursor("multiplier", multiplier)
        file.add_cursor("shift", shift)


def _add_inputs(file, layers):
    """What the first layer reads: pixels, or sums of four that share their weights."""
    shared = share_2x2(layers[0].weight)
    if shared is None:
        file.words |= {"value": "uint8_t", "values": "a pixel, or what a hidden unit answers"}
        file.words["start"] += "    const value *inputs = pixels;\n"
    else:
        layers[0].weight = shared
        file.words |= {"value": "uint16_t", "values": "four pixels, or what a hidden unit answers"}
        file.words["start"] += _source("share.c", half=SIDE // 2, side=SIDE)


def _add_weights(file, layers, encoding, sizes):
    """The weights, in their encoding; the biases among them, or in an array of their own."""
    steps = [gcd(*layer.bias.tolist()) or 1 for layer in layers]
    biases = [layer.bias // step for layer, step in zip(layers, steps, strict=True)]
    table, fields, zero = ENCODINGS[encoding]([layer.weight for layer in layers], biases, sizes)
    file.arrays = {"weights": table, **file.arrays}
    file.fields = {**fields, **file.fields}
    times, inside = "", zero is not None
    if max(steps) > 1:
        file.fields["step"], times = steps, " * (int32_t)layer->step"
    if not inside:
        file.add_cursor("bias", np.concatenate(biases))
    file.words |= {"bias": "0" if inside else f"*bias++{times}", "add_up": _source(
        f"{encoding}.c", holds=" and holds its bias" * inside,
        add_bias=f"*sum += ((int32_t)code - {zero}){times};" if inside else "(void)code;")}


def _natural(layers):
    """The encoding of a network for which none was named."""
    weights = [layer.weight for layer in layers]
    if all(len(np.unique(np.abs(weight[weight != 0]))) <= 3 for weight in weights):
        return "bytes"
    zeros = sum(np.count_nonzero(weight == 0) for weight in weights)
    return "gaps" if 2 * zeros > sum(weight.size for weight in weights) else "dense"


def _float_source(model):
    """The C file of a float network, and the bytes of its table of weights."""
    widths = model.widths
    parts = [part.detach().numpy().ravel() for part in model.parameters()]
    file = _File(layers=len(widths) - 1, widths=", ".join(map(str, widths)),
                 values=sum(widths[:-1]))
    file.arrays = {"weights": np.concatenate(parts[::2]), "biases": np.concatenate(parts[1::2])}
    return file.source("float.c"), file.arrays["weights"].nbytes


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


def _source(name, **words):
    """A file of c/ with these words in the places that wait for them."""
    text = Path(__file__).with_name("c").joinpath(name).read_text("ascii")
    return Template(text).substitute(words)

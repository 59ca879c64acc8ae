"""The network leaves Python altogether: one C99 file that any compiler turns into a digit reader.

The sources are those of c/. `network.c` is the frame; `dense.c`, `gaps.c`, `bytes.c` and `bits.c`
read weights as `encodings` wrote them; `rescale.c` and `rescale_by_bytes.c` bring an accumulator
back to eight bits in arithmetic of 32. `c_file` fills in what stands behind a $ in them.
"""

from dataclasses import replace
from itertools import chain, pairwise
from math import gcd
from pathlib import Path

import numpy as np

from ..arguments import one_of, whole
from ..data import SIDE
from ..integer import IntegerConvolution, IntegerNetwork, share_2x2
from ..model import DigitClassifier
from .c_convolution import convolution_source
from .c_file import CFile, source
from .encodings import ENCODINGS
from .page import check_widths


def export_c(network: IntegerNetwork | DigitClassifier, path: str | Path,
             encoding: str | None = None, gap_bits: int | None = None) -> int:
    """Write one C99 file with `void predict(const uint8_t pixels[784], int32_t logits[10])`.

    It computes the network's own integers without floats, 64-bit arithmetic or any library; hidden
    units that nothing depends on are left out. A float network comes out in float32, with float
    logits. Returns the bytes of the table of weights.

    encoding, of dense layers: "dense", a byte for every weight; or, for those that are not zero,
    "gaps" (two bytes), "bytes" (one) or "bits" (fewer). The last two need layers of at most three
    magnitudes. They say how far the next weight is in 5 bits, "bits" in `gap_bits`, 1 to 6, or what
    is best for each layer. None is "bytes", or where magnitudes are more the smaller of the first
    two. ValueError for other networks, and where arithmetic of 32 bits could not be exact.
    """
    if isinstance(network.layers[0], IntegerConvolution):
        text, size = convolution_source(network.layers)
    else:
        check_widths(network, "C code")
        if encoding is not None:
            one_of("encoding", encoding, ENCODINGS)
        sizes = range(1, 7) if gap_bits is None else [whole("gap_bits", gap_bits, 1, 6)]
        text, size = (_float_source(network) if isinstance(network, DigitClassifier)
                      else _integer_source(network, encoding, sizes))
    Path(path).write_text(text, "ascii")
    return size


def _integer_source(network, encoding, sizes):
    """The C file of an integer network, and the bytes of its table of weights."""
    layers = _living(network.layers)
    widths = (SIDE**2, *(len(layer.bias) for layer in layers))
    file = CFile(hidden=sum(widths[1:-1]), layers=len(layers))
    file.fields["units"] = widths[1:]
    _add_factors(file, layers[:-1])
    _add_inputs(file, layers)
    encoding = encoding or _natural([layer.weight for layer in layers])
    _add_weights(file, layers, encoding, sizes)
    size = len(file.arrays["weights"])
    file.words |= {
        "widths": "-".join(map(str, widths)), "encoding": encoding, "size": f"{size:,}",
        "count": f"{sum(np.count_nonzero(layer.weight) for layer in layers):,}",
        "bound": f"{max(layer.bound for layer in network.layers):,}"}
    return file.source("network.c"), size


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


def _add_factors(file, hidden):
    """Where the C function that rescales finds its two factors: in the layer, or unit by unit."""
    factors = file.add_rescale(hidden, [_highest(layer).clip(0) for layer in hidden])
    ends = np.cumsum([len(layer.bias) for layer in hidden])[:-1]
    each = {name: [np.unique(part).tolist() for part in np.split(factor, ends)]
            for name, factor in zip(("multiplier", "shift"), factors, strict=True)}
    if all(len(part) == 1 for parts in each.values() for part in parts):
        file.words["factors"] = "layer->multiplier, layer->shift"
        file.fields |= {name: [*chain(*parts), 0] for name, parts in each.items()}
    else:
        file.words["factors"] = "*multiplier++, *shift++"
        file.add_cursor("multiplier", factors[0])
        file.add_cursor("shift", factors[1])


def _add_inputs(file, layers):
    """What the first layer reads: pixels, or sums of four that share their weights."""
    shared = share_2x2(layers[0].weight)
    if shared is None:
        file.words |= {"value": "uint8_t", "values": "a pixel, or what a hidden unit answers"}
        file.words["start"] += "    const value *inputs = pixels;\n"
    else:
        layers[0].weight = shared
        file.words |= {"value": "uint16_t", "values": "four pixels, or what a hidden unit answers"}
        file.words["start"] += source("share.c", half=SIDE // 2, side=SIDE)


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
    file.words |= {"bias": "0" if inside else f"*bias++{times}", "add_up": source(
        f"{encoding}.c", holds=" and holds its bias" * inside,
        add_bias=f"*sum += ((int32_t)code - {zero}){times};" if inside else "(void)code;")}


def _natural(weights):
    """The encoding of a network for which none was named."""
    if all(len(np.unique(np.abs(weight[weight != 0]))) <= 3 for weight in weights):
        return "bytes"
    zeros = sum(np.count_nonzero(weight == 0) for weight in weights)
    return "gaps" if 2 * zeros > sum(weight.size for weight in weights) else "dense"


def _float_source(model):
    """The C file of a float network, and the bytes of its table of weights."""
    widths = model.widths
    parts = [part.detach().numpy().ravel() for part in model.parameters()]
    file = CFile(layers=len(widths) - 1, widths=", ".join(map(str, widths)),
                 values=sum(widths[:-1]))
    file.arrays = {"weights": np.concatenate(parts[::2]), "biases": np.concatenate(parts[1::2])}
    return file.source("float.c"), file.arrays["weights"].nbytes

"""packed/file"""

import io
import zlib
from pathlib import Path

import numpy as np

from ..integer import IntegerLayer, IntegerNetwork, spread_2x2
from .context_mixing import read_record, write_record
from .header import (
    CODERS,
    MAX_WEIGHTS,
    RECORD_WEIGHTS,
    PackedFileError,
    check,
    read_header,
    require,
    share_2x2,
    sort_units,
    write_header,
)
from .plain import (
    read_biases,
    read_bitmask,
    read_csr,
    read_dense,
    write_biases,
    write_bitmask,
    write_csr,
    write_dense,
)
from .range_coder import read_order0, write_order0


def pack(model, coder="record", *, share=True, reorder=False):
    """Model of integers -> bytes of one file.

    model: an IntegerNetwork. coder: one of CODERS. share: store a first layer
    whose 2x2 blocks of pixels have equal weights once a block. reorder: sort hidden units first
    (`sort_units`: the same function, a smaller record file). Raises ValueError.
    """
    with io.BytesIO() as file:  # unlike join, it does not hold every part twice at the end
        for _, part in file_parts(model, coder, share, reorder):
            file.write(part)
        return file.getvalue()


def unpack(data, max_weights=MAX_WEIGHTS):
    """bytes -> IntegerNetwork with the very integers that were packed; raises PackedFileError.

    max_weights: the most weights the network may have (record files: at most RECORD_WEIGHTS).
    """
    header, cursor = read_header(data, max_weights)
    READERS[header.coder](cursor, header.layers)
    for layer, step in zip(header.layers, header.steps, strict=True):
        whole = layer.bias.astype(np.int64) * step
        check(whole.size == 0 or abs(whole).max() < 1 << 31, "a bias is out of range")
        layer.bias = whole.astype(np.int32)
    if header.tied:
        header.layers[0].weight = spread_2x2(header.layers[0].weight)
    try:
        return IntegerNetwork(header.layers)
    except ValueError as problem:
        raise PackedFileError(str(problem)) from problem


def save_packed(model, path, coder="record", **options):
    """Write `pack(model, coder, **options)` to a file; return its size in bytes."""
    return Path(path).write_bytes(pack(model, coder, **options))


def load_packed(path, max_weights=MAX_WEIGHTS):
    """Read a file as `unpack` does; a file too large for max_weights is not even read."""
    size = Path(path).stat().st_size
    check(size <= 16 * max_weights + 4096, f"{size} bytes are too many for {max_weights} weights")
    return unpack(Path(path).read_bytes(), max_weights)


def stored(network, share):
    """IntegerNetwork -> tied, bias steps and layers to store: the first shared, biases in steps."""
    small = share_2x2(network.layers[0].weight) if share else None
    steps = [max(1, int(np.gcd.reduce(layer.bias.astype(np.int64)))) for layer in network.layers]
    steps = [step if step // (step & -step) < 1 << 24 else step & -step for step in steps]
    layers = [
        IntegerLayer(layer.weight, layer.bias // step, layer.scale)
        for layer, step in zip(network.layers, steps, strict=True)
    ]
    if small is not None:
        layers[0].weight = small
    return small is not None, steps, layers


def file_parts(network, coder, share, reorder):
    """Yield (label, bytes) from the first byte of the file to the last; label "stream" is mixed."""
    require(coder in CODERS, f"coder must be one of {CODERS}, got {coder!r}")
    network = sort_units(network) if reorder else network
    tied, steps, layers = stored(network, share)
    weights = sum(layer.weight.size for layer in network.layers)
    limit = RECORD_WEIGHTS if coder == "record" else MAX_WEIGHTS
    require(weights <= limit, f"{weights} weights are too many for {coder}: at most {limit}")
    checksum = 0
    parts = write_header(coder, tied, network, steps)
    for section in (parts, WRITERS[coder](layers)):
        for label, part in section:
            checksum = zlib.crc32(part, checksum)
            yield label, part
    yield "header", checksum.to_bytes(4, "little")


def by_layer(write):
    """Turn a writer of one layer's weights into a writer of all, with each layer's biases first."""
    def write_all(layers):
        for layer in layers:
            yield "biases", write_biases(layer.bias)
            yield from write(layer.weight)
    return write_all


def read_by_layer(read):
    """Turn a reader of one layer's weights into a reader of all, the inverse of by_layer."""
    def read_all(cursor, layers):
        for layer in layers:
            read_biases(cursor, layer.bias)
            read(cursor, layer.weight)
        check(len(cursor.rest) == 0, f"{len(cursor.rest)} bytes too many")
    return read_all
WRITERS = {
    "dense": by_layer(write_dense),
    "bitmask": by_layer(write_bitmask),
    "csr": by_layer(write_csr),
    "order0": by_layer(write_order0),
    "record": write_record,
}
READERS = {
    "dense": read_by_layer(read_dense),
    "bitmask": read_by_layer(read_bitmask),
    "csr": read_by_layer(read_csr),
    "order0": read_by_layer(read_order0),
    "record": read_record,
}

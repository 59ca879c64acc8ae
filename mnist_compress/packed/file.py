"""An integer network <-> the bytes of a file, in one of five codecs; convolutions have the last."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..integer import IntegerConvolution, IntegerLayer, IntegerNetwork, share_2x2
from .context_mixing import mix
from .convolutions import VERSION, walk_convolutions, walk_shapes
from .header import Header, Port, check
from .plain import bitmask, csr, dense
from .range_coder import order0
from .rules import check_layers

CODECS: dict[str, Callable[[Port, Any], None]] = {  # a file's number is the place in this table
    "dense": dense,
    "bitmask": bitmask,
    "csr": csr,
    "order0": order0,
    "context_mixing": mix,  # of all layers at once; the others walk matrix after matrix
}

_LABELS = ("header", "positions", "signs", "magnitudes", "scales", "biases")  # what bytes are for


def pack(network: IntegerNetwork, codec: str = "context_mixing", *, share: bool = True,
         reorder: bool = False) -> bytes:
    """IntegerNetwork -> bytes of one file; ValueError for what is none or breaks its rules.

    codec: one of CODECS; for convolutions, context mixing alone. share: if the pixels of each 2x2
    block have equal weights, store one. reorder: sort the hidden units of dense layers by their
    biases: the same function, less to tell for context mixing.
    """
    if not isinstance(network, IntegerNetwork):
        raise ValueError(f"must be an IntegerNetwork of layers; got {type(network).__name__}")
    if codec not in CODECS:
        raise ValueError(f"codec must be one of {', '.join(CODECS)}; got {codec!r}")
    check_layers(network.layers)
    port = Port()
    if isinstance(network.layers[0], IntegerConvolution):
        if codec != "context_mixing":
            raise ValueError(f"convolutions have the codec 'context_mixing' alone; got {codec!r}")
        walk_convolutions(port, network.layers)
    else:
        layers = _sorted(network.layers) if reorder else network.layers
        walk(port, _stored(layers, codec, share))
    return port.finish()


def unpack(data: bytes, trusted: bool = False) -> IntegerNetwork:
    """bytes -> IntegerNetwork of the very integers that were packed. PackedFileError.

    trusted: the file may be above `Port.LIMITS`, and take any time and memory.
    """
    return _read(Port(data, trusted))


def _read(port: Port) -> IntegerNetwork:
    """The network in the file that the port reads. PackedFileError."""
    if port.rest[0] >> 4 == VERSION:
        layers: Sequence[IntegerLayer] = walk_convolutions(port, [])
    else:
        walk(port, header := Header())
        layers = header.whole()
    check_layers(layers)
    return IntegerNetwork(layers)


def stream_of(data: bytes) -> tuple[bytes, bool, list[int]]:
    """A file of context mixing -> its stream; of dense layers also whether 2x2 pixels share weights
    and what the biases of each layer were divided by."""
    header, port = Header(), Port(data, trusted=True)
    if port.rest[0] >> 4 == VERSION:
        walk_shapes(port, [])
    else:
        header.walk(port)
    return bytes(port.rest), header.tied, header.steps


def breakdown(data: bytes, trusted: bool = False) -> dict[str, int]:
    """bytes of a packed file -> how many of them are for what; the sum is len(data).

    The bytes of a stream are shared out by the information they carry, rounded to whole bytes by
    largest remainder. trusted: see `unpack`. PackedFileError.
    """
    port = Port(data, trusted)
    _read(port)
    stream, carried = port.sizes["stream"], sum(port.shares.values())
    exact = {label: port.sizes[label] + stream * port.shares[label] / max(carried, 1e-9)
             for label in _LABELS}
    whole = {label: int(size) for label, size in exact.items()}
    for label in sorted(exact, key=lambda label: whole[label] - exact[label]):
        whole[label] += sum(whole.values()) < len(data)
    return whole


def save(network: IntegerNetwork, path: str | Path, codec: str = "context_mixing",
         **options: bool) -> int:
    """Write `pack(network, codec, **options)` to a file; return its size in bytes."""
    return Path(path).write_bytes(pack(network, codec, **options))


def load(path: str | Path, trusted: bool = False) -> IntegerNetwork:
    """Read a file as `unpack` does; no more than the limit of one that is not trusted."""
    with Path(path).open("rb") as file:
        return unpack(file.read(-1 if trusted else Port.LIMITS["bytes"] + 1), trusted)


def walk(port: Port, header: Header) -> None:
    """Pass a whole file through a port: write what `header` holds, or fill it."""
    header.walk(port)
    check(header.codec < len(CODECS), f"unknown codec {header.codec}")
    codec = list(CODECS.values())[header.codec]
    if codec is mix:
        return mix(port, header.layers)
    for layer in header.layers:
        _walk_bias(port, layer.bias)
        codec(port, layer.weight)
    check(not port.rest, f"{len(port.rest)} bytes too many")


def _walk_bias(port, bias):
    """int32 (n,): the bytes that each takes, 0, 1, 2 or 4, then all of them."""
    largest = int(max(bias.max(), ~bias.min()))
    size = port.byte("biases", np.min_scalar_type(~largest).itemsize if bias.any() else 0)
    check(size in (0, 1, 2, 4), f"biases of {size} bytes")
    if size:
        bias[:] = port.array("biases", bias, f"<i{size}")


def _stored(layers, codec, share):
    """The Header with copies of all layers as a file stores them, the first one shared."""
    if len({layer.scale.ndim for layer in layers[:-1]}) > 1:
        raise ValueError("hidden layers must have one scale each, or all one for each unit")
    header = Header(list(CODECS).index(codec))
    for layer in layers:
        step = max(1, int(np.gcd.reduce(layer.bias.astype(np.int64))))
        if step // (step & -step) >= 1 << 24:
            step &= -step
        header.steps.append(step)
        header.layers.append(replace(layer, weight=layer.weight.copy(), bias=layer.bias // step))
    small = share_2x2(layers[0].weight) if share else None
    if small is not None:
        header.layers[0].weight, header.tied = small, True
    return header


def _sorted(layers):
    """Hidden units in order of biases, equal ones by their number of weights, most first."""
    layers = [replace(layer) for layer in layers]
    for layer, after in pairwise(layers):
        order = np.lexsort((-np.count_nonzero(layer.weight, axis=1), layer.bias))
        for name, part in vars(layer).items():
            setattr(layer, name, part[order] if part.ndim else part)
        after.weight = after.weight[:, order]
    return layers

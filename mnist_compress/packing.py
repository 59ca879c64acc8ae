"""Model <-> bytes: a ladder of file formats that turn zeros and small integers into a small file."""

import math
import zlib

import numpy as np

from .packed_decoder import Mixer, bit_reader, walk
from .packed_format import (  # noqa: F401
    MAX_WEIGHTS,
    PackedFileError,
    PackedLayer,
    PackedNetwork,
    check,
    read_header,
    share_2x2,
    spread_2x2,
    write_header,
)


class BitWriter:
    """Arithmetic encoder, the mirror of packed_decoder.bit_reader: a 32-bit span, carries rippled."""

    def __init__(self):
        self.low, self.span, self.out = 0, 0xFFFFFFFF, bytearray()

    def __call__(self, p, truth):
        """Append the bit `truth`, which is 1 with p chances in 65536; return it."""
        part = self.span * p >> 16
        self.low, self.span = (self.low, part) if truth else (self.low + part, self.span - part)
        if self.low >> 32:
            self.carry()
        while self.span < 1 << 24:
            self.out.append(self.low >> 24)
            self.low, self.span = self.low << 8 & 0xFFFFFFFF, self.span << 8
        return truth

    def carry(self):
        """Add one to the last byte already out."""
        place = len(self.out) - 1
        while self.out[place] == 255:
            self.out[place] = 0
            place -= 1
        self.out[place] += 1
        self.low &= 0xFFFFFFFF

    def finish(self):
        """The stream, ended by as few bytes as name a number inside the last span."""
        for size in range(5):
            unit = 1 << 32 - 8 * size
            end = -(-self.low // unit) * unit
            if end < self.low + self.span:
                break
        self.low = end
        if end >> 32:
            self.carry()
        return bytes(self.out + self.low.to_bytes(4, "big")[:size])


def bias_steps(network):
    """The largest integer that divides all biases of a layer, for each layer (0 if all are zero)."""
    return [int(np.gcd.reduce(layer.bias.astype(np.int64))) for layer in network.layers]


def write_record(layers):
    """Layers (bias in steps) -> stream of the record coder."""
    writer = BitWriter()
    walk(Mixer(writer), layers)
    return writer.finish()


def read_record(body, layers):
    """Fill the layers from a record stream."""
    walk(Mixer(bit_reader(body)), layers)


def sort_units(network):
    """The same function with its hidden units in order of their number of weights, largest first."""
    layers = [PackedLayer(**vars(layer)) for layer in network.layers]
    for layer, after in zip(layers, layers[1:], strict=False):
        order = np.lexsort((-(layer.weight != 0).sum(1), layer.bias))
        layer.weight, layer.bias = layer.weight[order], layer.bias[order]
        if np.ndim(layer.scale):
            layer.scale, layer.multiplier = layer.scale[order], layer.multiplier[order]
            layer.shift = layer.shift[order]
        after.weight = after.weight[:, order]
    return PackedNetwork(layers)


def pack(network, coder="record", *, share=True, reorder=False):
    """PackedNetwork -> bytes of one file."""
    network = sort_units(network) if reorder else network
    small = share_2x2(network.layers[0].weight) if share else None
    steps = bias_steps(network)
    layers = [PackedLayer(layer.weight, layer.bias // max(step, 1), layer.scale)
              for layer, step in zip(network.layers, steps, strict=True)]
    if small is not None:
        layers[0].weight = small
    data = write_header(coder, small is not None, network, steps) + write_record(layers)
    return data + zlib.crc32(data).to_bytes(4, "little")


def unpack(data, max_weights=MAX_WEIGHTS):
    """bytes -> PackedNetwork; raises PackedFileError."""
    header = read_header(data, max_weights)
    read_record(data[header.body:-4], header.layers)
    for layer, step in zip(header.layers, header.steps, strict=True):
        layer.bias *= step
    if header.tied:
        header.layers[0].weight = spread_2x2(header.layers[0].weight)
    return PackedNetwork(header.layers)

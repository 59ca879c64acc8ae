"""Reads a packed file and recognises digits, with NumPy and nothing else.

This is all that a device needs, with `packed_decoder` and `packed_format` beside it: no torch, and
from the pixels to the last sums only integers.
"""

from math import prod
from pathlib import Path

import numpy as np

from .context_mixing import Mixer, bit_reader, walk
from .header import RECORD_WEIGHTS, check, read_header, spread_2x2


class PackedClassifier:
    """The network in a packed file of the coder "record", as `packing.pack` writes it.

    data: the file's bytes. Raises PackedFileError if they are damaged or of another coder.
    """

    def __init__(self, data):
        header, cursor = read_header(data, RECORD_WEIGHTS)
        check(header.coder == "record", f"this reader knows the coder record, not {header.coder}")
        walk(Mixer(bit_reader(bytes(cursor.rest))), header.layers)
        for layer, step in zip(header.layers, header.steps, strict=True):
            bias = layer.bias.astype(np.int64) * step
            check(abs(bias).max() < 1 << 31, "a bias is out of range")
            layer.bias = bias.astype(np.int32)
        if header.tied:
            header.layers[0].weight = spread_2x2(header.layers[0].weight)
        self.layers = header.layers

    @classmethod
    def load(cls, path):
        """Read a file, such as one from `packing.save_packed`."""
        return cls(Path(path).read_bytes())

    @property
    def nbytes(self):
        """Bytes of the weights and biases it holds."""
        return sum(layer.weight.nbytes + layer.bias.nbytes for layer in self.layers)

    def logits(self, pixels):
        """uint8 (n, in) or (n, side, side) -> the last layer's int32 sums (n, 10). ValueError."""
        inputs = self.layers[0].weight.shape[1]
        if pixels.dtype != np.uint8 or pixels.ndim < 2 or prod(pixels.shape[1:]) != inputs:
            raise ValueError(f"pixels must be uint8, {inputs} for each digit, in an array of all "
                             f"digits; got {pixels.dtype} of {pixels.shape}")
        values = pixels.reshape(len(pixels), inputs)
        for layer in self.layers:
            values = values.astype(np.int32) @ layer.weight.T.astype(np.int32) + layer.bias
            if layer.shift is not None:  # ReLU, then back to 0..255, rounding half up
                shift = layer.shift.astype(np.int64)
                product = np.maximum(values, 0).astype(np.int64) * layer.multiplier
                values = np.minimum(product + (1 << shift - 1) >> shift, 255)
        return values

    def predict(self, pixels):
        """uint8 pixels -> the digit with the largest sum, int64 (n,)."""
        return self.logits(pixels).argmax(1)

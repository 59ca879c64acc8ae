"""integer"""

import math
from dataclasses import dataclass

import torch

from .data import as_number

PIXEL_SCALE = 1 / 255  # a pixel always was an 8-bit number
MULTIPLIER_BITS = 24  # a multiplier stays below 2**24, so that sum * multiplier is below 2**53
MAX_INPUTS = 2**13  # so many times 255 * 127 is below 2**28; so is a bias, and a sum below 2**29


@dataclass(frozen=True)
class IntegerLayer:
    """One layer of integers: weight int8 (out, in), bias int32 (out,), what they stand for.

    scale: float32 () or (out,), the value of weight 1. A hidden layer has multiplier and shift,
    int64 of the shape of scale, that bring its sums to 0..255; the last layer has None.
    """

    weight: torch.Tensor
    bias: torch.Tensor
    scale: torch.Tensor
    multiplier: torch.Tensor | None = None
    shift: torch.Tensor | None = None

    def sums(self, inputs):
        """uint8 or int32 (n, in) -> int32 (n, out): products of integers, added to the bias."""
        return inputs.to(torch.int32) @ self.weight.to(torch.int32).T + self.bias

    def rescale(self, sums):
        """int32 sums -> ReLU and 0..255, uint8: floor((sum * m + 2**(s - 1)) / 2**s)."""
        half = torch.ones_like(self.shift) << (self.shift - 1)
        scaled = (sums.clamp(min=0).to(torch.int64) * self.multiplier + half) >> self.shift
        return scaled.clamp(max=255).to(torch.uint8)


class IntegerClassifier:
    """A network of integers; between the pixels and the last sums there is no float at all."""

    reads_pixels = True

    def __init__(self, layers):
        self.layers = list(layers)

    @property
    def widths(self):
        """Units from input to output, such as (784, 128, 10)."""
        return (self.layers[0].weight.shape[1], *(len(layer.weight) for layer in self.layers))

    @property
    def activation_scales(self):
        """What 1 means in each layer's input: the pixels' 1/255, then one for each hidden layer."""
        return _activation_scales(self.layers[:-1])

    @property
    def logit_scale(self):
        """What 1 means in the last sums, a float."""
        return self.activation_scales[-1] * self.layers[-1].scale.item()

    def activations(self, pixels):
        """uint8 (n, in) -> hidden uint8 of each layer, then the last layer's int32 sums (n, 10).

        ValueError unless the pixels are uint8 and as many as the network reads.
        """
        if pixels.dtype != torch.uint8 or pixels.shape[1:] != (self.widths[0],):
            raise ValueError(f"pixels must be uint8 of the shape (n, {self.widths[0]}); got "
                             f"{pixels.dtype} of {tuple(pixels.shape)}")
        outputs = [pixels]
        for layer in self.layers[:-1]:
            outputs.append(layer.rescale(layer.sums(outputs[-1])))
        return [*outputs[1:], self.layers[-1].sums(outputs[-1])]

    def sums(self, pixels):
        """uint8 (n, in) -> the last layer's int32 sums (n, 10): logits in units of logit_scale."""
        return self.activations(pixels)[-1]

    def __call__(self, pixels):
        """uint8 (n, in) -> logits, float32 (n, 10)."""
        return self.sums(pixels).to(torch.float32) * self.logit_scale

    def state_dict(self):
        """All its tensors by name, for torch.save."""
        return {f"layers.{i}.{name}": part for i, layer in enumerate(self.layers)
                for name, part in vars(layer).items() if part is not None}

    @classmethod
    def from_state_dict(cls, tensors):
        """The classifier whose `state_dict` this is."""
        layers = {}
        for name, part in tensors.items():
            _, index, field = name.split(".")
            layers.setdefault(int(index), {})[field] = part
        return cls(IntegerLayer(**layers[index]) for index in sorted(layers))


def from_arrays(network):
    """A network whose layers hold NumPy arrays, such as `packing.unpack` returns -> the same
    integers as an IntegerClassifier."""
    return IntegerClassifier(
        IntegerLayer(torch.from_numpy(layer.weight), torch.from_numpy(layer.bias),
                     torch.as_tensor(layer.scale),
                     *(None if part is None else torch.as_tensor(part).to(torch.int64)
                       for part in (layer.multiplier, layer.shift)))
        for layer in network.layers)


def _activation_scales(hidden_layers):
    scales = [PIXEL_SCALE]
    for layer in hidden_layers:  # each row gives the same; that of the largest scale has most bits
        weight, multiplier, shift = (part.flatten()[layer.scale.argmax()].item() for part in
                                     (layer.scale, layer.multiplier, layer.shift))
        scales.append(scales[-1] * weight * 2.0**shift / multiplier)
    return scales


def fixed_point(ratio):
    """Positive float -> (multiplier, shift): ratio is nearly multiplier / 2**shift.

    The multiplier has at most 24 bits, the shift is 1..46. ValueError if the ratio is too large.
    """
    if not 0 < as_number(ratio) < 2 ** (MULTIPLIER_BITS - 1):
        raise ValueError(f"ratio must be above 0 and below 2**{MULTIPLIER_BITS - 1}; got {ratio!r}")
    shift = min(MULTIPLIER_BITS - math.frexp(ratio)[1], 46)
    return min(max(round(math.ldexp(ratio, shift)), 1), 2**MULTIPLIER_BITS - 1), shift

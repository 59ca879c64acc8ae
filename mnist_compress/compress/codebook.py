"""The surviving weights share a few magnitudes, and the network learns to live with rounding.

Each magnitude is stored once a layer; a weight then costs its position, its sign and a level.
"""

import math
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor

from ..data import normalize
from ..integer import PIXEL_SCALE, IntegerLayer, IntegerNetwork, as_fraction, spread_2x2
from .distillation import Lesson
from .network import Network, Watch, batches, forward, straight_through, trainable, unwatched
from .recipe import Recipe

_SHORT_BITS = 7  # of scales and multipliers: each takes two bytes of the file


def fit_codebook(weight: Tensor, levels: int, rounds: int = 30) -> Tensor:
    """Weights of any shape -> that many magnitudes (levels,), ascending, near those that are not 0.

    k-means of |w|, as in Deep Compression (Han, Mao & Dally 2016). ValueError if all are 0.
    """
    values = weight[weight != 0].abs()
    if not len(values):
        raise ValueError(f"a layer has no weights left: all {weight.numel():,} are 0; keep more")
    centers = values.quantile((torch.arange(levels, dtype=values.dtype) + 0.5) / levels)
    for _ in range(rounds):
        nearest = (values[:, None] - centers).abs().argmin(1)
        total = torch.zeros_like(centers).index_add(0, nearest, values)
        count = torch.bincount(nearest, minlength=levels)
        centers = torch.where(count > 0, total / count.clamp(min=1), centers)
    return centers.sort().values


class Grid(NamedTuple):
    """Where the numbers of one layer may lie once they are rounded.

    mask: bool (out, in), False for weights that stay 0. codebook: the magnitudes (levels,) of the
    others; the largest becomes 127. input_scale: what 1 means in the bytes that the layer reads.
    power: biases are multiples of 2**power in its accumulators.
    """

    mask: Tensor
    codebook: Tensor
    input_scale: float
    power: int = 0

    @property
    def weight_scale(self) -> float:
        """What weight 1 means."""
        return self.codebook.max().item() / 127

    @property
    def bias_step(self) -> float:
        """What biases are multiples of."""
        return self.weight_scale * self.input_scale * 2**self.power

    def round(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Weight and bias -> the nearest on the grid. Gradients pass straight through to both, and
        from a weight to its magnitude in the codebook."""
        distance = (weight.detach().abs()[..., None] - self.codebook.detach()).abs()
        magnitude = self.codebook[distance.argmin(-1)] * weight.detach().sign() * self.mask
        step = self.bias_step
        return (straight_through(weight * self.mask, 0) + magnitude,
                straight_through(bias, (bias / step).round() * step))

    def read(self, values: Tensor) -> Tensor:
        """Hidden values -> the nearest that the bytes 0..255 can say, straight through."""
        whole = (values / self.input_scale).round().clamp(max=255)
        return straight_through(values, whole * self.input_scale)


def choose_grids(network: Network, inputs: Tensor, levels: tuple[int, ...],
                 bias_step: float) -> list[Grid]:
    """Network and calibration inputs (n, in) float32, 0..1 -> a Grid for each layer."""
    grids: list[Grid] = []
    read = forward(network, inputs)[:-1]
    for (weight, _), values, count in zip(network, read, levels, strict=True):
        least = grids[-1].weight_scale * grids[-1].input_scale if grids else PIXEL_SCALE
        scale = max(values.max().item() / 255, least)  # no finer than the accumulators
        grid = Grid(weight != 0, fit_codebook(weight, count), scale)
        power = max(0, round(math.log2(bias_step / grid.bias_step)))
        grids.append(grid._replace(power=power))
    return grids


@torch.inference_mode(False)  # with gradients, even inside no_grad or inference_mode
def quantization_aware_train(network: Network, lesson: Lesson, recipe: Recipe,
                             generator: Generator, watch: Watch = unwatched
                             ) -> tuple[Network, list[Grid]]:
    """Train with the rounding in place, codebooks too: network -> network and the grids it suits.

    Forward passes see shared magnitudes, biases in steps and hidden values in 0..255; the weights
    that come back are those behind them.
    """
    student = trainable(network)
    inputs = normalize(lesson.inputs[:10 * recipe.batch])
    grids = choose_grids(network, inputs, recipe.levels, recipe.bias_step)
    codebooks = [grid.codebook.requires_grad_() for grid in grids]
    adam = torch.optim.Adam([{"params": chain(*student)}, {"params": codebooks}], fused=True)
    order = batches(len(lesson.inputs), recipe.batch, recipe.quantize_steps, generator)
    for step, index in enumerate(watch(order, "rounding", recipe.quantize_steps)):
        cosine = (1 + math.cos(math.pi * step / recipe.quantize_steps)) / 2
        for group, share in zip(adam.param_groups, (1 / 2, 1 / 6), strict=True):
            group["lr"] = recipe.rate * share * cosine
        adam.zero_grad()
        on_grids = [grid.round(*layer) for grid, layer in zip(grids, student, strict=True)]
        lesson.loss(on_grids, index, lambda values, place: grids[place].read(values)).backward()
        adam.step()
    return ([(weight.detach(), bias.detach()) for weight, bias in student],
            [grid._replace(codebook=grid.codebook.detach()) for grid in grids])


def integers(network: Network, grids: list[Grid], widths: tuple[int, ...]) -> IntegerNetwork:
    """Network -> the nearest on its grids, of these widths; units beyond the network's are zero.

    Scales and multipliers are shortened; what a multiplier loses by it goes into the scale of the
    next layer's input, so the logits keep their meaning.
    """
    layers: list[IntegerLayer] = []
    input_scale = PIXEL_SCALE
    for place, (layer, grid) in enumerate(zip(network, grids, strict=True)):
        (weight, bias), scale = grid.round(*layer), grid.weight_scale
        last, (inputs, units) = grid is grids[-1], widths[place:place + 2]
        whole = (weight / scale).round().to(torch.int8).numpy()
        steps = (bias / grid.bias_step).round() * (grid.mask.any(1) | last)  # none for dead units
        total = steps.to(torch.int32).numpy() << grid.power
        if place == 0 and 4 * whole.shape[1] == inputs:  # four pixels add up, not their mean
            whole, total, scale = spread_2x2(whole), total << 2, scale / 4
        more = units - len(whole)
        whole = np.pad(whole, ((0, more), (0, inputs - whole.shape[1])))
        number, shift = as_fraction(scale, _SHORT_BITS)
        short = np.array(number / 2**shift, np.float32)
        layers.append(IntegerLayer(whole, np.pad(total, (0, more)), short))
        if not last:
            rescale = short.item() * input_scale / grids[place + 1].input_scale
            number, shift = as_fraction(rescale, _SHORT_BITS)
            layers[-1].multiplier = np.array(number, np.int32)
            layers[-1].shift = np.array(shift, np.int32)
            input_scale = layers[-1].output_scale(input_scale)
    return IntegerNetwork(layers)

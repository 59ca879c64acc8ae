"""compress/codebook"""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from .network import batches, through, trainable


def share_magnitudes(weight, mask, levels, rounds=30):
    """Weights where mask is True -> `levels` magnitudes (levels,), ascending.

    One-dimensional k-means of |w|, as in Deep Compression (Han, Mao & Dally 2016).
    """
    values = weight[mask].abs()
    centers = torch.quantile(values, (torch.arange(levels) + 0.5) / levels)
    for _ in range(rounds):
        nearest = (values[:, None] - centers).abs().argmin(1)
        total = torch.zeros(levels).index_add(0, nearest, values)
        count = torch.bincount(nearest, minlength=levels)
        centers = torch.where(count > 0, total / count.clamp(min=1), centers)
    return centers.sort().values


def to_codebook(weight, mask, code):
    """Weight (out, in) -> the nearest of the magnitudes in code (levels,) with its sign.

    0 where mask is False. Gradients pass the choice straight through, to weight and to code.
    """
    nearest = (weight.detach().abs()[..., None] - code.detach()).abs().argmin(-1)
    return through(weight * mask, 0) + code[nearest] * weight.detach().sign() * mask


def hidden_scales(network, rows):
    """Rows (n, in) in 0..1 -> what 1 means in each layer's input: 1/255, then largest / 255."""
    scales = [1 / 255]
    for weight, bias in network[:-1]:
        rows = F.relu(F.linear(rows, weight, bias))
        scales.append(max(float(rows.max()), 1e-6) / 255)
    return scales


@dataclass(frozen=True)
class Grid:
    """Where rounded numbers may lie: for each layer its codebook (levels,), the scale of its input,
    and k, so that its biases are multiples of 2**k times the scale of its sums."""

    codes: list
    scales: list
    twos: list

    def unit(self, place):
        """What weight 1 means in that layer: the largest magnitude becomes 127."""
        return self.codes[place].max().item() / 127

    def step(self, place):
        """What the biases of that layer are multiples of."""
        return self.unit(place) * self.scales[place] * 2 ** self.twos[place]

    def rounded(self, weights, biases, masks):
        """The network on this grid; gradients pass straight through."""
        return [(to_codebook(w, m, code), through(b, (b / self.step(i)).round() * self.step(i)))
                for i, (w, b, m, code) in enumerate(
                    zip(weights, biases, masks, self.codes, strict=True))]


def choose_grid(network, masks, rows, levels, bias_step):
    """Network, masks and calibration rows (n, in) in 0..1 -> the Grid it is rounded to."""
    codes = [share_magnitudes(w, m, n) for (w, _), m, n in zip(network, masks, levels, strict=True)]
    grid = Grid(codes, hidden_scales(network, rows), [0] * len(network))
    twos = [max(0, round(math.log2(bias_step / grid.step(i)))) for i in range(len(network))]
    return Grid(codes, grid.scales, twos)


def quantization_aware_train(network, masks, loss, rows, recipe, generator):
    """Train with the rounding in place, codebooks too: network -> network on a Grid, and the Grid.

    Forward passes see shared magnitudes, biases in steps and hidden values in 0..255.
    """
    weights, biases = trainable(network)
    grid = choose_grid(network, masks, rows[: 10 * recipe.batch] / 255, recipe.levels,
                       recipe.bias_step)
    codes = [code.requires_grad_() for code in grid.codes]
    adam = torch.optim.Adam([{"params": weights + biases}, {"params": codes}], fused=True)
    order = batches(len(rows), recipe.batch, recipe.quantize_steps, generator)
    for step, index in enumerate(order):
        cosine = (1 + math.cos(math.pi * step / recipe.quantize_steps)) / 2
        for group, share in zip(adam.param_groups, (1 / 2, 1 / 6), strict=True):
            group["lr"] = recipe.rate * share * cosine
        adam.zero_grad()
        loss(grid.rounded(weights, biases, masks), index, grid.scales[1:]).backward()
        adam.step()
    with torch.no_grad():
        rounded = grid.rounded(weights, biases, masks)
    return rounded, Grid([code.detach() for code in codes], grid.scales, grid.twos)

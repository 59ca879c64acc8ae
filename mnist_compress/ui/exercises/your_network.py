"""The exercises of 10_your_network: right functions, and cases to try."""

import torch

from . import Exercise


def _folded(weight, mean, var, gamma, beta):
    scale = gamma / (var + 1e-5).sqrt()
    return weight * scale[:, None, None, None], beta - mean * scale


def _of_parts(folded, name, seed, small):
    """A convolution of 3 channels and its batch norm, one of whose variances is small: the sum of
    each channel's weights, and the biases."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(3, 1, 3, 3, generator=generator).round(decimals=1)
    mean, gamma, beta = torch.randn(3, 3, generator=generator).round(decimals=1) + 0.05
    made = folded(weight, mean, torch.tensor([0.5, small, 2.0]), gamma, beta)
    if not isinstance(made, tuple) or getattr(made[0], "shape", None) != weight.shape:
        return made
    return made[0].sum((1, 2, 3)), *made[1:]


_EXERCISES = {"my_folded": Exercise(_folded, [
    ("three channels, one with a variance of 0.00001 (sums of weights, then biases)", 0, 1e-5),
    ("three other channels (sums of weights, then biases)", 1, 3.0)], _of_parts)}

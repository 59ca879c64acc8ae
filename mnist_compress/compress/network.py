"""compress/network"""

import math
from itertools import pairwise

import torch
from torch.nn import functional as F

from ..data import SIDE

PIXELS, CLASSES = SIDE * SIDE, 10
SHORT_BITS = 7  # of the multipliers and scales in a small file: two bytes each


def require(condition, problem):
    """Raise ValueError(problem) unless condition holds."""
    if not condition:
        raise ValueError(problem)


def check_wholes(name, values):
    """ValueError unless `values` is a tuple of whole numbers, 1 or more."""
    fine = isinstance(values, tuple) and values and all(type(v) is int and v > 0 for v in values)
    require(fine, f"{name} must be a tuple of whole numbers, 1 or more; got {values!r}")


def check_count(name, value, least=1):
    """ValueError unless `value` is a whole number, `least` or more."""
    require(type(value) is int and value >= least,
            f"{name} must be a whole number, {least} or more; got {value!r}")


def random_network(widths, generator):
    """Widths -> network with the initial weights of He, Zhang, Ren & Sun (2015), biases zero."""
    return [(torch.randn(units, inputs, generator=generator) * math.sqrt(2 / inputs),
             torch.zeros(units)) for inputs, units in pairwise(widths)]


def logits(network, rows, scales=None, drop=None):
    """Rows (n, in) -> (n, 10).

    scales: one a hidden layer; its outputs are rounded to 0..255 times the scale, as the integer
    network has them. drop: a function on hidden rows, for training.
    """
    *hidden, (weight, bias) = network
    for place, (w, b) in enumerate(hidden):
        rows = F.relu(F.linear(rows, w, b))
        if scales:
            rows = through(rows, (rows / scales[place]).round().clamp(max=255) * scales[place])
        rows = drop(rows) if drop else rows
    return F.linear(rows, weight, bias)


def through(smooth, stepped):
    """The value of `stepped`, the gradient of `smooth`: straight-through (Bengio et al. 2013)."""
    return smooth + (stepped - smooth).detach()


def batches(rows, size, steps, generator):
    """`steps` index batches (size,) out of `rows` positions; each pass has a new order."""
    done = 0
    while True:
        for index in torch.randperm(rows, generator=generator).split(size):
            if done == steps:
                return
            yield index
            done += 1


def trainable(network):
    """Copies of a network's weights and biases, two lists of tensors that want gradients."""
    return [[part.clone().requires_grad_() for part in parts]
            for parts in zip(*network, strict=True)]


def hold(weights, masks):
    """Set weights to zero where a mask is False, in place."""
    with torch.no_grad():
        for weight, mask in zip(weights, masks, strict=True):
            weight.mul_(mask)

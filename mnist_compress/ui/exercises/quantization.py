"""Exercises about integers, and the choice of a file: right functions, and cases to try."""

import math

import torch

from . import Exercise


def _quantize(values, scale, zero_point):
    steps = (values / scale).round() + zero_point
    return steps.clamp(-128, 127).to(torch.int8)


def _int8(values, seen):
    scale = seen.abs().max() / 127
    return (values / scale).round().clamp(-127, 127).to(torch.int8)


def _qparams(values):
    least, most = min(values.min().item(), 0.0), max(values.max().item(), 0.0)
    scale = (most - least) / 255
    return scale, -128 - round(least / scale)


def _or_no_int(result, values):
    """What counts: a zero point that is no int is wrong, whatever its number."""
    return result if type(result[1]) is int else (result[0], math.inf)


def _rounded(weight, scale):
    rounded = (weight / scale).round() * scale
    return weight + (rounded - weight).detach()


def _with_gradient(rounded, weight, scale):
    """What comes out, the gradient that a training step would see, and the weight afterwards."""
    weight = weight.clone().requires_grad_()
    result = rounded(weight, scale)
    (result * torch.arange(1.0, len(weight) + 1)).sum().backward()
    gradient = torch.zeros_like(weight) if weight.grad is None else weight.grad
    return result.detach(), gradient, weight.detach().clone()


def _rescale(total, multiplier, shift):
    product = max(total, 0) * multiplier
    return min((product + 2 ** (shift - 1)) >> shift, 255)


def _choice(networks, dense):
    fit = [each for each in networks if each[1] >= dense - 1]
    return min(fit)[0]


_VALUES = torch.tensor([0.1234, -0.5, 0.017, 0.0, 3.0, -3.0])
_HALVES = torch.tensor([1.25, 0.75, -1.25, 70.0])
_SEEN = torch.tensor([0.4, -1.27, 0.9])
_EXERCISES = {
    "my_quantize": Exercise(_quantize, [(_VALUES, 0.01, 0), (_VALUES, 0.02, 5),
                                        (_HALVES, 0.5, -3)]),
    "my_int8": Exercise(_int8, [(torch.tensor([0.5, -1.0, 1.9]), _SEEN),
                                (torch.tensor([-2.6, 0.5, 0.017]), -_SEEN), (_SEEN, _SEEN)]),
    "my_qparams": Exercise(_qparams, [(torch.tensor(values),) for values in (
        [-1.0, 0.3, 4.1], [2.04, 5.1], [-2.55, -0.4], [0.0, -3.0, 0.06], [-1.0, 2.7])],
        alike=_or_no_int),
    "my_rounded": Exercise(_rounded, [(torch.tensor([0.1234, -0.5, 0.017]), 0.01),
                                      (torch.tensor([0.25, -1.25, 0.3]), 0.5)], _with_gradient),
    "my_rescale": Exercise(_rescale, [
        (450451, 16099809, 36), (-70000, 16099809, 36), (9000000, 16099809, 36), (5, 1, 1),
        (6, 1, 2), (9, 1, 2), (-3, 5, 2), (0, 7, 3), (1021, 1, 2)]),
    "my_choice": Exercise(_choice, [
        ([(9000, 86.5, 85.0), (5000, 86.0, 88.0), (12000, 88.0, 87.0),
          (15000, 89.0, 86.5), (16000, 90.0, 86.0), (20000, 87.0, 87.5)], 87.5),
        ([(700, 95.02, 94.0), (750, 95.25, 95.5), (650, 94.5, 96.5), (800, 95.995, 93.0),
          (1100, 96.5, 95.0), (1400, 97.5, 97.25)], 96.0),
        ([(400, 80.0, 90.0), (300, 79.5, 70.0), (350, 70.0, 79.625), (900, 82.0, 83.5),
          (600, 81.0, 82.0)], 80.5),
        # the smallest that fits is better than dense by more than a point
        ([(30, 88.0, 89.5), (250, 89.05, 89.2), (70, 92.5, 88.5), (20, 85.0, 89.05),
          (40, 88.5, 90.7), (35, 87.0, 90.5), (300, 93.5, 94.0)], 90.0)]),
}

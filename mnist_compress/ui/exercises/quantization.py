"""The exercises of 04_quantization: right functions, with switches for mistakes."""

import math

import torch

from . import Exercise

_ROUNDINGS = {"nearest": torch.round, "zero": torch.trunc, "up": torch.ceil, "down": torch.floor,
              "half up": lambda steps: (steps + 0.5).floor(), "none": lambda steps: steps}


def _quantize(values, scale, zero_point, multiplied=False, own_scale=False, rounding="nearest",
              zero=1, zero_first=False, clamp="last", low=-128, high=127, dtype="int8",
              back=False):
    scale = values.abs().max() / 127 if own_scale else scale
    steps = values * scale if multiplied else values / scale
    before, after = (zero * zero_point, 0) if zero_first else (0, zero * zero_point)
    steps = _ROUNDINGS[rounding](steps + before)
    if clamp == "first":
        steps = steps.clamp(low, high)
    steps = steps + after
    if clamp == "last":
        steps = steps.clamp(low, high)
    return (steps - zero_point) * scale if back else steps.to(getattr(torch, dtype))


def _int8(values, seen, signed=False, clamp="before", low=-127, own=False, parts=127,
          rounding="nearest", dtype="int8"):
    source = values if own else seen
    scale = (source if signed else source.abs()).max() / parts
    steps = _ROUNDINGS[rounding](values / scale)
    if clamp == "before":
        return steps.clamp(low, 127).to(getattr(torch, dtype))
    return steps.to(torch.int8).clamp(-127, 127)


def _qparams(values, with_zero=True, symmetric=False, levels=255, low=-128, sign=-1, cut=False,
             swapped=False, floats=False):
    least, most = values.min().item(), values.max().item()
    if with_zero:
        least, most = min(least, 0.0), max(most, 0.0)
    if symmetric:
        return max(-least, most) / 127, 0
    scale = (most - least) / levels
    zero_point = low + sign * (int if cut else round)(least / scale)
    zero_point = float(zero_point) if floats else zero_point
    return (zero_point, scale) if swapped else (scale, zero_point)


def _or_no_int(result, values):
    """What counts: a zero point that is no int is wrong, whatever its number."""
    return result if type(result[1]) is int else (result[0], math.inf)


def _rounded(weight, scale, straight=True, steps=False, rounding="nearest", in_place=False):
    stepped = _ROUNDINGS[rounding](weight / scale) * (1 if steps else scale)
    if in_place:
        weight.data = stepped.detach()
        return weight
    return weight + (stepped - weight).detach() if straight else stepped


def _with_gradient(rounded, weight, scale):
    """What comes out, the gradient that a training step would see, and the weight afterwards."""
    weight = weight.clone().requires_grad_()
    result = rounded(weight, scale)
    (result * torch.arange(1.0, len(weight) + 1)).sum().backward()
    gradient = torch.zeros_like(weight) if weight.grad is None else weight.grad
    return result.detach(), gradient, weight.detach().clone()


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
}

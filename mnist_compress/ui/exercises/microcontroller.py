"""The exercises of 09_microcontroller: right functions, and cases to try."""

import torch

from . import Exercise


def _bounds(weight, bias):
    weight = weight.to(torch.int64)
    low, high = weight.clamp(max=0).sum(), weight.clamp(min=0).sum()
    return int(bias + 255 * low), int(bias + 255 * high)


def _sum(weights, pixels):
    total = (weights.to(torch.int32) * pixels).sum()
    return int(total)


def _int8(*values):
    return torch.tensor(values, dtype=torch.int8)


def _uint8(*values):
    return torch.tensor(values, dtype=torch.uint8)


_EXERCISES = {
    "my_bounds": Exercise(_bounds, [(_int8(127, -50, 0, 3, -127, 20), 1000), (_int8(5, 7), 3),
                                    (_int8(-9, -100), -40), (_int8(100, 100, 100, -1), 0)]),
    "my_loop": Exercise(_sum, [(_int8(127, 127, 120), _uint8(255, 255, 255)),
                               (_int8(-90, -100, -100), _uint8(180, 200, 250)),
                               (_int8(100, -30, 7), _uint8(255, 200, 90))]),
}

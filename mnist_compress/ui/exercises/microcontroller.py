"""The exercises of 09_microcontroller: right functions, with switches for mistakes."""

import torch

from . import Exercise


def _bounds(weight, bias, signs="split", with_bias=True, most=255, swapped=False,
            tensors=False):
    weight = weight.to(torch.int64)
    low, high = weight.clamp(max=0).sum(), weight.clamp(min=0).sum()
    if signs == "magnitude":
        low, high = -weight.abs().sum(), weight.abs().sum()
    elif signs == "sum":
        low, high = weight.sum(), weight.sum()
    elif signs == "largest":
        low, high = len(weight) * weight.min(), len(weight) * weight.max()
    bounds = [bias * with_bias + most * each for each in (low, high)]
    return tuple(each if tensors else int(each) for each in (bounds[::-1] if swapped else bounds))


def _sum(weights, pixels, bits=32, signed=False):
    pixels = pixels.to(torch.int8) if signed else pixels
    total = int((weights.to(torch.int64) * pixels).sum())
    return (total + 2**(bits - 1)) % 2**bits - 2**(bits - 1)


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

"""Exercises about packed files, other runtimes and chips: right functions, and cases to try."""

import statistics
from functools import partial

import torch

from . import Exercise


def _bytes(counts):
    counts = counts[counts > 0]
    share = counts / counts.sum()
    return -(counts * share.log2()).sum() / 8


def _shared(weights, code):
    nearest = (weights.abs()[..., None] - code).abs().argmin(-1)
    return code[nearest] * weights.sign()


def _or_nan(result, *case):
    """What counts: NaN is not equal to itself, but a mistake that is known by it is."""
    return "NaN" if result != result else result


def _sums(pixels, weight):
    return weight.to(torch.int32) @ pixels.to(torch.int32)


def _speedup(floats, integers, digits, clock):
    medians = []
    for network in (floats, integers):
        network(digits)
        times = []
        for _ in range(5):
            start = clock()
            network(digits)
            times.append(clock() - start)
        medians.append(statistics.median(times))
    return medians[0] / medians[1]


def _timed(speedup, name, costs, slow):
    """What two networks seem to need by a clock that only they move.

    costs: seconds for a call and for each digit. The first call of each network takes longer, and
    something else comes between in those that are `slow`.
    """
    now, calls = [0.0], [0, 0]

    def network(place, digits):
        calls[place] += 1
        times = 20 + 10 * place if calls[place] == 1 else 9 - 2 * place if (
            calls[place] in slow[place]) else 1
        now[0] += times * (costs[place][0] + costs[place][1] * len(digits))
        return torch.zeros(len(digits), 10)

    return speedup(partial(network, 0), partial(network, 1), torch.zeros(1000, 784),
                   lambda: now[0])


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


_SPARSE = torch.tensor([[0.0, 0.31, -0.52, 1.9], [-0.11, 0.0, 0.78, -1.2]])
_CODE = torch.tensor([0.25, 0.6, 1.5])
_ROW = torch.arange(0, 256, 5, dtype=torch.uint8)
_INT8 = torch.stack([torch.full((52,), 127), torch.arange(-127, 129, 5)]).to(torch.int8)
_WHITE = torch.full((784,), 255, dtype=torch.uint8)
_WHITE[-1] = 254  # makes the sum odd: above 2**24 a float32 is even
_LARGEST = torch.full((1, 784), 127, dtype=torch.int8)
_EXERCISES = {
    "my_bytes": Exercise(_bytes, [(torch.tensor([5, 2, 0, 1]),), (torch.tensor([900, 0, 70, 30]),)],
                         alike=_or_nan),
    "my_shared": Exercise(_shared, [(_SPARSE, _CODE), (_SPARSE * 0.7, _CODE)]),
    "my_sums": Exercise(_sums, [
        ("52 pixels from 0 to 255", _ROW, _INT8), ("52 pixels from 255 to 0", _ROW.flip(0), _INT8),
        ("783 pixels of 255 and one of 254, at weights of 127", _WHITE, _LARGEST)]),
    "my_speedup": Exercise(_speedup, [
        # each call up to the 12th is slow somewhere, but never most of three in a row or more
        ("networks of 3 and 1 microseconds a digit", ((5e-5, 3e-6), (1e-4, 1e-6)),
         ((3, 6, 9, 12), (2, 7, 11))),
        ("networks of 1 and 2 microseconds a digit", ((1e-5, 1e-6), (1e-5, 2e-6)),
         ((4, 8), (5, 10)))], _timed),
    "my_bounds": Exercise(_bounds, [(_int8(127, -50, 0, 3, -127, 20), 1000), (_int8(5, 7), 3),
                                    (_int8(-9, -100), -40), (_int8(100, 100, 100, -1), 0)]),
    "my_loop": Exercise(_sum, [(_int8(127, 127, 120), _uint8(255, 255, 255)),
                               (_int8(-90, -100, -100), _uint8(180, 200, 250)),
                               (_int8(100, -30, 7), _uint8(255, 200, 90))]),
}

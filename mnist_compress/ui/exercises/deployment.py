"""The exercises of 08_deployment: right functions, and cases to try."""

import statistics
from functools import partial

import torch

from . import Exercise


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


_ROW = torch.arange(0, 256, 5, dtype=torch.uint8)
_INT8 = torch.stack([torch.full((52,), 127), torch.arange(-127, 129, 5)]).to(torch.int8)
_WHITE = torch.full((784,), 255, dtype=torch.uint8)
_WHITE[-1] = 254  # makes the sum odd: above 2**24 a float32 is even
_LARGEST = torch.full((1, 784), 127, dtype=torch.int8)
_EXERCISES = {
    "my_sums": Exercise(_sums, [
        ("52 pixels from 0 to 255", _ROW, _INT8), ("52 pixels from 255 to 0", _ROW.flip(0), _INT8),
        ("783 pixels of 255 and one of 254, at weights of 127", _WHITE, _LARGEST)]),
    "my_speedup": Exercise(_speedup, [
        # each call up to the 12th is slow somewhere, but never most of three in a row or more
        ("networks of 3 and 1 microseconds a digit", ((5e-5, 3e-6), (1e-4, 1e-6)),
         ((3, 6, 9, 12), (2, 7, 11))),
        ("networks of 1 and 2 microseconds a digit", ((1e-5, 1e-6), (1e-5, 2e-6)),
         ((4, 8), (5, 10)))], _timed),
}

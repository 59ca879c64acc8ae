"""What the steps share: a network in training, and its way through the digits.

A `Network` is a list of (weight, bias), float32 (out, in) and (out,), with ReLU in between: bare
tensors, so that a step prunes, rounds or replaces them in one line. A weight that is 0 is pruned.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

Network = list[tuple[Tensor, Tensor]]
Watch = Callable[[Iterable, str, int], Iterable]  # batches, what they do, how many -> the same


def random_network(widths: tuple[int, ...], generator: Generator) -> Network:
    """Widths -> weights as He, Zhang, Ren & Sun (2015) draw them at first; biases are zero."""
    network = []
    for inputs, units in pairwise(widths):
        weight = torch.randn(units, inputs, generator=generator, dtype=torch.float32)
        network.append((weight * math.sqrt(2 / inputs), weight.new_zeros(units)))
    return network


def trainable(network: Network) -> Network:
    """A copy whose weights and biases want gradients."""
    return [(weight.clone().requires_grad_(), bias.clone().requires_grad_())
            for weight, bias in network]


def forward(network: Network, inputs: Tensor, change: Callable | None = None) -> list[Tensor]:
    """Inputs (n, in) float32 -> what each layer reads, those first, and the logits (n, 10).

    change(values, place): what training makes of the values (n, units) that layer `place` reads.
    """
    values = [inputs]
    for place, layer in enumerate(network[:-1], 1):
        hidden = F.relu(F.linear(values[-1], *layer))
        values.append(change(hidden, place) if change else hidden)
    return [*values, F.linear(values[-1], *network[-1])]


def straight_through(smooth: Tensor, stepped: Tensor | float) -> Tensor:
    """The value of `stepped` with the gradient of `smooth` (Bengio, Léonard & Courville 2013)."""
    return smooth + (stepped - smooth).detach()


def batches(count: int, size: int, steps: int, generator: Generator) -> Iterator[Tensor]:
    """`steps` batches of positions (size,) below `count`; each pass over all has a new order."""
    done = 0
    while True:
        for index in torch.randperm(count, generator=generator).split(size):
            if done == steps:
                return
            yield index
            done += 1


def unwatched(things: Iterable, what: str, total: int) -> Iterable:
    """The things as they are. In its place comes what shows how far a training has got."""
    return things

"""Speed: multiplications, which are counted, and microseconds, which are measured."""

import copy
import statistics
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from timeit import Timer
from typing import Any, NamedTuple

import torch
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from ..arguments import whole
from ..data import Digits, inputs_and_labels
from ..model import weight_layers
from ..pruning import remove_units, weakest_units
from ..quantization import quiet, torchao_quantize
from ..training import Pair, logits
from .files import with_masks


def multiply_adds(model: nn.Module, inputs: Tensor | None = None) -> tuple[int, int]:
    """(all, needed): multiplications for one digit as stored, and those whose weight is not 0.

    Counted in any network's forward pass: each position of a layer's output uses each weight once,
    and that of a Conv2d has many. inputs: what the network reads, (n, ...), if that is not simply
    one number for each input of the first layer. ValueError for inputs that it does not read.
    """
    first = weight_layers(model)[0][1].weight
    inputs = torch.zeros(1, first.shape[1]) if inputs is None else inputs
    used: list[tuple[Tensor, int]] = []  # weights, and how often each of their numbers is used

    def note(layer: Any, _: Any, output: Tensor) -> None:
        used.append((layer.weight, output.numel() // (len(output) * len(layer.weight))))

    counted = copy.deepcopy(model)
    for layer in counted.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            layer.register_forward_hook(note)
    logits(counted, (inputs, torch.zeros(len(inputs), dtype=torch.int64)))
    return (sum(times * weight.numel() for weight, times in used),
            sum(times * int(weight.count_nonzero()) for weight, times in used))


class LatencyRow(NamedTuple):
    """Microseconds for one batch: the median, the middle half (low, high), and median / first."""

    name: str
    batch: int
    median: float
    low: float
    high: float
    ratio: float


def latency(networks: Mapping[str, tuple[Callable, Any]], batches: Iterable[int] = (1,),
            rounds: int = 25) -> list[LatencyRow]:
    """Time networks side by side, batch after batch: a list of `LatencyRow`.

    networks: {name: (a torch.nn.Module or any function, its inputs)}; the others are compared with
    the first. They take turns, so that a busy moment hits all of them; a turn lasts at least a
    millisecond. One thread, in PyTorch and in NumPy, eval mode and no gradients. ValueError for
    one round, which has no spread, or batches larger than the inputs.
    """
    rounds = whole("rounds", rounds, 2)
    most = min(len(inputs) for _, inputs in networks.values())
    sizes = [whole("batch", size, 1, most) for size in batches]
    ready = {name: (copy.deepcopy(network).eval() if isinstance(network, nn.Module) else network,
                    inputs) for name, (network, inputs) in networks.items()}
    rows: list[LatencyRow] = []
    for size in sizes:
        timers = [Timer(partial(network, inputs[:size])) for network, inputs in ready.values()]
        quartiles = [statistics.quantiles(each, n=4) for each in _times(timers, rounds)]
        rows += [LatencyRow(name, size, middle, low, high, middle / quartiles[0][1])
                 for name, (low, middle, high) in zip(ready, quartiles, strict=True)]
    return rows


def _times(timers: list[Timer], rounds: int) -> list[tuple[float, ...]]:
    """Microseconds of each timer in each round."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1), torch.no_grad():
            turns = [(timer, _repeats(timer)) for timer in timers]
            times = [[1e6 * timer.timeit(count) / count for timer, count in turns]
                     for _ in range(rounds)]
    finally:
        torch.set_num_threads(threads)
    return list(zip(*times, strict=True))


def _repeats(timer: Timer) -> int:
    """How often to call so that it takes a millisecond; this also warms everything up."""
    repeats = 1
    while timer.timeit(repeats) < 0.001:
        repeats *= 2
    return repeats


def latency_rows(model: Any, sparse: nn.Module, integer: Any, digits: Pair, *,
                 batches: Iterable[int] = (1, 32, 1000), rounds: int = 25,
                 names: Iterable[str] = ("dense float32", "masks left on", "zeros kept dense",
                                         "zeros in CSR", "half the units")) -> list[LatencyRow]:
    """`latency` of the same digits through the dense network and what pruning and int8 make of it.

    model: the dense network. sparse: the same with zeros in it. integer: the same in integers, or
    None. names: these, "int8 by hand", "torchao, int8 products" and "torchao, int8 weights only",
    which makes floats of the weights for each product; only those named are made. "zeros in CSR"
    and "half the units" are for a DigitClassifier, the rest for any network.
    """
    makers: dict[str, Callable[[], Callable]] = {
        "dense float32": lambda: model,
        "masks left on": lambda: with_masks(sparse, sparse),
        "zeros kept dense": lambda: sparse,
        "zeros in CSR": lambda: _sparse_forward(sparse),
        "half the units": lambda: remove_units(model, weakest_units(model, 0.5)),
        "int8 by hand": lambda: integer.logits,
        "torchao, int8 products": lambda: torchao_quantize(model, "dynamic"),
        "torchao, int8 weights only": lambda: torchao_quantize(model, "weight_only"),
    }
    inputs = inputs_and_labels(digits)[0]
    floats = inputs.to(weight_layers(model)[0][1].weight.dtype)
    stored = (digits.images if isinstance(digits, Digits) else inputs).numpy()
    networks = {name: (makers[name](), stored if name == "int8 by hand" else floats)
                for name in names}
    return latency(networks, batches, rounds)


def _sparse_forward(model: Any) -> Callable[[Tensor], Tensor]:
    """A DigitClassifier's forward pass with weights in PyTorch's CSR layout, zeros left out."""
    with quiet():  # torch remarks that this layout is in beta
        layers = [(layer.weight.detach().to_sparse_csr(), layer.bias.detach()[:, None])
                  for layer in model.layers]

    def forward(inputs: Tensor) -> Tensor:
        columns = inputs.T
        for place, (weight, bias) in enumerate(layers):
            columns = torch.addmm(bias, weight, torch.relu(columns) if place else columns)
        return columns.T

    return forward

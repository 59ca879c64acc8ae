"""measure/speed"""

import math
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import torch

from ..data import as_number, flatten
from ..pruning import remove_units, weakest_units
from ..quantization import torchao_quantize
from .files import _calm, _masked


def multiply_adds(model):
    """(all, needed): multiplications for one digit as stored, and those whose weight is not 0."""
    weights = [layer.weight for layer in model.layers]
    return sum(w.numel() for w in weights), sum(int((w != 0).sum()) for w in weights)


@dataclass(frozen=True)
class LatencyRow:
    """Microseconds for one batch: the median, the middle half (low, high), and median / first."""

    name: str
    batch: int
    median: float
    low: float
    high: float
    ratio: float


def latency(calls, batch=1, rounds=25, milliseconds=1.0):
    """Time {name: function without arguments} side by side: a list of `LatencyRow`.

    The functions take turns in every round, so that a busy moment hits all of them; a turn lasts at
    least `milliseconds`. One thread. The first function is what the others are compared with.
    ValueError for fewer than two rounds, which have no spread, or milliseconds that cannot be.
    """
    if type(rounds) is not int or rounds < 2:
        raise ValueError(f"rounds must be a whole number, 2 or more; got {rounds!r}")
    if not 0 <= as_number(milliseconds) < math.inf:
        raise ValueError(f"milliseconds must be 0 or more and finite; got {milliseconds!r}")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        repeats = {name: _repeats(call, milliseconds / 1e3) for name, call in calls.items()}
        times = {name: [] for name in calls}
        for _ in range(rounds):
            for name, call in calls.items():
                times[name].append(1e6 * _seconds(call, repeats[name]) / repeats[name])
    finally:
        torch.set_num_threads(threads)
    rows = []
    for name, each in times.items():
        low, middle, high = statistics.quantiles(each, n=4)
        first = rows[0].median if rows else middle
        rows.append(LatencyRow(name, batch, middle, low, high, middle / first))
    return rows


def check_batches(batches, most):
    """The batches as a tuple; ValueError unless each is a whole number from 1 to `most`."""
    sizes = tuple(batches) if isinstance(batches, Iterable) else ()
    if not sizes or not all(type(size) is int and size > 0 for size in sizes):
        raise ValueError(f"batches must be whole numbers, 1 or more; got {batches!r}")
    if max(sizes) > most:
        raise ValueError(f"batches must be at most {most}; got {max(sizes)}")
    return sizes


def _seconds(call, repeats):
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return time.perf_counter() - start


def _repeats(call, seconds):
    """How often to call so that it takes that long; this also warms everything up."""
    repeats = 1
    while (took := _seconds(call, repeats)) < seconds:
        repeats = max(2 * repeats, int(1.2 * repeats * seconds / max(took, 1e-7)))
    return repeats


def sparse_forward(model):
    """The forward pass over rows (n, in) with weights in PyTorch's CSR layout, zeros left out."""
    with _calm():
        layers = [(layer.weight.detach().to_sparse_csr(), layer.bias.detach()[:, None])
                  for layer in model.layers]

    def forward(rows):
        columns = rows.T
        for place, (weight, bias) in enumerate(layers):
            columns = torch.addmm(bias, weight, torch.relu(columns) if place else columns)
        return columns.T

    return forward
LATENCY_ROWS = ("dense float32", "masks left on", "zeros kept dense", "zeros in CSR",
                "half the units", "int8 by hand", "torchao, int8 products",
                "torchao, int8 weights only")


def latency_ledger(model, sparse, integer, digits, batches=(1, 32, 1000), rounds=25,
                   names=LATENCY_ROWS[:-1]):
    """The same digits through several networks: a list of `LatencyRow`, batch after batch.

    model: the dense network. sparse: the same with zeros in it. integer: an IntegerNetwork.
    "masks left on" is `sparse` with torch.nn.utils.prune's hooks; "int8 weights only" makes floats
    of the weights for each product. names: which rows to time, out of LATENCY_ROWS; the first is
    what others are compared with. ValueError for other names, or batches larger than `digits`.
    """
    wrong = [name for name in names if name not in LATENCY_ROWS]
    if wrong or not names:
        raise ValueError(f"names must be among {', '.join(LATENCY_ROWS)}; got {names!r}")
    batches = check_batches(batches, len(digits))
    makers = (lambda: model, lambda: _masked(sparse, 0.0), lambda: sparse,
              lambda: sparse_forward(sparse),
              lambda: remove_units(model, weakest_units(model, 0.5)), lambda: integer.logits,
              lambda: torchao_quantize(model, "dynamic"),
              lambda: torchao_quantize(model, "weight_only"))
    make = dict(zip(LATENCY_ROWS, makers, strict=True))
    networks = {name: make[name]() for name in names}  # and no others: some models have no half
    rows, pixels, result = digits.inputs, flatten(digits.images).numpy(), []
    with torch.no_grad():
        for n in batches:
            calls = {name: partial(network, (pixels if name == "int8 by hand" else rows)[:n])
                     for name, network in networks.items()}
            result += latency(calls, n, rounds)
    return result

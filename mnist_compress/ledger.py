"""What a model costs: bytes of a real file, multiply-adds, microseconds, changed answers."""

import copy
import gzip
import math
import statistics
import tempfile
import time
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch.nn.utils import prune as torch_prune

from .data import as_number, flatten
from .model import DigitClassifier
from .packing import load_packed, save_packed
from .pruning import check_sparsity, prune, remove_neurons, weakest_neurons
from .quantization import IntegerClassifier, from_arrays, torchao_quantize
from .statistics import PairedComparison, compare_answers
from .training import evaluate

INDEX_TYPES = ("as PyTorch saves it", "int64", "int32", "uint16")
COMPRESSIONS = (None, "gzip")


@dataclass(frozen=True)
class FileRow:
    """A file that was written, measured, read back and asked for the same digits again."""

    name: str
    bytes: int
    same_answers: bool


def measure_file(name, model, digits, content, rebuild, compress=None):
    """Write `content` with torch.save, read it back, let rebuild(content) answer `digits` again.

    compress: None or "gzip". Every file has the same name inside its own folder, because torch.save
    writes the name into the file. Returns a `FileRow`. ValueError for another compress.
    """
    if compress not in COMPRESSIONS:
        raise ValueError(f'compress must be None or "gzip"; got {compress!r}')
    with tempfile.TemporaryDirectory(prefix="mnist_compress-") as folder, _calm():
        path = Path(folder, "model.pt")
        torch.save(content, path)
        if compress == "gzip":
            path.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        size = path.stat().st_size
        if compress == "gzip":
            path.write_bytes(gzip.decompress(path.read_bytes()))
        again = rebuild(torch.load(path, weights_only=True))
    same = torch.equal(evaluate(again, digits).predictions, evaluate(model, digits).predictions)
    return FileRow(name, size, same)


def dense_file(name, model, digits, compress=None):
    """The model's tensors as they are, zeros and all."""
    return measure_file(name, model, digits, model.state_dict(), _rebuild_dense, compress)


def masked_file(name, model, digits, sparsity):
    """What torch.nn.utils.prune leaves behind: for each layer the old weights and a mask.

    ValueError unless the sparsity lies in [0, 1): to torch, 2 would mean two weights.
    """
    masked = _masked(model, check_sparsity(sparsity))

    def rebuild(tensors):
        again = DigitClassifier(model.widths)
        _prune_with_torch(again, 0.0)
        again.load_state_dict(tensors)
        return again

    return measure_file(name, masked, digits, masked.state_dict(), rebuild)


def integer_file(name, model, digits, compress=None):
    """The tensors of an IntegerClassifier."""
    return measure_file(name, model, digits, model.state_dict(),
                        IntegerClassifier.from_state_dict, compress)


def torchao_file(name, model, digits):
    """The tensors of `torchao_quantize(model)`: int8 weights and their scales, float biases."""
    library = torchao_quantize(model)

    def rebuild(tensors):
        again = DigitClassifier(model.widths)
        again.load_state_dict(tensors, assign=True)
        return again

    return measure_file(name, library, digits, library.state_dict(), rebuild)


def packed_file(name, model, digits, coder="record"):
    """A packed file of integers, one of `packed_format.CODERS`; units are sorted, see `pack`."""
    with tempfile.TemporaryDirectory(prefix="mnist_compress-") as folder:
        path = Path(folder, "model.mc")
        size = save_packed(model, path, coder, reorder=True)
        again = from_arrays(load_packed(path))
    same = torch.equal(evaluate(again, digits).predictions, evaluate(model, digits).predictions)
    return FileRow(name, size, same)


def csr_file(name, model, digits, index_type="as PyTorch saves it"):
    """Compressed sparse rows: values, columns and row ends, zeros left out; biases stay dense.

    index_type: one of INDEX_TYPES. PyTorch's own layout keeps its columns inside a larger tensor of
    rows and columns, and torch.save writes all of that: 20 bytes for each weight. uint16 is for the
    columns; row ends then take int32. ValueError for another index_type.
    """
    if index_type not in INDEX_TYPES:
        raise ValueError(f"index_type must be one of {', '.join(INDEX_TYPES)}; got {index_type!r}")
    content = []
    for layer in model.layers:
        with _calm():
            weight = layer.weight.detach().to_sparse_csr()
        parts = weight.crow_indices(), weight.col_indices(), weight.values()
        if index_type != "as PyTorch saves it":
            column = getattr(torch, index_type)
            row = torch.int32 if index_type == "uint16" else column
            weight = [parts[0].to(row, copy=True), parts[1].to(column, copy=True), parts[2]]
        content.append((weight, layer.bias.detach(), tuple(layer.weight.shape)))

    def rebuild(stored):
        again = DigitClassifier(model.widths)
        for layer, (weight, bias, shape) in zip(again.layers, stored, strict=True):
            if isinstance(weight, list):
                weight = torch.sparse_csr_tensor(*(part.to(torch.int64) for part in weight[:2]),
                                                 weight[2], shape)
            layer.weight.data, layer.bias.data = weight.to_dense(), bias
        return again

    return measure_file(name, model, digits, content, rebuild)


def csr_ledger(model, digits, sparsities=(0.3, 0.5, 0.8, 0.9, 0.95)):
    """{(sparsity, index type): FileRow} for the model pruned to each of the sparsities."""
    return {(share, kind): csr_file(kind, prune(model, share), digits, kind)
            for share in sparsities for kind in INDEX_TYPES}


def _rebuild_dense(tensors):
    """Any state_dict of a DigitClassifier -> the model, with the widths that the tensors have."""
    weights = [part for name, part in tensors.items() if name.endswith("weight")]
    again = DigitClassifier((weights[0].shape[1], *(len(weight) for weight in weights)))
    again.load_state_dict(tensors)
    return again


def _prune_with_torch(model, sparsity):
    places = [(layer, "weight") for layer in model.layers]
    torch_prune.global_unstructured(places, torch_prune.L1Unstructured, amount=sparsity)


def _masked(model, sparsity):
    """A copy of the model with torch.nn.utils.prune's hooks in it."""
    masked = copy.deepcopy(model)
    _prune_with_torch(masked, sparsity)
    return masked


def _calm():
    """Catch torch's remarks that sparse tensors are in beta: no learner can act on them."""
    return warnings.catch_warnings(action="ignore")


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
                "half the neurons", "int8 by hand", "torchao, int8 products",
                "torchao, int8 weights only")


def latency_ledger(model, sparse, integer, digits, batches=(1, 32, 1000), rounds=25,
                   names=LATENCY_ROWS[:-1]):
    """The same digits through several networks: a list of `LatencyRow`, batch after batch.

    model: the dense network. sparse: the same with zeros in it. integer: an IntegerClassifier.
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
              lambda: remove_neurons(model, weakest_neurons(model, 0.5)), lambda: integer.sums,
              lambda: torchao_quantize(model, "dynamic"),
              lambda: torchao_quantize(model, "weight_only"))
    make = dict(zip(LATENCY_ROWS, makers, strict=True))
    networks = {name: make[name]() for name in names}  # and no others: some models have no half
    rows, pixels, result = digits.rows, flatten(digits.images), []
    with torch.no_grad():
        for n in batches:
            calls = {name: partial(network, (pixels if name == "int8 by hand" else rows)[:n])
                     for name, network in networks.items()}
            result += latency(calls, n, rounds)
    return result


@dataclass(frozen=True)
class ChangedAnswers:
    """Where two models answer the same digits differently, and whether it could be luck.

    places: positions of the digits, int64. before and after: the predictions there.
    """

    places: torch.Tensor
    before: torch.Tensor
    after: torch.Tensor
    comparison: PairedComparison


def changed_answers(before, after, digits):
    """Compare two models on `digits`: `ChangedAnswers`."""
    first, second = evaluate(before, digits), evaluate(after, digits)
    places = (first.predictions != second.predictions).nonzero().flatten()
    comparison = compare_answers(first.correct.numpy(), second.correct.numpy())
    return ChangedAnswers(places, first.predictions[places], second.predictions[places], comparison)

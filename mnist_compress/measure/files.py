"""Bytes of files that are really written, measured, read back and asked the same digits again."""

import copy
import gzip
import io
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import prune as torch_prune

from ..integer import IntegerNetwork
from ..model import weight_layers
from ..packed import load, save
from ..pruning import prune
from ..quantization import quiet, torchao_quantize
from ..training import Pair, evaluate


class FileRow(NamedTuple):
    """A file: its bytes, and whether what was read from it gave the same answers."""

    name: str
    bytes: int
    same_answers: bool


def dense_file(name: str, model: nn.Module, digits: Pair, compress: str | None = None) -> FileRow:
    """The tensors of any network, zeros and all. compress: None or "gzip"."""
    weight_layers(model)  # refuses weights that are computed
    return _written(name, model, digits, model.state_dict(), partial(_filled, model), compress)


def masked_file(name: str, model: nn.Module, digits: Pair, sparsity: float) -> FileRow:
    """What torch.nn.utils.prune leaves behind in any network: the old weights and their masks."""
    masked = with_masks(model, prune(model, sparsity))
    return _written(name, masked, digits, masked.state_dict(), partial(_filled, masked))


def integer_file(name: str, model: IntegerNetwork, digits: Pair,
                 compress: str | None = None) -> FileRow:
    """The arrays of an IntegerNetwork, as tensors. compress: None or "gzip"."""
    tensors = {key: torch.from_numpy(part) for key, part in model.arrays().items()}
    return _written(name, model, digits, tensors, lambda stored: IntegerNetwork.from_arrays(
        {key: part.numpy() for key, part in stored.items()}), compress)


def torchao_file(name: str, model: nn.Module, digits: Pair) -> FileRow:
    """The tensors of `torchao_quantize(model)`: int8 weights and their scales, float biases."""
    library = torchao_quantize(model)
    return _written(name, library, digits, library.state_dict(), partial(_filled, model))


def packed_file(name: str, model: IntegerNetwork, digits: Pair,
                codec: str = "context_mixing") -> FileRow:
    """A packed file in one of `packed.CODECS`, its hidden units sorted: see `packed.pack`."""
    with tempfile.TemporaryDirectory(prefix="mnist_compress-") as folder:
        path = Path(folder, "model.mc")
        size = save(model, path, codec, reorder=True)
        return FileRow(name, size, _same_answers(model, load(path, trusted=True), digits))


def csr_files(model: Any, digits: Pair,
              sparsities: Iterable[float] = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
              ) -> dict[tuple[float, str], FileRow]:
    """{(sparsity, index type): FileRow} for a DigitClassifier, pruned to each of these, in
    compressed sparse rows: row ends, columns, values; dense biases.

    "as PyTorch saves it": the columns that `to_sparse_csr` makes are a view of a larger tensor, of
    rows and columns, and torch.save writes all of that, 20 bytes for each weight. The others are
    types of columns of their own, and of row ends, which take int32 where columns take uint16.
    """
    rows = {}
    for share in sparsities:
        pruned: Any = prune(model, share)
        for kind in ("as PyTorch saves it", "int64", "int32", "uint16"):
            content = [(_to_csr(layer.weight.detach(), kind), layer.bias.detach(),
                        tuple(layer.weight.shape)) for layer in pruned.layers]
            rows[share, kind] = _written(kind, pruned, digits, content, partial(_from_csr, pruned))
    return rows


def with_masks(model: nn.Module, sparse: nn.Module) -> nn.Module:
    """A copy of any network with the hooks and masks of torch.nn.utils.prune, which leave the
    weights that are not 0 in `sparse`."""
    masked = copy.deepcopy(model)
    layers = zip(weight_layers(masked), weight_layers(sparse), strict=True)
    with torch.no_grad():  # so that what it makes can be copied
        for (_, layer), (_, zeros) in layers:
            torch_prune.custom_from_mask(layer, "weight", zeros.weight != 0)
    return masked


def _written(name: str, model: Any, digits: Pair, content: Any, rebuild: Callable[[Any], Any],
             compress: str | None = None) -> FileRow:
    """Write with torch.save, read back, ask again; the file's name, which is in it, is the same."""
    with tempfile.TemporaryDirectory(prefix="mnist_compress-") as folder, quiet():
        path = Path(folder, "model.pt")
        torch.save(content, path)
        if compress:
            path.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        stored = path.read_bytes()
        plain = io.BytesIO(gzip.decompress(stored) if compress else stored)
        again = rebuild(torch.load(plain, weights_only=True))
    return FileRow(name, len(stored), _same_answers(model, again, digits))


def _same_answers(model: Any, again: Any, digits: Pair) -> bool:
    return torch.equal(evaluate(again, digits).predictions, evaluate(model, digits).predictions)


def _filled(model: nn.Module, tensors: dict[str, Tensor]) -> nn.Module:
    again = copy.deepcopy(model)
    again.load_state_dict(tensors, assign=True)
    return again


def _to_csr(weight: Tensor, kind: str) -> list[Tensor]:
    with quiet():  # torch remarks that this layout is in beta
        sparse = weight.to_sparse_csr()
    ends, columns, values = sparse.crow_indices(), sparse.col_indices(), sparse.values()
    if kind != "as PyTorch saves it":
        columns = columns.to(getattr(torch, kind), copy=True)
        ends = ends.to(torch.int32 if kind == "uint16" else columns.dtype)
    return [ends, columns, values]


def _from_csr(model: Any, stored: list) -> Any:
    again = copy.deepcopy(model)
    for layer, ((ends, columns, values), bias, shape) in zip(again.layers, stored, strict=True):
        weight = torch.sparse_csr_tensor(ends.long(), columns.long(), values, shape)
        layer.weight.data, layer.bias.data = weight.to_dense(), bias
    return again

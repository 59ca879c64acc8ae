"""measure/files"""

import copy
import gzip
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn.utils import prune as torch_prune

from ..data import real
from ..integer import IntegerNetwork
from ..model import DigitClassifier
from ..packed.file import load_packed, save_packed
from ..pruning import prune
from ..quantization import torchao_quantize
from ..training import evaluate

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
    masked = _masked(model, real("sparsity", sparsity, 0, below=1))

    def rebuild(tensors):
        again = DigitClassifier(model.widths)
        _prune_with_torch(again, 0.0)
        again.load_state_dict(tensors)
        return again

    return measure_file(name, masked, digits, masked.state_dict(), rebuild)


def integer_file(name, model, digits, compress=None):
    """The arrays of an IntegerNetwork."""
    tensors = {key: torch.from_numpy(part) for key, part in model.arrays().items()}
    return measure_file(name, model, digits, tensors, lambda stored: IntegerNetwork.from_arrays(
        {key: part.numpy() for key, part in stored.items()}), compress)


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
        again = load_packed(path)
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

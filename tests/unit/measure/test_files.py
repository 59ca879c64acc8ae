"""Bytes against files written here, and against what the counts of weights say."""

import copy
import warnings

import pytest
import torch
from torch import nn
from torch.nn.utils import prune as torch_prune

from mnist_compress import measure
from mnist_compress.measure.files import with_masks
from mnist_compress.model import DigitClassifier
from mnist_compress.pruning import prune


def test_byte_rows_are_real_files(model, integer, test, tmp_path):
    few = test[::8]
    dense = measure.dense_file("dense", model, few)
    torch.save(model.state_dict(), tmp_path / "model.pt")
    assert dense.bytes == (tmp_path / "model.pt").stat().st_size
    assert measure.dense_file("pruned", prune(model, 0.3), few).bytes == dense.bytes
    masked = measure.masked_file("masked", model, few, 0.3)
    assert 1.9 < masked.bytes / dense.bytes < 2.1
    small = measure.integer_file("int8", integer, few)
    assert 0.25 < small.bytes / dense.bytes < 0.27
    zipped = measure.dense_file("gzip", prune(model, 0.9), few, "gzip")
    assert zipped.bytes < dense.bytes / 3
    library = measure.torchao_file("torchao", model, few)
    assert 101_632 < library.bytes < 1.1 * 101_632
    packed = measure.packed_file("packed", integer, few, "dense")
    assert 101_632 < packed.bytes < 1.02 * 101_632
    rows = [dense, masked, small, zipped, library, packed]
    assert [row.name for row in rows] == ["dense", "masked", "int8", "gzip", "torchao", "packed"]
    assert all(row.same_answers for row in rows)


class Forgetful(DigitClassifier):
    """Reads its tensors, all but one number of them."""

    def load_state_dict(self, *tensors, **options):
        super().load_state_dict(*tensors, **options)
        self.layers[1].bias.data[3] += 100


def test_a_file_that_answers_differently_is_found_out(model, test):
    forgetful = Forgetful()
    nn.Module.load_state_dict(forgetful, model.state_dict())
    assert not measure.dense_file("forgetful", forgetful, test[::8]).same_answers


@pytest.mark.usefixtures("undisturbed")
def test_any_network_is_written_and_read(mixed):
    network, pair = mixed
    dense = measure.dense_file("dense", network, pair)
    masked = measure.masked_file("masks", network, pair, 0.5)
    assert dense.same_answers and masked.same_answers
    assert masked.bytes > dense.bytes + 4 * (4 * 9 + 10 * 676)
    assert measure.torchao_file("torchao", network, pair).same_answers
    assert measure.dense_file("doubles", copy.deepcopy(network).double(), pair).same_answers


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_the_default_dtype_changes_no_file(model, test, dtype):
    calls = [measure.dense_file, measure.torchao_file,
             lambda name, *given: measure.csr_files(*given, (0.0,)),
             lambda *given: measure.masked_file(*given, 0.3)]
    wanted = [call("file", model, test[:50]) for call in calls]
    try:
        torch.set_default_dtype(dtype)
        assert [call("file", model, test[:50]) for call in calls] == wanted
    finally:
        torch.set_default_dtype(torch.float32)
    with torch.inference_mode():
        assert [call("file", model, test[:50]) for call in calls] == wanted
    *rows, csr, masks = wanted
    assert all(row.same_answers for row in [*rows, *csr.values(), masks])


def test_weights_that_hooks_compute_are_refused(model, test):
    torch_prune.l1_unstructured(model.layers[0], "weight", 0.3)
    for call in (lambda: measure.dense_file("", model, test),
                 lambda: measure.masked_file("", model, test, 0.3)):
        with pytest.raises(ValueError, match=r"make it plain: torch\.nn\.utils\.prune\.remove"):
            call()


def test_masks_hold_what_torch_prunes(model, test):
    sparse = prune(model, 0.9)
    masked = with_masks(model, sparse)
    assert all(layer._forward_pre_hooks and "weight_mask" in layer.state_dict()
               for layer in masked.layers)
    with torch.no_grad():
        assert torch.equal(masked(test.inputs[:50]), sparse(test.inputs[:50]))


def test_csr_sizes_follow_from_the_counts(model, test):
    per_weight = {"as PyTorch saves it": 20, "int64": 12, "int32": 8, "uint16": 6}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = measure.csr_files(model, test[::8], (0.5, 0.9))
    assert list(rows) == [(share, kind) for share in (0.5, 0.9) for kind in per_weight]
    for (share, kind), row in rows.items():
        left = sum(int((layer.weight != 0).sum()) for layer in prune(model, share).layers)
        assert row.name == kind and row.same_answers
        assert left * per_weight[kind] < row.bytes < left * per_weight[kind] + 10_000


def test_pytorch_saves_a_view_of_rows_and_columns(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sparse = prune(model, 0.9).layers[0].weight.detach().to_sparse_csr()
    columns = sparse.col_indices()
    assert columns.untyped_storage().nbytes() == 2 * 8 * len(columns)
    assert columns.storage_offset() == len(columns)
    assert columns.clone().untyped_storage().nbytes() == 8 * len(columns)


def test_the_break_even_of_columns_of_their_own_is_two_thirds(model, test):
    few, dense = test[::30], measure.dense_file("dense", model, test[::30]).bytes
    for kind, above in (("int64", 0.67), ("as PyTorch saves it", 0.8)):
        rows = measure.csr_files(model, few, (above - 0.02, above + 0.02))
        sizes = [row.bytes for (_, name), row in rows.items() if name == kind]
        assert sizes[0] > dense > sizes[1]

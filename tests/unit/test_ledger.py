"""The ledger refuses what it would measure under a wrong name."""

import math

import pytest

from mnist_compress import measure
from mnist_compress.deploy import executorch
from mnist_compress.model import DigitClassifier
from mnist_compress.quantization import quantize_model


@pytest.mark.parametrize(("batches", "text"), [
    ((1, 4001), "batches must be at most 4000; got 4001"),
    ((0,), "batches must be whole numbers, 1 or more; got (0,)"),
    ((1, -1), "batches must be whole numbers, 1 or more; got (1, -1)"),
    ([1.0], "batches must be whole numbers, 1 or more; got [1.0]"),
    ((True,), "batches must be whole numbers, 1 or more; got (True,)"),
    ((), "batches must be whole numbers, 1 or more; got ()"),
    (32, "batches must be whole numbers, 1 or more; got 32"),
    ("32", "batches must be whole numbers, 1 or more; got '32'")])
def test_a_row_is_never_measured_with_fewer_digits_than_it_says(
        model, integer, test, monkeypatch, batches, text):
    monkeypatch.setattr(measure.speed, "latency", None)
    with pytest.raises(ValueError) as error:
        measure.latency_ledger(model, model, integer, test, batches)
    assert str(error.value) == text


def test_nothing_is_exported_for_batches_that_are_too_large(model, test, tmp_path, monkeypatch):
    monkeypatch.setattr(executorch, "installed", lambda: True)
    for digits, batches, text in ((test, (1, 1001), "at most 1000; got 1001"),
                                  (test[:5], (32,), "at most 5; got 32"),
                                  (test, (0,), "whole numbers, 1 or more; got (0,)")):
        with pytest.raises(ValueError) as error:
            executorch.edge_latency(model, tmp_path, digits, digits, batches)
        assert str(error.value) == f"batches must be {text}"
    assert not list(tmp_path.iterdir())


def test_the_largest_batch_is_all_digits(model, integer, test):
    names = ("dense float32", "int8 by hand")
    rows = measure.latency_ledger(model, model, integer, test[:50], iter((1, 50)), 2, names)
    assert [(row.name, row.batch) for row in rows] == [
        (name, batch) for batch in (1, 50) for name in names]


@pytest.mark.parametrize("wrong", [0, 1, -1, 2.0, True, None, "3", math.nan])
def test_rounds_that_have_no_spread(wrong):
    with pytest.raises(ValueError) as error:
        measure.latency({"nothing": int}, rounds=wrong)
    assert str(error.value) == f"rounds must be a whole number, 2 or more; got {wrong!r}"
    (row,) = measure.latency({"nothing": int}, rounds=2, milliseconds=0)
    assert row.ratio == 1 and 0 <= row.median


@pytest.mark.parametrize("wrong", [-1, math.nan, math.inf, "1", None, True])
def test_a_turn_that_cannot_last_so_long(wrong):
    with pytest.raises(ValueError) as error:
        measure.latency({"nothing": int}, milliseconds=wrong)
    assert str(error.value) == f"milliseconds must be 0 or more and finite; got {wrong!r}"


def test_only_the_named_networks_are_made(digits, test, monkeypatch):
    flat = DigitClassifier((784, 10))  # which has no hidden units to remove
    whole = quantize_model(flat, digits)
    names = [name for name in measure.LATENCY_ROWS if name != "half the neurons"]
    rows = measure.latency_ledger(flat, flat, whole, test, (2,), 2, names)
    assert [row.name for row in rows] == names
    with pytest.raises(ValueError, match=r"layer must be a hidden one of \[\]; got 0"):
        measure.latency_ledger(flat, flat, whole, test, (2,), 2)
    for maker in ("torchao_quantize", "_masked", "remove_neurons", "sparse_forward"):
        monkeypatch.setattr(measure.speed, maker, None)
    names = ("dense float32", "zeros kept dense", "int8 by hand")
    assert len(measure.latency_ledger(flat, flat, whole, test, (2,), 2, names)) == 3


@pytest.mark.parametrize("wrong", [1.0, 1, 2, -0.1, math.nan, True, "0.3", None])
def test_masks_of_a_sparsity_that_is_none(model, test, wrong):
    with pytest.raises(ValueError) as error:
        measure.masked_file("masks", model, test, wrong)
    assert str(error.value) == \
        f"sparsity must be a fraction of 1, from 0 to below 1; got {wrong!r}"


@pytest.mark.parametrize("wrong", ["zip", "GZIP", True, 0, ["gzip"]])
def test_a_compression_that_there_is_none_of(model, integer, test, wrong):
    for call in (lambda: measure.dense_file("dense", model, test, compress=wrong),
                 lambda: measure.integer_file("int8", integer, test, compress=wrong)):
        with pytest.raises(ValueError) as error:
            call()
        assert str(error.value) == f'compress must be None or "gzip"; got {wrong!r}'

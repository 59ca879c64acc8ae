"""Multiplications against counts by hand; latency refuses what it would time under a wrong name."""

import math
import warnings

import numpy as np
import pytest
import threadpoolctl
import torch
from torch import nn

from mnist_compress import measure
from mnist_compress.measure import speed
from mnist_compress.model import DigitClassifier
from mnist_compress.pruning import prune
from mnist_compress.quantization import quantize_model

NAMES = ["dense float32", "masks left on", "zeros kept dense", "zeros in CSR", "half the units",
         "int8 by hand", "torchao, int8 products", "torchao, int8 weights only"]


def test_multiplications_of_perceptrons(model):
    assert measure.multiply_adds(model) == (784 * 128 + 128 * 10,) * 2
    assert measure.multiply_adds(prune(model, 0.3)) == (101_632, 101_632 - 30_490)
    assert measure.multiply_adds(model.double(), torch.zeros(7, 784))[0] == 101_632


@pytest.mark.usefixtures("undisturbed")
def test_multiplications_of_any_network(mixed):
    network, (inputs, _) = mixed
    assert measure.multiply_adds(network, inputs) == (4 * 9 * 13 * 13 + 676 * 10,) * 2
    sparse = prune(network, 0.5)
    zeros = [int((sparse[place].weight == 0).sum()) for place in (0, 5)]
    assert measure.multiply_adds(sparse, inputs[:1]) == (
        36 * 169 + 6760, (36 - zeros[0]) * 169 + 6760 - zeros[1])
    with pytest.raises(ValueError, match=r"the model does not read inputs of \(1, 1\)"):
        measure.multiply_adds(network)


def test_grouped_convolutions_and_layers_used_twice():
    twice = nn.Linear(6, 6, bias=False)
    network = nn.Sequential(nn.Conv2d(4, 6, 3, groups=2, padding=1), nn.ReLU(),
                            nn.AdaptiveAvgPool2d(1), nn.Flatten(), twice, nn.ReLU(), twice)
    assert measure.multiply_adds(network, torch.randn(3, 4, 5, 5))[0] == \
        6 * 2 * 9 * 25 + 2 * 36


def test_latency_rows_in_turn(model, test):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = measure.latency_rows(model, prune(model, 0.9), None, test, batches=(1, 4), rounds=3)
    assert [(row.name, row.batch) for row in rows] == [
        (name, batch) for batch in (1, 4) for name in NAMES[:5]]
    for row in rows:
        assert 0 < row.low <= row.median <= row.high
        first = next(r for r in rows if r.batch == row.batch)
        assert row.ratio == row.median / first.median


def test_rows_time_what_their_names_say(model, integer, test, monkeypatch):
    """Each network gives the logits it should, for the digits that it gets."""
    asked = {}
    monkeypatch.setattr(speed, "latency", lambda networks, *_: asked.update(networks))
    sparse = prune(model, 0.9)
    measure.latency_rows(model, sparse, integer, test[:40], names=NAMES)
    with torch.no_grad():
        found = {name: torch.as_tensor(network(inputs)) for name, (network, inputs)
                 in asked.items()}
        dense, cut = model(test.inputs[:40]), sparse(test.inputs[:40])
    assert torch.equal(found["dense float32"], dense)
    assert torch.equal(found["masks left on"], cut) and torch.equal(found["zeros kept dense"], cut)
    assert torch.allclose(found["zeros in CSR"], cut, atol=1e-4)
    assert asked["half the units"][0].widths == (784, 64, 10)
    assert np.array_equal(found["int8 by hand"], integer.logits(test.images[:40].numpy()))
    for name in NAMES[-2:]:
        assert not torch.equal(found[name], dense) and torch.allclose(found[name], dense, atol=0.5)


@pytest.mark.usefixtures("undisturbed")
def test_any_network_is_timed(mixed):
    network, pair = mixed
    names = ["dense float32", "masks left on", "zeros kept dense", "torchao, int8 weights only"]
    rows = measure.latency_rows(network, prune(network, 0.5), None, pair, batches=(1, 2),
                                rounds=2, names=names)
    assert [row.name for row in rows] == 2 * names


def test_a_network_of_doubles_is_timed():
    network, names = DigitClassifier((784, 3, 10)).double(), ["dense float32", "zeros in CSR"]
    pair = torch.rand(3, 784), torch.arange(3)
    assert len(measure.latency_rows(network, network, None, pair, batches=[1], rounds=2,
                                    names=names)) == 2


def test_one_thread_eval_mode_and_no_gradients():
    seen = []

    class Spy(nn.Module):
        def forward(self, inputs):
            pools = threadpoolctl.threadpool_info()
            seen.append((self.training, torch.is_grad_enabled(), torch.get_num_threads(),
                         max(pool["num_threads"] for pool in pools), len(inputs)))

    before = torch.get_num_threads(), threadpoolctl.threadpool_info()
    torch.set_num_threads(2)
    try:
        with threadpoolctl.threadpool_limits(2):
            spy = Spy()
            measure.latency({"spy": (spy, np.zeros(9))}, [3], rounds=2)
        assert torch.get_num_threads() == 2 and spy.training and torch.is_grad_enabled()
    finally:
        torch.set_num_threads(before[0])
    assert set(seen) == {(False, False, 1, 1, 3)}
    with pytest.raises(ZeroDivisionError):
        measure.latency({"wrong": (lambda inputs: 1 / 0, [1])})
    assert (torch.get_num_threads(), threadpoolctl.threadpool_info()) == before


@pytest.mark.parametrize(("batches", "text"), [
    ((1, 3001), "batch must be a whole number from 1 to 3000; got 3001"),
    ((0,), "batch must be a whole number from 1 to 3000; got 0"),
    ((1, -1), "batch must be a whole number from 1 to 3000; got -1"),
    ([1.0], "batch must be a whole number from 1 to 3000; got 1.0"),
    ((True,), "batch must be a whole number from 1 to 3000; got True"),
    ("32", "batch must be a whole number from 1 to 3000; got '3'")])
def test_a_row_is_never_measured_with_fewer_digits_than_it_says(
        model, integer, test, monkeypatch, batches, text):
    monkeypatch.setattr(speed, "_times", None)
    with pytest.raises(ValueError) as error:
        measure.latency_rows(model, model, integer, test, batches=batches)
    assert str(error.value) == text


def test_the_largest_batch_is_all_digits(model, integer, test):
    names = ("dense float32", "int8 by hand")
    rows = measure.latency_rows(model, model, integer, test[:50], rounds=2, names=iter(names),
                                batches=iter((1, np.int64(50))))
    assert [(row.name, row.batch) for row in rows] == [
        (name, batch) for batch in (1, 50) for name in names]


@pytest.mark.parametrize("wrong", [0, 1, -1, 2.0, True, None, "3", math.nan])
def test_rounds_that_have_no_spread(wrong):
    with pytest.raises(ValueError) as error:
        measure.latency({"nothing": (len, [1])}, rounds=wrong)
    assert str(error.value) == f"rounds must be a whole number, 2 or more; got {wrong!r}"
    (row,) = measure.latency({"nothing": (len, [1])}, rounds=2)
    assert row.ratio == 1 and 0 <= row.median


def test_only_the_named_networks_are_made(digits, test, monkeypatch):
    flat = DigitClassifier((784, 10))  # which has no hidden units to remove
    whole = quantize_model(flat, digits[::10])
    names = [name for name in NAMES[:-1] if name != "half the units"]
    rows = measure.latency_rows(flat, flat, whole, test, batches=(2,), rounds=2, names=names)
    assert [row.name for row in rows] == names
    for maker in ("torchao_quantize", "with_masks", "remove_units", "_sparse_forward"):
        monkeypatch.setattr(speed, maker, None)
    names = ("dense float32", "zeros kept dense", "int8 by hand")
    assert len(measure.latency_rows(flat, flat, whole, test, batches=(2,), rounds=2,
                                    names=names)) == 3

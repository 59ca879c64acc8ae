"""Pruning against torch.nn.utils.prune, brute force, and exact counts."""

import copy
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils import prune as torch_prune

from mnist_compress import pruning
from mnist_compress.data import Digits
from mnist_compress.model import DigitClassifier
from mnist_compress.training import evaluate

NUMBERS = st.lists(st.integers(-20, 20), min_size=1, max_size=60)
SHARES = st.floats(0, 1, exclude_max=True)


def state(model):
    return copy.deepcopy(model.state_dict())


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


@given(NUMBERS, SHARES)
@settings(deadline=None)
def test_the_mask_is_the_brute_force_one(numbers, share):
    weight = torch.tensor(numbers, dtype=torch.float32)
    ranked = sorted(range(len(numbers)), key=lambda place: (abs(numbers[place]), place))
    gone = set(ranked[: round(share * len(numbers))])
    wanted = [place not in gone for place in range(len(numbers))]
    assert pruning.magnitude_mask(weight, share).tolist() == wanted


@given(NUMBERS, SHARES)
@settings(deadline=None)
def test_ties_leave_what_torch_leaves(numbers, share):
    layer = torch.nn.Linear(len(numbers), 1)
    layer.weight.data = torch.tensor([numbers], dtype=torch.float32)
    mine = pruning.magnitude_mask(layer.weight, share)
    torch_prune.l1_unstructured(layer, "weight", amount=share)
    theirs = layer.weight_mask.bool()
    assert mine.sum() == theirs.sum()
    magnitudes = layer.weight_orig.abs()
    assert torch.equal(magnitudes[mine].sort().values, magnitudes[theirs].sort().values)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.8, 0.99])
def test_distinct_magnitudes_give_the_masks_of_torch(share):
    torch.manual_seed(1)
    model = DigitClassifier((30, 20, 10))
    values = (torch.randperm(800) + 1.0) * torch.where(torch.rand(800) < 0.5, 1.0, -1.0)
    model.layers[0].weight.data = values[:600].view(20, 30)
    model.layers[1].weight.data = values[600:].view(10, 20)
    masks = [layer.weight != 0 for layer in pruning.prune(model, share).layers]
    hooked = copy.deepcopy(model)
    torch_prune.global_unstructured([(layer, "weight") for layer in hooked.layers],
                                    torch_prune.L1Unstructured, amount=share)
    for mask, layer in zip(masks, hooked.layers, strict=True):
        assert torch.equal(mask, layer.weight_mask.bool())
    alone = pruning.prune(model, share, "layer")
    for pruned, layer in zip(alone.layers, model.layers, strict=True):
        torch_prune.l1_unstructured(layer, "weight", amount=share)
        assert torch.equal(pruned.weight != 0, layer.weight_mask.bool())


def test_exact_counts_and_an_untouched_argument(model):
    before = state(model)
    pruned = pruning.prune(model, 0.3)
    zeros = [int((layer.weight == 0).sum()) for layer in pruned.layers]
    assert sum(zeros) == 30_490 == round(0.3 * 101_632)
    assert pruning.sparsity(pruned) == 30_490 / 101_632
    assert same(before, state(model))
    for old, new in zip(model.layers, pruned.layers, strict=True):
        kept = new.weight != 0
        assert torch.equal(old.weight[kept], new.weight[kept])
        assert torch.equal(old.bias, new.bias)
    largest_gone = max(old.weight[new.weight == 0].abs().max()
                       for old, new in zip(model.layers, pruned.layers, strict=True))
    smallest_kept = min(new.weight[new.weight != 0].abs().min() for new in pruned.layers)
    assert largest_gone <= smallest_kept


def test_per_layer_shares(model):
    zeros = [int((layer.weight == 0).sum())
             for layer in pruning.prune(model, [0.5, 0.1], "layer").layers]
    assert zeros == [50_176, 128]
    zeros = [int((layer.weight == 0).sum())
             for layer in pruning.prune(model, 0.25, "layer").layers]
    assert zeros == [25_088, 320]
    assert [int((layer.weight == 0).sum())
            for layer in pruning.prune(model, (0.5, 0.0), "layer").layers] == [50_176, 0]


def test_half_goes_to_even():
    assert (~pruning.magnitude_mask(torch.arange(5.0), 0.5)).sum() == 2
    assert (~pruning.magnitude_mask(torch.arange(3.0), 0.5)).sum() == 2
    assert pruning.magnitude_mask(torch.ones(4), 0.5).tolist() == [False, False, True, True]
    assert pruning.magnitude_mask(torch.ones(2, 2), 0.25).tolist() == [[False, True], [True, True]]


@pytest.mark.parametrize("wrong", [1, 1.0, -0.1, math.nan, math.inf, "0.3", None, True])
def test_a_sparsity_that_is_none(model, wrong):
    text = f"sparsity must be a finite number at least 0 and below 1; got {wrong!r}"
    with pytest.raises(ValueError) as error:
        pruning.prune(model, wrong)
    assert str(error.value) == text


@pytest.mark.parametrize("share", [np.float32(0.25), np.float64(0.25), torch.tensor(0.25),
                                   Fraction(1, 4)])
def test_numbers_of_every_kind_are_sparsities(model, share):
    assert pruning.sparsity(pruning.prune(model, share)) == 0.25
    assert pruning.sparsity(pruning.prune(model, 0)) == 0.0


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_weights_that_are_no_numbers(model, wrong):
    model.layers[1].weight.data[3, 4] = wrong
    with pytest.raises(ValueError) as error:
        pruning.prune(model, 0.3)
    assert str(error.value) == f"weights must be finite float32 numbers; got {wrong}"
    with pytest.raises(ValueError, match="finite"):
        pruning.weakest_units(model, 0.5)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_fine_tuning_does_not_spread_what_is_no_number(model, digits, wrong):
    for part in ("weight", "bias"):
        broken = copy.deepcopy(model)
        getattr(broken.layers[1], part).data[3] = wrong
        with pytest.raises(ValueError) as error:
            pruning.fine_tune(broken, digits)
        assert str(error.value) == f"weights and biases must be finite float32 numbers; got {wrong}"


def test_nothing_to_prune(model):
    with pytest.raises(ValueError) as error:
        pruning.magnitude_mask(torch.zeros(0, 3), 0.3)
    assert str(error.value) == "number of weights must be a whole number, 1 or more; got 0"
    model.layers = torch.nn.ModuleList()
    for call in (pruning.sparsity, lambda m: pruning.prune(m, 0.3)):
        with pytest.raises(ValueError) as error:
            call(model)
        assert str(error.value) == "need a Linear or Conv2d layer; got DigitClassifier"


def test_bad_scopes(model):
    with pytest.raises(ValueError) as error:
        pruning.prune(model, 0.3, "row")
    assert str(error.value) == "scope must be one of global, layer; got 'row'"
    with pytest.raises(ValueError, match="shorter"):
        pruning.prune(model, [0.3], "layer")


def test_fine_tuning_holds_zeros_and_helps(model, digits, test):
    pruned = pruning.prune(model, 0.95)
    before = state(pruned)
    tuned = pruning.fine_tune(pruned, digits)
    assert same(before, state(pruned))
    for old, new in zip(pruned.layers, tuned.layers, strict=True):
        assert torch.equal(old.weight == 0, new.weight == 0)
        assert new.weight.dtype == torch.float32
    assert evaluate(tuned, test).accuracy > evaluate(pruned, test).accuracy
    random = torch.random.get_rng_state()
    assert same(state(tuned), state(pruning.fine_tune(pruned, digits)))
    assert torch.equal(random, torch.random.get_rng_state())
    other = pruning.fine_tune(pruned, digits, seed=1)
    assert not same(state(tuned), state(other))


def test_fine_tuning_takes_its_settings(model, digits):
    seen = []

    def progress(epochs):
        seen.extend(epochs)
        return epochs

    few = digits[range(40)]
    one = pruning.fine_tune(model, few, epochs=1, batch_size=8, learning_rate=0.01,
                            progress=progress)
    assert seen == [0]
    assert not same(state(one), state(pruning.fine_tune(model, few, epochs=1, batch_size=8)))
    assert not same(state(one), state(pruning.fine_tune(model, few, epochs=1, learning_rate=0.01)))


def test_removed_units_answer_like_silent_ones(model, test):
    units = pruning.weakest_units(model, 0.5)
    assert len(units) == 64 == len(set(units.tolist())) and units.dtype == torch.int64
    before = state(model)
    random = torch.random.get_rng_state()
    silent, smaller = pruning.zero_units(model, units), pruning.remove_units(model, units)
    assert torch.equal(random, torch.random.get_rng_state())
    assert same(before, state(model))
    assert smaller.widths == (784, 64, 10) and silent.widths == model.widths
    assert (silent.layers[0].weight[units] == 0).all() and (silent.layers[0].bias[units] == 0).all()
    assert (silent.layers[1].weight[:, units] == 0).all()
    kept = [unit for unit in range(128) if unit not in units.tolist()]
    assert torch.equal(smaller.layers[0].weight, model.layers[0].weight[kept])
    assert torch.equal(smaller.layers[0].bias, model.layers[0].bias[kept])
    assert torch.equal(smaller.layers[1].weight, model.layers[1].weight[:, kept])
    assert smaller.layers[1].weight.is_contiguous()
    with torch.no_grad():
        assert torch.allclose(silent(test.inputs), smaller(test.inputs), atol=1e-5)


def test_the_weakest_units_by_brute_force(model):
    first, last = (layer.weight.detach().double() for layer in model.layers)
    strength = [(sum(w * w for w in first[unit].tolist()) * sum(w * w for w in last[:, unit]
                .tolist())) for unit in range(128)]
    wanted = sorted(range(128), key=strength.__getitem__)[:13]
    assert pruning.weakest_units(model, 0.1).tolist() == wanted


def test_units_of_deeper_networks():
    torch.manual_seed(0)
    deep, rows = DigitClassifier((6, 5, 4, 3)), torch.randn(20, 6)
    gone = pruning.weakest_units(deep, 0.5).tolist()
    silent, smaller = pruning.zero_units(deep, gone), pruning.remove_units(deep, gone)
    assert smaller.widths == (6, 3, 4, 3)
    with torch.no_grad():
        assert torch.allclose(silent(rows), smaller(rows), atol=1e-6)
    assert pruning.remove_units(deep, 2).widths == (6, 4, 4, 3)
    assert pruning.remove_units(deep, []).widths == deep.widths
    assert pruning.remove_units(deep, [0, 1, 2, 3]).widths == (6, 1, 4, 3)


def test_units_that_do_not_exist(model):
    for wrong in (128, -1, 0.5, True):
        with pytest.raises(ValueError) as error:
            pruning.remove_units(model, [wrong])
        assert str(error.value).startswith("unit must be a whole number from 0 to 127; got ")
    for wrong in (None, "all", [None], [2**70], [[1, 2], [3]], 1j, model):
        for call in (pruning.remove_units, pruning.zero_units):
            with pytest.raises(ValueError) as error:
                call(model, wrong)
            assert str(error.value).startswith("unit must be a whole number from 0 to 127; got ")
    with pytest.raises(ValueError) as error:
        pruning.zero_units(model, [200])
    assert str(error.value) == "unit must be a whole number from 0 to 127; got 200"
    with pytest.raises(ValueError) as error:
        pruning.remove_units(model, range(128))
    assert str(error.value) == ("number of units that stay must be a whole number, 1 or more; got "
                                "tensor(0)")


def test_the_scan_and_the_curve_measure_each_cut(model, digits, test):
    few = test[range(0, 3000, 10)]
    points = pruning.sensitivity_scan(model, few, [0.3, 0.9])
    wanted = []
    for layer in (0, 1):
        for share in (0.3, 0.9):
            cut = copy.deepcopy(model)
            torch_prune.l1_unstructured(cut.layers[layer], "weight", amount=share)
            answers = cut(few.inputs).argmax(1)
            wanted.append((layer, share, (answers == few.labels).double().mean().item()))
    assert [(p.layer, p.sparsity, p.accuracy) for p in points] == wanted
    (plain,) = pruning.accuracy_curve(model, few, [0.95])
    accuracy = evaluate(pruning.prune(model, 0.95), few).accuracy
    assert plain == pruning.ScanPoint(None, 0.95, accuracy)
    for epochs in (1, 2):
        (tuned,) = pruning.accuracy_curve(model, few, [0.95], digits, epochs)
        again = pruning.fine_tune(pruning.prune(model, 0.95), digits, epochs=epochs)
        assert tuned == pruning.ScanPoint(None, 0.95, evaluate(again, few).accuracy)
    (default,) = pruning.accuracy_curve(model, few, [0.95], digits)
    assert default == tuned


def test_the_largest_share_within_a_loss():
    points = [pruning.ScanPoint(None, s, a) for s, a in
              [(0.3, 0.90), (0.5, 0.89), (0.8, 0.88), (0.9, 0.9)]]
    find = pruning.largest_sparsity_within
    assert find(points, 0.90) == 0.5  # 0.9 comes after a fall and does not count
    assert find(iter(points), 0.90, 0.02) == 0.9
    assert find(points, 0.95) == 0.0
    assert find(points, 0.8) == 0.9
    assert find([], 0.9) == 0.0


def test_empty_digits_say_so(model):
    none = Digits(torch.zeros(0, 28, 28, dtype=torch.uint8), torch.zeros(0, dtype=torch.int64))
    with pytest.raises(ValueError, match="digit"):
        pruning.fine_tune(model, none)


@given(SHARES, st.integers(0, 99))
@settings(deadline=None, max_examples=20)
def test_random_masks_have_the_zeros_of_pruning_anywhere(share, seed):
    torch.manual_seed(1)
    model = DigitClassifier((30, 40, 10))
    before = torch.random.get_rng_state()
    masks = pruning.random_masks(model, share, seed)
    assert [mask.shape for mask in masks] == [(40, 30), (10, 40)]
    assert sum(int((~mask).sum()) for mask in masks) == round(share * 1600)
    assert all(map(torch.equal, masks, pruning.random_masks(model, share, seed)))
    assert torch.equal(before, torch.random.get_rng_state())


def test_random_masks_ask_neither_magnitude_nor_layer(model):
    masks = [pruning.random_masks(model, 0.5, seed) for seed in range(9)]
    assert not torch.equal(masks[0][0], masks[1][0])
    for place, layer in enumerate(model.layers):
        size = layer.weight.detach().abs()
        left = torch.stack([seed[place] for seed in masks])
        assert left.double().mean().item() == pytest.approx(0.5, abs=0.03)
        kept = (size * left).sum() / left.sum()  # a mean over all seeds
        assert kept.item() == pytest.approx(size.mean().item(), rel=0.05)
    assert torch.equal(pruning.random_masks(model, 0.5)[0], masks[0][0])  # seed 0


@given(st.lists(st.lists(st.integers(-9, 9), min_size=13, max_size=13), min_size=1, max_size=3),
       st.integers(1, 13), st.integers(2, 6), st.data())
@settings(deadline=None, max_examples=50)
def test_n_m_masks_by_brute_force(rows, inputs, m, data):
    n = data.draw(st.integers(1, m - 1))
    layer = torch.nn.Linear(inputs, len(rows))
    layer.weight.data = torch.tensor(rows, dtype=torch.float32)[:, :inputs].contiguous()
    (mask,) = pruning.n_m_masks(layer, n, m)
    for row, stays in zip(rows, mask.tolist(), strict=True):
        wanted = [True] * inputs
        for start in range(0, inputs - m + 1, m):
            ranked = sorted(range(start, start + m), key=lambda place: (abs(row[place]), place))
            for place in ranked[:m - n]:
                wanted[place] = False
        assert stays == wanted


def test_two_of_four_is_the_default_and_windows_count_as_rows():
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(3, 5, 2)  # 12 weights a channel
    (mask,) = pruning.n_m_masks(layer)
    assert mask.shape == layer.weight.shape
    groups = mask.view(5, 3, 4)
    assert (groups.sum(2) == 2).all()
    size = layer.weight.detach().abs().view(5, 3, 4)
    assert (size.masked_fill(~groups, math.inf).amin(2) > (size * ~groups).amax(2)).all()
    for wrong in ((4, 4), (0, 4), (1, 1)):
        with pytest.raises(ValueError, match=r"^[nm] must be a whole number"):
            pruning.n_m_masks(layer, *wrong)

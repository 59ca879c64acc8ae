"""What decides the questions of 03_pruning."""

import torch

from ... import measure
from ...data import load_sample
from ...pruning import magnitude_mask, prune, remove_units, weakest_units
from ...statistics import mcnemar_exact
from ...training import trained_model


def _pruned_weights():
    before = trained_model()
    old, new = (torch.cat([layer.weight.detach().flatten() for layer in model.layers])
                for model in (before, prune(before, 0.3)))
    zeros, same = int((new == 0).sum()), int((old == new).sum())
    return (f"prune(model, 0.3): of {len(old):,} weights {zeros:,} are zero, {same:,} kept the "
            f"value they had, none is new. The type is still {new.dtype}.")


def _magnitude_order():
    weights = torch.tensor([-0.9, 0.02, 0.5, -0.01])
    ranked = ", ".join(f"{weights[place]:g}" for place in weights.abs().argsort())
    kept = ", ".join(f"{value:g}" for value in weights[magnitude_mask(weights, 0.5)])
    return f"By magnitude: {ranked}. magnitude_mask(weights, 0.5) keeps {kept}."


def _count_zeros():
    zeros = [int((layer.weight == 0).sum()) for layer in prune(trained_model(), 0.3).layers]
    return f"prune(model, 0.3): {' + '.join(f'{n:,}' for n in zeros)} = {sum(zeros):,} zeros."


def _saved_sizes():
    model, test = trained_model(), load_sample()[1]
    dense, pruned = (measure.dense_file("", network, test).bytes
                     for network in (model, prune(model, 0.3)))
    return f"Two files, just written: dense {dense:,} bytes, 30 % zeros {pruned:,} bytes."


def _csr_break_even():
    model, test = trained_model(), load_sample()[1]
    dense = measure.dense_file("", model, test).bytes
    told = [f"{share:.0%} zeros: {measure.csr_file('', prune(model, share), test, 'int64').bytes:,}"
            for share in (0.5, 0.6, 0.7, 0.8)]
    return f"Bytes of files, dense: {dense:,}; CSR with int64, {'; '.join(told)}."


def _dense_products():
    model = trained_model()
    half = remove_units(model, weakest_units(model, 0.5))
    dense, zeros, fewer = (measure.multiply_adds(network)[0]
                           for network in (model, prune(model, 0.5), half))
    return (f"Multiplications for one digit: {dense:,} dense, {zeros:,} with half of the weights "
            f"zero, {fewer:,} with half of the units.")


def _mcnemar_12_11():
    even, uneven = mcnemar_exact(12, 11), mcnemar_exact(19, 4)
    return (f"Exact McNemar test: 12 against 11 has p = {even:.2f}, 19 against 4 would have "
            f"p = {uneven:.3f}.")

"""What decides the questions of 03_pruning."""

import io

import torch

from ... import measure
from ...data import load_sample
from ...pruning import fine_tune, magnitude_mask, prune, remove_units, sparsity, weakest_units
from ...statistics import mcnemar_exact
from ...training import evaluate, train_on, trained_model


def _magnitude_order():
    weights = torch.tensor([-0.9, 0.02, 0.5, -0.01])
    ranked = ", ".join(f"{weights[place]:g}" for place in weights.abs().argsort())
    kept = ", ".join(f"{value:g}" for value in weights[magnitude_mask(weights, 0.5)])
    return f"By magnitude: {ranked}. magnitude_mask(weights, 0.5) keeps {kept}."


def _count_zeros():
    zeros = [int((layer.weight == 0).sum()) for layer in prune(trained_model(), 0.3).layers]
    return f"prune(model, 0.3): {' + '.join(f'{n:,}' for n in zeros)} = {sum(zeros):,} zeros."


def _saved_sizes():
    model, told = trained_model(), []
    for share in (0.0, 0.3, 0.6):
        with io.BytesIO() as file:
            torch.save(prune(model, share).state_dict(), file)
            size = file.tell()
            file.seek(0)
            stored = torch.load(file, weights_only=True)
        zeros = sum(int((stored[f"layers.{n}.weight"] == 0).sum()) for n in range(2))
        told.append(f"{share:.0%} cut, {size:,} bytes, {zeros:,} zeros when read back")
    return f"{'; '.join(told)}. In each file: {', '.join(stored)}."


def _csr_break_even():
    weights = sum(layer.weight.numel() for layer in trained_model().layers)
    told = []
    for share in (0.3, 0.5, 0.66, 0.67):
        left = sum(int((layer.weight != 0).sum()) for layer in prune(trained_model(), share).layers)
        told.append(f"{share:.0%} zeros leave {left:,}, {12 * left:,} bytes")
    return f"Dense, {weights:,} weights take {4 * weights:,} bytes; in CSR, {'; '.join(told)}."


def _products():
    model = trained_model()
    networks = {"dense": model, "half of the weights zero": prune(model, 0.5),
                "half of the units removed": remove_units(model, weakest_units(model, 0.5))}
    told = [f"{name} {measure.multiply_adds(network)[0]:,}" for name, network in networks.items()]
    return f"Multiplications for one digit in a dense product: {'; '.join(told)}."


def _zeros_after_adam():
    train = load_sample()[0]
    cut = prune(trained_model(), 0.9)
    free, held = train_on(cut, train, epochs=1), fine_tune(cut, train, epochs=1)
    first, empty = free.layers[0].weight, train.inputs.amax(0) == 0
    zeros, there = int((first == 0).sum()), int((first[:, empty] == 0).sum())
    return (f"One epoch of Adam leaves {sparsity(free):.0%} zeros, with the mask after each step "
            f"{sparsity(held):.0%}. Without it, {there:,} of the first layer's {zeros:,} zeros are "
            f"at pixels that are 0 in every training digit.")


def _three_seeds():
    train, validation, _ = load_sample()
    told = []
    for seed in (6, 5, 7):
        dense = trained_model(seed)
        cut = prune(dense, 0.5)
        rates = [f"{100 * evaluate(network, validation).accuracy:.1f}" for network
                 in (dense, cut, fine_tune(cut, train), train_on(dense, train))]
        told.append(f"seed {seed}: {' / '.join(rates[:3])}, dense trained on {rates[3]}")
    return f"Computed anew: {'; '.join(told)}."


def _worst_digit():
    train, validation, _ = load_sample()
    dense = trained_model()
    change = measure.by_digit(fine_tune(prune(dense, 0.9), train), validation)
    change = 100 * (change - measure.by_digit(dense, validation))
    return (f"27 of 3,000 are {27 / 3000:.1%}, 27 of 300 are {27 / 300:.0%}. On validation digits, "
            f"90 % cut and fine-tuned: {change.mean():+.1f} points on average, from "
            f"{change.min():+.0f} on the {change.argmin()}s to {change.max():+.0f} on the "
            f"{change.argmax()}s.")


def _mcnemar_12_11():
    even, uneven = mcnemar_exact(12, 11), mcnemar_exact(20, 3)
    return (f"Exact McNemar test: 12 against 11 has p = {even:.2f}, 20 against 3 would have "
            f"p = {uneven:.4f}.")

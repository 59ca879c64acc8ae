"""What decides questions about pruning."""

import io

import torch

from ... import measure
from ...model import DigitClassifier
from ...pruning import fine_tune, magnitude_mask, prune, remove_units, sparsity, weakest_units
from ...quantization import quantize_model
from ...statistics import mcnemar_exact
from ...training import evaluate, logits, train_on
from . import course, per_cent


def _pruned_weights():
    before = course()[0]
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
    zeros = [int((layer.weight == 0).sum()) for layer in prune(course()[0], 0.3).layers]
    return f"prune(model, 0.3): {' + '.join(f'{n:,}' for n in zeros)} = {sum(zeros):,} zeros."


def _saved_sizes():
    model, told = course()[0], []
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
    model, told = course()[0], []
    weights = sum(layer.weight.numel() for layer in model.layers)
    for share in (0.3, 0.5, 0.66, 0.67):
        left = sum(int((layer.weight != 0).sum()) for layer in prune(model, share).layers)
        told.append(f"{share:.0%} zeros leave {left:,}, {12 * left:,} bytes")
    return f"Dense, {weights:,} weights take {4 * weights:,} bytes; in CSR, {'; '.join(told)}."


def _products(units, share):
    model = DigitClassifier((784, units, 10))
    networks = {"dense": model, f"{share:.0%} of the weights zero": prune(model, share),
                f"{share:.0%} of the units removed":
                    remove_units(model, weakest_units(model, share))}
    told = [f"{name} {measure.multiply_adds(network)[0]:,}" for name, network in networks.items()]
    return f"Multiplications for one digit in a dense product: {'; '.join(told)}."


def _after_adam(share):
    model, digits, _ = course()
    cut = prune(model, share)
    free, held = train_on(cut, digits, epochs=1), fine_tune(cut, digits, epochs=1)
    first, second = (layer.weight == 0 for layer in free.layers)
    there = first[:, digits.inputs.amax(0) == 0].sum()
    return (f"One epoch of Adam leaves {sparsity(free):.0%} zeros, with the mask after each step "
            f"{sparsity(held):.0%}. Without it, {there:,} of the first layer's {first.sum():,} "
            "zeros are at pixels that are 0 in every training digit; the second layer has "
            f"{second.sum()} zeros.")


def _table(share, *seeds):
    told, wins = [], 0
    for seed in seeds:
        dense, digits, validation = course(seed)
        cut = prune(dense, share)
        each = dense, cut, fine_tune(cut, digits), train_on(dense, digits)
        rates = [per_cent(network, validation) for network in each]
        told.append(f"seed {seed}: {' / '.join(rates)}")
        wins += float(rates[2]) > float(rates[3])
    return (f"Dense / cut / fine-tuned / dense, trained on as long: {'; '.join(told)}. Fine-tuned "
            f"is ahead of the last with {wins} of {len(seeds)} seeds.")


def _worst_digit():
    dense, digits, validation = course()
    change = measure.by_digit(fine_tune(prune(dense, 0.9), digits), validation)
    change = 100 * (change - measure.by_digit(dense, validation))
    return (f"27 of 3,000 are {27 / 3000:.1%}, 27 of 300 are {27 / 300:.0%}. On validation digits, "
            f"90 % cut and fine-tuned: {change.mean():+.1f} points on average, from "
            f"{change.min():+.0f} on the {change.argmin()}s to {change.max():+.0f} on the "
            f"{change.argmax()}s.")


def _two_classes():
    fewer, more = round(0.005 * 3000), round(0.04 * 300)
    return (f"{fewer} right answers fewer in all, {more} more on the 1s: {fewer + more} fewer on "
            f"the 8s, {(fewer + more) / 300:.0%} of 300.")


def _mcnemar_12_11():
    even, uneven = mcnemar_exact(12, 11), mcnemar_exact(20, 3)
    return (f"Exact McNemar test: 12 against 11 has p = {even:.2f}, 20 against 3 would have "
            f"p = {uneven:.4f}.")


def _convolution():
    picture = torch.zeros(1, 1, 28, 28)
    filters = torch.nn.Sequential(torch.nn.Conv2d(1, 16, 3, padding=1), torch.nn.Flatten())
    dense = torch.nn.Linear(784, 128)
    return (f"Counted for one digit, the convolution: {filters[0].weight.numel():,} weights, "
            f"{measure.multiply_adds(filters, picture)[0]:,} multiplications; the dense layer: "
            f"{dense.weight.numel():,} weights, {measure.multiply_adds(dense)[0]:,} "
            "multiplications.")


def _who_decides():
    """Many networks, 200 random halves of the validation digits: one half chooses, one judges."""
    model, digits, validation = course()
    right, sizes = [], []
    for share in (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95):
        tuned = fine_tune(prune(model, share), digits)
        for bits in (8, 5, 4, 3, 2):
            network = quantize_model(tuned, digits, bits=bits)
            right.append(evaluate(network, validation).correct.double())
            sizes.append((1 - share) * bits)
    right, dense = torch.stack(right), evaluate(model, validation).correct.double()
    gaps, generator = [], torch.Generator().manual_seed(0)
    for _ in range(200):
        chooses, judges = torch.randperm(len(dense), generator=generator).chunk(2)
        fit = right[:, chooses].mean(1) >= dense[chooses].mean() - 0.01
        if fit.any():
            best = min(fit.nonzero().flatten().tolist(), key=sizes.__getitem__)
            gaps.append([100 * (right[best, half].mean() - dense[half].mean()).item()
                         for half in (chooses, judges)])
    chose, judged = torch.tensor(gaps).T
    return (f"{len(right)} networks, {len(gaps)} random halves of the validation digits. Against "
            f"dense, the chosen network has {chose.mean():+.1f} points on the half that chose it "
            f"and {judged.mean():+.1f} on the other; there it loses more than one point in "
            f"{(judged < -1).double().mean():.0%} of the cases.")


def _same_accuracy():
    model, _, validation = course()
    told = []
    for name, network in (("dense", model), ("80 % cut", prune(model, 0.8))):
        sure = torch.softmax(logits(network, validation).double(), 1).max(1).values
        told.append(f"{name}, {per_cent(network, validation)} % are right, and "
                    f"{int((sure < 0.9).sum())} go to the human")
    return f"Of {len(validation):,} validation digits: {'; '.join(told)}."

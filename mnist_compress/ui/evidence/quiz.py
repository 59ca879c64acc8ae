"""What decides the questions of 06_quiz."""

import numpy as np
import torch

from ... import measure
from ...data import load_sample
from ...model import DigitClassifier
from ...pruning import fine_tune, prune, remove_units, sparsity
from ...quantization import (
    choose_qparams,
    qparams_of,
    quantization_aware_train,
    quantize,
    quantize_model,
    round_weights,
)
from ...training import evaluate, logits, train, train_on, trained_model
from . import one_unit


def _per_cent(network, digits):
    return f"{100 * evaluate(network, digits).accuracy:.1f}"


def _float_pixel():
    digits = load_sample()[0][:500]
    scaled = digits.images / 255
    return (f"{len(digits)} pictures as stored: {digits.images.dtype}, 0 to {digits.images.max()}. "
            f"Divided by 255: {scaled.dtype}, {scaled.min():.1f} to {scaled.max():.1f}, with "
            f"{len(scaled.unique())} different values.")


def _clamped_weight():
    steps = quantize(torch.tensor([0.25]), qparams_of(0.0016)).item()
    wrapped = torch.tensor([156]).to(torch.int8).item()
    return f"0.25 / 0.0016 = {0.25 / 0.0016:.2f}; quantize says {steps}. Cast alone: {wrapped}."


def _many_products():
    most = (2**31 - 1) // (255 * 127)
    fits, over = (np.full(count, 255 * 127, np.int32).sum(dtype=np.int32)
                  for count in (most, most + 1))
    return f"{most:,} products of 32,385 add up to {fits:,} in int32, one more to {over:,}."


def _epochs_more():
    history = train(*load_sample()[:2], epochs=12)[1]
    told = [f"after epoch {row.epoch}, {100 * row.train_accuracy:.1f} and "
            f"{100 * row.validation_accuracy:.1f} %" for row in (history[7], history[11])]
    return f"Trained anew, training and validation digits: {'; '.join(told)}."


def _fewer_products():
    model = DigitClassifier((784, 100, 10))
    networks = {"A": prune(model, 0.6), "B": remove_units(model, torch.arange(60))}
    told = [f"{name} {measure.multiply_adds(each)[0]:,}" for name, each in networks.items()]
    return f"Multiplications for one digit in a dense product: {', '.join(told)}."


def _zeros_left():
    digits = load_sample()[0]
    free = train_on(prune(trained_model(), 0.8), digits, epochs=1)
    first, empty = free.layers[0].weight == 0, digits.inputs.amax(0) == 0
    return (f"{sparsity(free):.0%} of the weights are zero. Of {int(first.sum()):,} zeros in the "
            f"first layer, {int(first[:, empty].sum()):,} are at pixels that are 0 in every "
            f"training digit; of {int((free.layers[1].weight == 0).sum())} in the second, none is.")


def _two_classes():
    fewer, more = round(0.005 * 3000), round(0.04 * 300)
    return (f"{fewer} right answers fewer in all, {more} more on the 1s: {fewer + more} fewer on "
            f"the 8s, {(fewer + more) / 300:.0%} of 300.")


def _negative_sum():
    total, output = one_unit([100] * 3, [91, -23, -80], 500, round(0.004 * 2**20), 20)
    return (f"The package's layer, of pixels 100 and weights 91, -23, -80: accumulator {total}, "
            f"handed on {output}.")


def _fixed_range():
    told = [f"{total} becomes {one_unit([0], [2], total, 1, 1)[1]}" for total in (400, 510, 900)]
    return f"A layer whose calibration ended at 510: {', '.join(told)}."


def _zeros_in_int8():
    model, (digits, validation, _) = trained_model(), load_sample()
    sizes = [measure.integer_file("", quantize_model(each, digits), validation).bytes
             for each in (model, prune(model, 0.9))]
    return f"Dense int8: {sizes[0]:,} bytes; with 90 % zeros: {sizes[1]:,} bytes."


def _convolution():
    picture = torch.zeros(1, 1, 28, 28)
    filters = torch.nn.Sequential(torch.nn.Conv2d(1, 16, 3, padding=1), torch.nn.Flatten())
    dense = torch.nn.Linear(784, 128)
    told = [f"{name}: {weight.numel():,} weights, {measure.multiply_adds(*each)[0]:,} "
            f"multiplications" for name, weight, *each in (
                ("the convolution", filters[0].weight, filters, picture),
                ("the dense layer", dense.weight, dense))]
    return f"Counted for one digit, {'; '.join(told)}."


def _two_batches():
    digits, validation, _ = load_sample()
    told = [f"batches of {size}: " + ", ".join(
        _per_cent(train(digits, validation, batch_size=size, seed=seed)[0], validation)
        for seed in range(5, 10)) for size in (16, 32, 8)]
    return f"Trained anew, seeds 5 to 9: {'; '.join(told)}."


def _another_table():
    digits, validation, _ = load_sample()
    told, wins = [], 0
    for seed in range(5, 10):
        dense = trained_model(seed)
        cut = prune(dense, 0.95)
        each = cut, fine_tune(cut, digits), train_on(dense, digits)
        rates = [_per_cent(network, validation) for network in each]
        told.append(f"seed {seed}: {' / '.join(rates)}")
        wins += float(rates[1]) > float(rates[2])
    return f"{'; '.join(told)}. Fine-tuned is ahead of the control with {wins} of 5 seeds."


def _four_bits():
    model, digits = trained_model(), load_sample()[0]
    weight = model.layers[0].weight.detach()
    step = choose_qparams(weight, 4).scale.item()
    cut = _without_small(model, 0.02)
    before, after = (quantize_model(each, digits, bits=4).layers[0].weight for each in (model, cut))
    changed = before != after
    size = weight.abs().numpy()[changed]
    return (f"Step {step:.4f}. {int(changed.sum()):,} integers of the first layer change, all to "
            f"{int(np.abs(after[changed]).max())}; their weights lie from {size.min():.4f} to "
            f"{size.max():.4f}.")


def _without_small(model, limit):
    """The model with all weights below the limit in magnitude set to zero, in a copy."""
    cut = prune(model, 0)
    with torch.no_grad():
        for layer in cut.layers:
            layer.weight[layer.weight.abs() < limit] = 0
    return cut


def _control_two_bits():
    model, (digits, validation, _) = trained_model(), load_sample()
    ways = {"rounded after training": round_weights(model, 2),
            "two epochs without rounding, then rounded": round_weights(train_on(model, digits), 2),
            "two epochs with rounding": quantization_aware_train(model, digits, 2)}
    told = [f"{name} {_per_cent(each, validation)} %" for name, each in ways.items()]
    return f"2 bits, seed 7: {'; '.join(told)}."


def _which_claims():
    model, validation = trained_model(), load_sample()[1]
    share = (measure.torchao_file("", model, validation).bytes
             / measure.dense_file("", model, validation).bytes)
    return (f"Counted: the file has {share:.0%} of the bytes, and both kinds need "
            f"{measure.multiply_adds(model)[0]:,} products for one digit. 1,172 / 25 = "
            f"{1172 / 25:.0f}.")


def _who_decides():
    """Many networks, 200 random halves of the validation digits: one half chooses, one judges."""
    model, (digits, validation, _) = trained_model(), load_sample()
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
    model, validation = trained_model(), load_sample()[1]
    told = []
    for name, network in (("dense", model), ("80 % cut", prune(model, 0.8))):
        sure = torch.softmax(logits(network, validation).double(), 1).max(1).values
        told.append(f"{name}, {_per_cent(network, validation)} % are right, and "
                    f"{int((sure < 0.9).sum())} go to the human")
    return f"Of {len(validation):,} validation digits: {'; '.join(told)}."

"""`show_me(9)`: a two-second computation with the course's own network that decides question 9."""

from math import log2

import torch

from .. import measure
from ..data import flatten, load_sample, normalize
from ..packed.range_coder import write_order0
from ..pruning import magnitude_mask, prune
from ..quantization import choose_qparams, qparams_of, quantize, quantize_model
from ..statistics import mcnemar_exact
from ..training import evaluate, trained_model
from .questions import ask
from .state import Sentence

ROUNDS = 9  # enough for a median, and done in two seconds


def pruned_weights():
    """What pruning changes, and what it leaves."""
    before = trained_model()
    old, new = (torch.cat([layer.weight.detach().flatten() for layer in model.layers])
                for model in (before, prune(before, 0.3)))
    same = int((old == new).sum())
    return (f"prune(model, 0.3): of {len(old):,} weights {int((new == 0).sum()):,} are zero, "
            f"{same:,} kept the value they had, none is new. The type is still {new.dtype}.")


def one_pixel():
    """Type and range of the stored pixels."""
    digits, _ = load_sample()
    pixels = digits.images
    return (f"{pixels.numel():,} pixels of type {pixels.dtype}, from {int(pixels.min())} to "
            f"{int(pixels.max())}; and {len(digits.labels):,} labels, from "
            f"{int(digits.labels.min())} to {int(digits.labels.max())}.")


def divide_by_255():
    """What preprocessing makes of 150."""
    value = normalize(torch.tensor([[[150, 255]]], dtype=torch.uint8)).flatten()
    return f"normalize turns 150 into {value[0]:.3f} and 255 into {value[1]:.3f}."


def flatten_one():
    """Flatten a picture and bring it back."""
    images = load_sample()[0].images[:1]
    rows = flatten(images)
    back = torch.equal(rows.view(images.shape), images)
    return (f"{images.numel()} pixels become {rows.numel()} numbers; laid out in 28 rows again, "
            f"the picture is {'the same' if back else 'NOT the same'}. Row {14} of the picture "
            f"is the numbers {14 * 28} to {15 * 28 - 1} of the list: "
            f"{torch.equal(rows[0, 14 * 28:15 * 28], images[0, 14])}.")


def linear_shape():
    """The shape of a layer's weight."""
    layer = torch.nn.Linear(784, 128)
    return (f"torch.nn.Linear(784, 128).weight has the shape {tuple(layer.weight.shape)}, "
            f"its bias {tuple(layer.bias.shape)}.")


def train_and_test_accuracy():
    """Accuracy on rows trained on, and on new ones."""
    model = trained_model()
    seen, new = (evaluate(model, digits).accuracy for digits in load_sample())
    return f"This network gets {seen:.1%} of its training rows right and {new:.1%} of new digits."


def magnitude_order():
    """Rank four weights by magnitude and cut half of them."""
    weights = torch.tensor([-0.9, 0.02, 0.5, -0.01])
    ranked = ", ".join(f"{weights[place]:g}" for place in weights.abs().argsort())
    kept = ", ".join(f"{value:g}" for value in weights[magnitude_mask(weights, 0.5)])
    return f"By magnitude: {ranked}. magnitude_mask(weights, 0.5) keeps {kept}."


def count_zeros():
    """Count the zeros that a cut of 30 % leaves."""
    zeros = [int((layer.weight == 0).sum()) for layer in prune(trained_model(), 0.3).layers]
    return f"prune(model, 0.3): {' + '.join(f'{n:,}' for n in zeros)} = {sum(zeros):,} zeros."


def saved_sizes():
    """Write the dense and the pruned network to files."""
    model, test = trained_model(), load_sample()[1]
    sizes = [measure.dense_file(name, network, test).bytes for name, network in
             (("dense", model), ("pruned", prune(model, 0.3)))]
    return f"Two files, just written: dense {sizes[0]:,} bytes, 30 % zeros {sizes[1]:,} bytes."


def csr_break_even():
    """CSR files with int64 column numbers around the break-even."""
    model, test = trained_model(), load_sample()[1]
    dense = measure.dense_file("dense", model, test).bytes
    told = [f"{share:.0%} zeros: {measure.csr_file('', prune(model, share), test, 'int64').bytes:,}"
            for share in (0.5, 0.6, 0.7, 0.8)]
    return f"Bytes of files, dense: {dense:,}; CSR with int64, {'; '.join(told)}."


def dense_timing():
    """Time zeros and fewer neurons in a dense product."""
    digits, test = load_sample()
    model = trained_model()
    rows = measure.latency_rows(
        model, prune(model, 0.9), quantize_model(model, digits), test, batches=(1000,),
        rounds=ROUNDS, names=("dense float32", "zeros kept dense", "half the units"))
    told = [f"{row.name} {row.median:,.0f} microseconds" for row in rows]
    return f"1000 digits at a time, on this machine: {'; '.join(told)}."


def quantize_example():
    """Quantize 0.1234 at scale 0.01."""
    steps = quantize(torch.tensor([0.1234]), qparams_of(0.01)).item()
    return f"0.1234 / 0.01 = {0.1234 / 0.01:.2f}; quantize says {steps}."


def row_scales():
    """Quantize a row of small weights with the layer's scale and with its own."""
    weights = torch.tensor([[1.27, -0.6], [0.004, -0.003]])
    shared, own = (quantize(weights, choose_qparams(weights, per_channel=each))[1].tolist()
                   for each in (False, True))
    return f"The row 0.004, -0.003 becomes {shared} at the layer's scale and {own} at its own."


def largest_sum():
    """Add two of the largest products in 16 and in 32 bits."""
    products = torch.tensor([255 * 127, 255 * 127])
    sums = [products.to(kind).sum(dtype=kind).item() for kind in (torch.int16, torch.int32)]
    return f"32,385 + 32,385 is {sums[0]:,} in int16 and {sums[1]:,} in int32."


def int8_timing():
    """Size and time of int8 weights that are made float again for every product."""
    digits, test = load_sample()
    model = trained_model()
    share = measure.torchao_file("", model, test).bytes / measure.dense_file("", model, test).bytes
    rows = measure.latency_rows(
        model, model, quantize_model(model, digits), test, batches=(1,), rounds=ROUNDS,
        names=("dense float32", "torchao, int8 weights only"))
    told = [f"{row.name} {row.median:,.0f} microseconds" for row in rows]
    return f"torchao's file has {share:.0%} of the bytes. One digit, here: {'; '.join(told)}."


def mcnemar_12_11():
    """How often chance alone parts 23 changed answers as unevenly as 12 and 11."""
    even, uneven = mcnemar_exact(12, 11), mcnemar_exact(19, 4)
    return (f"Exact McNemar test: 12 against 11 has p = {even:.2f}, 19 against 4 would have "
            f"p = {uneven:.3f}.")


def coded_bits():
    """Write a stream in which every eighth bit is a 1 with the range coder."""
    bits = torch.zeros(80_000, dtype=torch.int8)
    bits[torch.randperm(len(bits), generator=torch.Generator().manual_seed(0))[::8]] = 1
    written = sum(len(part) for _, part in write_order0(bits.view(200, -1).numpy()))
    one, zero = -log2(1 / 8), -log2(7 / 8)
    return (f"-log2(1/8) = {one:g} bits for a 1, -log2(7/8) = {zero:.2f} for a 0: {one / 8:.3f} + "
            f"{7 * zero / 8:.3f} = {one / 8 + 7 * zero / 8:.3f} a bit. Of {len(bits):,} such bits, "
            f"the range coder of notebook 07 makes {8 * written / len(bits):.2f} a bit.")


def exact_floats():
    """Where float64 stops being exact, and how far this network can get."""
    first = quantize_model(trained_model(), load_sample()[0]).layers[0]
    most = first.bound
    reach = most * int(first.multiplier)
    return (f"As float64, 2**53 is {2.0**53:,.0f}, and 2**53 + 1 is {float(2**53 + 1):,.0f}: no "
            f"longer exact. The largest product that this network can reach is {reach:,}, "
            f"{reach / 2**53:.1%} of that.")
EVIDENCE = {each.__name__: each for each in (
    pruned_weights, one_pixel, divide_by_255, flatten_one, linear_shape, train_and_test_accuracy,
    magnitude_order, count_zeros, saved_sizes, csr_break_even, dense_timing, quantize_example,
    row_scales, largest_sum, int8_timing, mcnemar_12_11, coded_bits, exact_floats)}


def show_me(number):
    """Compute what decides question `number`, and say it in one sentence."""
    return Sentence(EVIDENCE[ask(number).show_me]())

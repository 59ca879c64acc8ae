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


def show_me(number: int) -> Sentence:
    """Compute what decides question `number`, and say it in one sentence."""
    return Sentence(_EVIDENCE[ask(number).show_me]())


def _pruned_weights():
    before = trained_model()
    old, new = (torch.cat([layer.weight.detach().flatten() for layer in model.layers])
                for model in (before, prune(before, 0.3)))
    zeros, same = int((new == 0).sum()), int((old == new).sum())
    return (f"prune(model, 0.3): of {len(old):,} weights {zeros:,} are zero, {same:,} kept the "
            f"value they had, none is new. The type is still {new.dtype}.")


def _one_pixel():
    digits, _ = load_sample()
    pixels, labels = digits.images, digits.labels
    return (f"{pixels.numel():,} pixels of type {pixels.dtype}, from {pixels.min()} to "
            f"{pixels.max()}; and {len(labels):,} labels, from {labels.min()} to {labels.max()}.")


def _divide_by_255():
    small, large = normalize(torch.tensor([[[150, 255]]], dtype=torch.uint8)).flatten()
    return f"normalize turns 150 into {small:.3f} and 255 into {large:.3f}."


def _flatten_one():
    images = load_sample()[0].images[:1]
    flat, start, end = flatten(images), 14 * 28, 15 * 28
    back = "the same" if torch.equal(flat.view(images.shape), images) else "NOT the same"
    found = torch.equal(flat[0, start:end], images[0, 14])
    return (f"{images.numel()} pixels become {flat.numel()} numbers; laid out in 28 rows again, "
            f"the picture is {back}. Row 14 of the picture is the numbers {start} to {end - 1} of "
            f"the list: {found}.")


def _linear_shape():
    layer = torch.nn.Linear(784, 128)
    return (f"torch.nn.Linear(784, 128).weight has the shape {tuple(layer.weight.shape)}, "
            f"its bias {tuple(layer.bias.shape)}.")


def _train_and_test_accuracy():
    model = trained_model()
    seen, new = (evaluate(model, digits).accuracy for digits in load_sample())
    return f"This network gets {seen:.1%} of its training digits right and {new:.1%} of new digits."


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


def _dense_timing():
    told = _times(1000, "dense float32", "zeros kept dense", "half the units")
    return f"1000 digits at a time, on this machine: {told}."


def _quantize_example():
    steps = quantize(torch.tensor([0.1234]), qparams_of(0.01)).item()
    return f"0.1234 / 0.01 = {0.1234 / 0.01:.2f}; quantize says {steps}."


def _row_scales():
    weights = torch.tensor([[1.27, -0.6], [0.004, -0.003]])
    shared, own = (quantize(weights, choose_qparams(weights, per_channel=each))[1].tolist()
                   for each in (False, True))
    return f"The row 0.004, -0.003 becomes {shared} at the layer's scale and {own} at its own."


def _largest_sum():
    products = torch.tensor([255 * 127, 255 * 127])
    short, long = (products.sum(dtype=kind).item() for kind in (torch.int16, torch.int32))
    return f"32,385 + 32,385 is {short:,} in int16 and {long:,} in int32."


def _int8_timing():
    model, test = trained_model(), load_sample()[1]
    share = measure.torchao_file("", model, test).bytes / measure.dense_file("", model, test).bytes
    told = _times(1, "dense float32", "torchao, int8 weights only")
    return f"torchao's file has {share:.0%} of the bytes. One digit, here: {told}."


def _mcnemar_12_11():
    even, uneven = mcnemar_exact(12, 11), mcnemar_exact(19, 4)
    return (f"Exact McNemar test: 12 against 11 has p = {even:.2f}, 19 against 4 would have "
            f"p = {uneven:.3f}.")


def _coded_bits():
    bits = torch.zeros(80_000, dtype=torch.int8)
    bits[torch.randperm(len(bits), generator=torch.Generator().manual_seed(0))[::8]] = 1
    written = sum(len(part) for _, part in write_order0(bits.view(200, -1).numpy()))
    one, zero = -log2(1 / 8), -log2(7 / 8)
    return (f"-log2(1/8) = {one:g} bits for a 1, -log2(7/8) = {zero:.2f} for a 0: {one / 8:.3f} + "
            f"{7 * zero / 8:.3f} = {one / 8 + 7 * zero / 8:.3f} a bit. Of {len(bits):,} such bits, "
            f"the range coder of notebook 07 makes {8 * written / len(bits):.2f} a bit.")


def _exact_floats():
    first = quantize_model(trained_model(), load_sample()[0]).layers[0]
    reach = first.bound * int(first.multiplier)
    return (f"As float64, 2**53 is {2.0**53:,.0f}, and 2**53 + 1 is {float(2**53 + 1):,.0f}: no "
            f"longer exact. The largest product that this network can reach is {reach:,}, "
            f"{reach / 2**53:.1%} of that.")


def _times(batch, *names):
    """Rows of the table of microseconds, in words."""
    train, test = load_sample()
    model = trained_model()
    rows = measure.latency_rows(model, prune(model, 0.9), quantize_model(model, train), test,
                                batches=(batch,), rounds=9, names=names)
    return "; ".join(f"{row.name} {row.median:,.0f} microseconds" for row in rows)


_EVIDENCE = {each.__name__.removeprefix("_"): each for each in (
    _pruned_weights, _one_pixel, _divide_by_255, _flatten_one, _linear_shape,
    _train_and_test_accuracy, _magnitude_order, _count_zeros, _saved_sizes, _csr_break_even,
    _dense_timing, _quantize_example, _row_scales, _largest_sum, _int8_timing, _mcnemar_12_11,
    _coded_bits, _exact_floats)}

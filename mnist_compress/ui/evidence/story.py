"""What decides the questions of 00_story."""

import torch

from ... import measure
from ...data import load_sample
from ...pruning import prune
from ...quantization import quantize_model
from ...training import trained_model


def _pruned_weights():
    before = trained_model()
    old, new = (torch.cat([layer.weight.detach().flatten() for layer in model.layers])
                for model in (before, prune(before, 0.3)))
    zeros, same = int((new == 0).sum()), int((old == new).sum())
    return (f"prune(model, 0.3): of {len(old):,} weights {zeros:,} are zero, {same:,} kept the "
            f"value they had, none is new. The type is still {new.dtype}.")


def _which_shrinks():
    model, (train, validation, _) = trained_model(), load_sample()
    pruned = prune(model, 0.3)
    files = (measure.dense_file("dense", model, validation),
             measure.dense_file("pruned", pruned, validation),
             measure.integer_file("int8", quantize_model(pruned, train), validation))
    return f"Bytes: {'; '.join(f'{row.name} {row.bytes:,}' for row in files)}."


def _two_products():
    model = trained_model()
    floats, zeros = (measure.multiply_adds(each)[0] for each in (model, prune(model, 0.3)))
    integers = sum(layer.weight.size for layer in quantize_model(model, load_sample()[0]).layers)
    return (f"Products for one digit: {floats:,} in float32, {integers:,} in int8, {zeros:,} with "
            "30 % zeros. Time differs only where a product takes another time.")

"""What decides the questions of 04_quantization."""

import copy

import numpy as np
import torch

from ... import measure
from ...data import load_sample
from ...pruning import prune
from ...quantization import (
    choose_qparams,
    qparams_of,
    quantization_aware_train,
    quantize,
    quantize_model,
    round_weights,
    torchao_quantize,
)
from ...training import evaluate, train_on, trained_model
from . import one_unit


def _quantize_example():
    steps = quantize(torch.tensor([0.1234]), qparams_of(0.01)).item()
    return f"0.1234 / 0.01 = {0.1234 / 0.01:.2f}; quantize says {steps}."


def _row_scales():
    weights = torch.tensor([[1.27, -0.6], [0.004, -0.003]])
    shared, own = (quantize(weights, choose_qparams(weights, per_channel=each))[1].tolist()
                   for each in (False, True))
    return f"The unit 0.004, -0.003 becomes {shared} at the layer's scale and {own} at its own."


def _int8_share(model, digits):
    return (measure.torchao_file("", model, digits).bytes
            / measure.dense_file("", model, digits).bytes)


def _half_floats():
    model, digits = trained_model(), load_sample()[1]
    half = copy.deepcopy(model).half()
    whole, less = (measure.dense_file("", each, digits).bytes for each in (model, half))
    changed = len(measure.changed_answers(model, half, digits).places)
    return (f"{whole:,} bytes become {less:,}, {less / whole:.0%}; {changed} of {len(digits):,} "
            f"answers {'changes' if changed == 1 else 'change'}.")


def _zero_point():
    qparams = choose_qparams(torch.tensor([-0.5, 2.05]), scheme="affine")
    return f"choose_qparams: scale {qparams.scale:.4f}, zero point {qparams.zero_point}."


def _calibration():
    model, train = trained_model(), load_sample()[0]
    few = train[train.labels == 1]  # thin digits: their hidden values are smaller
    scales = [255 * quantize_model(model, digits).activation_scales[1] for digits in (train, few)]
    return (f"Calibrated on all training digits, 255 stands for {scales[0]:.2f}; on the 1s alone, "
            f"for {scales[1]:.2f}. The weights are the same.")


def _integer_unit():
    total, output = one_unit([0, 200, 255], [5, 3, -2], bias=40, multiplier=5, shift=4)
    return f"The package's layer: accumulator {total}, handed on {output}."


def _kinds():
    dynamic = torchao_quantize(trained_model(), "dynamic")
    name = type(dynamic.layers[0].weight).__name__
    right = evaluate(dynamic, load_sample()[1]).accuracy
    return (f"torchao's dynamic kind saw no digit before: its weights are {name}, and "
            f"{right:.1%} of 1,000 new digits are right.")


def _few_bits():
    model, train = trained_model(), load_sample()[0]
    plain, cut = (quantize_model(each, train, bits=3).layers for each in (model, prune(model, 0.5)))
    same = all(np.array_equal(one.weight, other.weight)
               for one, other in zip(plain, cut, strict=True))
    return (f"3 bits alone make {(plain[0].weight == 0).mean():.0%} of the first layer's weights "
            f"0. With half of all weights pruned first: the same integers: {same}.")


def _qat_control():
    model, (train, digits, _) = trained_model(), load_sample()
    ways = {"rounded after training": round_weights(model),
            "two epochs more, then rounded": round_weights(train_on(model, train)),
            "two epochs with rounding": quantization_aware_train(model, train)}
    told = (f"{name} {evaluate(each, digits).accuracy:.1%}" for name, each in ways.items())
    return f"8 bits, seed 7: {'; '.join(told)}."


def _int8_when():
    model, digits = trained_model(), load_sample()[1]
    rounded = measure.dense_file("", round_weights(model, 8), digits).bytes
    share = rounded / measure.dense_file("", model, digits).bytes
    return (f"Rounded weights kept as float32: {share:.0%} of the bytes, and the same products. As "
            f"int8: {_int8_share(model, digits):.0%}.")


def _weights_only():
    model = trained_model()
    share = _int8_share(model, load_sample()[1])
    weight = torchao_quantize(model).layers[0].weight
    return (f"torchao's file has {share:.0%} of the bytes. Its weights are kept as "
            f"{weight.qdata.dtype} and multiplied as {weight.dequantize().dtype}.")

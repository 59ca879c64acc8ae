"""What decides questions about quantization and the integers of a prediction."""

import copy

import numpy as np
import torch

from ... import measure
from ...integer import IntegerLayer
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
from ...trace import run_pipeline
from ...training import train_on
from . import course, per_cent


def _steps(value, scale):
    steps = quantize(torch.tensor([value]), qparams_of(scale)).item()
    wrapped = torch.tensor(round(value / scale)).to(torch.int8)
    return f"{value} / {scale} = {value / scale:.2f}; quantize says {steps}. Cast alone: {wrapped}."


def _row_scales():
    weights = torch.tensor([[1.27, -0.6], [0.004, -0.003]])
    shared, own = (quantize(weights, choose_qparams(weights, per_channel=each))[1].tolist()
                   for each in (False, True))
    return f"The unit 0.004, -0.003 becomes {shared} at the layer's scale and {own} at its own."


def _zero_point():
    qparams = choose_qparams(torch.tensor([-0.5, 2.05]), scheme="affine")
    return f"choose_qparams: scale {qparams.scale:.4f}, zero point {qparams.zero_point}."


def _calibration():
    model, train, _ = course()
    few = train[train.labels == 1]  # thin digits: their hidden values are smaller
    scales = [255 * quantize_model(model, digits).activation_scales[1] for digits in (train, few)]
    return (f"Calibrated on all training digits, 255 stands for {scales[0]:.2f}; on the 1s alone, "
            f"for {scales[1]:.2f}. The weights are the same.")


def _layer(weights, bias, factor):
    """The package's own layer of one unit: its bias, and what it multiplies by at last."""
    numbers = {"bias": [bias], "multiplier": round(factor * 2**24), "shift": 24}
    arrays = {name: np.array(value, np.int32) for name, value in numbers.items()}
    return IntegerLayer(np.array([weights], np.int8), scale=np.float32(1), **arrays)


def _unit(pixels, weights, bias, factor):
    layer = _layer(weights, bias, factor)
    total = layer.accumulate(np.array([pixels], np.uint8))
    return (f"The package's layer, of pixels {str(pixels)[1:-1]} and weights {str(weights)[1:-1]}: "
            f"accumulator {total.item():,}, handed on {layer.rescale(total).item()}.")


def _fixed_range():
    layer = _layer([0], 0, 0.5)
    told = [f"{total} becomes {layer.rescale(np.array([[total]], np.int32)).item()}"
            for total in (400, 510, 900)]
    return f"A layer whose calibration ended at 510: {', '.join(told)}."


def _output_steps():
    model, train, _ = course()
    scale = quantize_model(prune(model, 0.3), train).activation_scales[1]
    return (f"The output scale of this network's hidden layer is {scale:.4f}: 81 steps are "
            f"{81 * scale:.2f}, 80 would be {80 * scale:.2f} and 82 {82 * scale:.2f}.")


def _largest_sum():
    products = torch.tensor([255 * 127, 255 * 127])
    short, long = (products.sum(dtype=kind).item() for kind in (torch.int16, torch.int32))
    return f"32,385 + 32,385 is {short:,} in int16 and {long:,} in int32."


def _many_products():
    most = (2**31 - 1) // (255 * 127)
    fits, over = (np.full(count, 255 * 127, np.int32).sum(dtype=np.int32)
                  for count in (most, most + 1))
    return f"{most:,} products of 32,385 add up to {fits:,} in int32, one more to {over:,}."


def _bytes_of_data():
    told = [f"{stage.name}: {' x '.join(map(str, stage.after[0]))} {stage.dtype}, "
            f"{stage.bytes:,} bytes" for stage in run_pipeline(epochs=1).stages[:3]]
    return f"{'; '.join(told)}."


def _bytes_of_network():
    told = [f"{stage.name}: {stage.bytes:,} bytes" for stage in run_pipeline(epochs=1).stages[3:]]
    return f"Files written after {'; '.join(told)}."


def _files(share):
    model, train, validation = course()
    cut, told = prune(model, share), []
    for name, network in (("dense", model), (f"{share:.0%} zeros", cut)):
        integers = measure.integer_file("", quantize_model(network, train), validation)
        told.append(f"{name} {measure.dense_file('', network, validation).bytes:,}, in int8 "
                    f"{integers.bytes:,}")
    return f"Bytes: {'; '.join(told)}."


def _half_floats():
    model, _, digits = course()
    half = copy.deepcopy(model).half()
    whole, less = (measure.dense_file("", each, digits).bytes for each in (model, half))
    changed = len(measure.changed_answers(model, half, digits).places)
    return (f"{whole:,} bytes become {less:,}, {less / whole:.0%}; {changed} of {len(digits):,} "
            f"answers {'changes' if changed == 1 else 'change'}.")


def _int8_share(model, digits):
    share = measure.torchao_file("", model, digits).bytes
    return f"{share / measure.dense_file('', model, digits).bytes:.0%}"


def _weights_only():
    model, _, digits = course()
    weight = torchao_quantize(model).layers[0].weight
    return (f"torchao's file has {_int8_share(model, digits)} of the bytes. Its weights are kept "
            f"as {weight.qdata.dtype} and multiplied as {weight.dequantize().dtype}.")


def _int8_when():
    model, _, digits = course()
    rounded, dense = (measure.dense_file("", each, digits).bytes
                      for each in (round_weights(model, 8), model))
    return (f"Rounded weights kept as float32: {rounded / dense:.0%} of the bytes, and the same "
            f"products. As int8: {_int8_share(model, digits)}.")


def _which_claims():
    model, _, digits = course()
    return (f"Counted: the file has {_int8_share(model, digits)} of the bytes, and both kinds need "
            f"{measure.multiply_adds(model)[0]:,} products for one digit. 1,172 / 25 = "
            f"{1172 / 25:.0f}.")


def _two_products():
    model, train, _ = course()
    floats, zeros = (measure.multiply_adds(each)[0] for each in (model, prune(model, 0.3)))
    integers = sum(layer.weight.size for layer in quantize_model(model, train).layers)
    return (f"Products for one digit: {floats:,} in float32, {integers:,} in int8, {zeros:,} with "
            "30 % zeros. Time differs only where a product takes another time.")


def _kinds():
    model, _, digits = course()
    dynamic = torchao_quantize(model, "dynamic")
    return ("torchao's dynamic kind saw no digit before: its weights are "
            f"{type(dynamic.layers[0].weight).__name__}, and {per_cent(dynamic, digits)} % of "
            "1,000 new digits are right.")


def _few_bits():
    model, train, _ = course()
    plain, cut = (quantize_model(each, train, bits=3).layers for each in (model, prune(model, 0.5)))
    same = all(np.array_equal(one.weight, other.weight)
               for one, other in zip(plain, cut, strict=True))
    return (f"3 bits alone make {(plain[0].weight == 0).mean():.0%} of the first layer's weights "
            f"0. With half of all weights pruned first: the same integers: {same}.")


def _four_bits():
    model, digits, _ = course()
    size, cut = model.layers[0].weight.detach().abs().numpy(), copy.deepcopy(model)
    with torch.no_grad():
        for layer in cut.layers:
            layer.weight[layer.weight.abs() < 0.02] = 0
    before, after = (quantize_model(each, digits, bits=4).layers[0] for each in (model, cut))
    changed = before.weight != after.weight
    return (f"Step {before.scale:.4f}. {changed.sum():,} integers of the first layer change, all "
            f"to {np.abs(after.weight[changed]).max()}; their weights lie from "
            f"{size[changed].min():.4f} to {size[changed].max():.4f}.")


def _control(bits):
    model, digits, validation = course()
    ways = {"rounded after training": round_weights(model, bits),
            "two epochs without rounding, then rounded":
                round_weights(train_on(model, digits), bits),
            "two epochs with rounding": quantization_aware_train(model, digits, bits)}
    told = [f"{name} {per_cent(each, validation)} %" for name, each in ways.items()]
    return f"{bits} bits, seed 7: {'; '.join(told)}."

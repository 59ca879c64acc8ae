"""From float32 to small integers, by hand: scale, zero point, round, clamp; then a whole network.

A real value w becomes q = clamp(round(w / scale) + zero_point, low, high), and q stands for
(q - zero_point) * scale. The integer network follows Jacob et al. (2018): products of 8-bit
numbers, sums in int32, and one integer multiplication with a shift between the layers.
"""

import contextlib
import copy
import logging
import warnings
from dataclasses import dataclass

import torch

from .data import as_number, check_tensor, flatten
from .integer import MAX_INPUTS, IntegerClassifier, IntegerLayer, _activation_scales, fixed_point
from .model import DigitClassifier
from .training import check_fits

SCHEMES = ("symmetric", "affine")


@dataclass(frozen=True)
class QParams:
    """How real values become integers low..high: scale and zero_point, tensors that broadcast.

    scale: float32, () for a whole tensor or (out, 1) for each row. zero_point: int32, same shape.
    """

    scale: torch.Tensor
    zero_point: torch.Tensor
    low: int
    high: int


def integer_range(bits, scheme="symmetric"):
    """(low, high): symmetric -127..127 for 8 bits, affine -128..127. ValueError outside 2..8."""
    if type(bits) is not int or not 2 <= bits <= 8:
        raise ValueError(f"bits must be a whole number from 2 to 8; got {bits!r}")
    if scheme not in SCHEMES:
        raise ValueError(f"scheme must be one of {', '.join(SCHEMES)}; got {scheme!r}")
    high = 2 ** (bits - 1) - 1
    return (-high, high) if scheme == "symmetric" else (-high - 1, high)


def choose_qparams(values, bits=8, scheme="symmetric", per_channel=False):
    """Float tensor -> `QParams` that cover its values.

    symmetric: scale = max|w| / high and zero point 0. affine: the range from min to max, widened
    to hold 0, is spread over all integers. per_channel: one scale for each row of (out, in). All
    zeros give scale 1. ValueError for NaN, infinite or no values.
    """
    low, high = integer_range(bits, scheme)
    exact = _finite(values).to(torch.float64)
    if per_channel and exact.ndim != 2:
        raise ValueError(f"per_channel needs weights (out, in); got {tuple(exact.shape)}")
    least, most = (exact.amin(1, keepdim=True), exact.amax(1, keepdim=True)) if per_channel \
        else (exact.min(), exact.max())
    least, most = least.clamp(max=0), most.clamp(min=0)
    if scheme == "symmetric":
        scale = torch.maximum(-least, most) / high
    else:
        scale = (most - least) / (high - low)
    smallest = torch.finfo(torch.float32).tiny  # below it float32 loses digits
    scale = torch.where(scale > 0, scale.clamp(min=smallest), 1.0).to(torch.float32)
    zero = torch.zeros_like(scale, dtype=torch.int32)
    if scheme == "affine":
        zero = (low - (least / scale).round()).clamp(low, high).to(torch.int32)
    return QParams(scale, zero, low, high)


def qparams_of(scale, zero_point=0, bits=8, scheme="symmetric"):
    """`QParams` from numbers of your own, such as scale 0.01.

    ValueError unless the scale is above 0 and the zero point one of the integers; in the symmetric
    scheme it is 0, as in `choose_qparams`.
    """
    (low, high), single = integer_range(bits, scheme), torch.finfo(torch.float32)
    if not single.tiny <= as_number(scale) <= single.max:
        raise ValueError(f"scale must be above 0 and finite, in float32; got {scale!r}")
    zero = as_number(zero_point)
    if not low <= zero <= high or zero != int(zero):
        raise ValueError(f"zero_point must be a whole number {low}..{high}; got {zero_point!r}")
    if scheme == "symmetric" and zero:
        raise ValueError(f"zero_point must be 0, unless the scheme is affine; got {zero_point!r}")
    return QParams(torch.tensor(float(as_number(scale)), dtype=torch.float32),
                   torch.tensor(int(zero), dtype=torch.int32), low, high)


def quantize(values, qparams):
    """Float tensor -> int8 of the same shape: divide, round half to even, add, clamp."""
    steps = (_finite(values).to(torch.float64) / qparams.scale).round() + qparams.zero_point
    return steps.clamp(qparams.low, qparams.high).to(torch.int8)


def dequantize(integers, qparams):
    """int8 -> the float32 values that the integers stand for; beyond its range, the largest.

    TypeError for what is no tensor of integers.
    """
    check_tensor("integers", integers)
    kind = integers.dtype
    if kind.is_floating_point or kind.is_complex or kind == torch.bool:
        raise TypeError(f"integers must have a dtype such as torch.int8; got {kind}")
    steps = (integers.to(torch.int32) - qparams.zero_point).to(torch.float32)
    return torch.nan_to_num(steps * qparams.scale)


def _finite(values):
    values = torch.as_tensor(values)
    if not values.is_floating_point() or values.numel() == 0:
        raise ValueError("values must be float numbers, at least one; got "
                         f"{tuple(values.shape)} of {values.dtype}")
    finite = torch.isfinite(values.to(torch.float32))
    if not finite.all():
        raise ValueError(f"values must be finite float32 numbers; got {values[~finite][0].item()}")
    return values.detach()


def round_weights(model, bits=8, scheme="symmetric", per_channel=False):
    """A float copy of the model whose weights went to integers and back: the rounding alone."""
    rounded = copy.deepcopy(model)
    with torch.no_grad():
        for layer in rounded.layers:
            qparams = choose_qparams(layer.weight, bits, scheme, per_channel)
            layer.weight.copy_(dequantize(quantize(layer.weight, qparams), qparams))
    return rounded


def quantize_model(model: DigitClassifier, digits, *, bits=8, per_channel=False):
    """DigitClassifier -> IntegerClassifier, calibrated on `digits` (the training rows).

    Weights are symmetric, with one scale a layer, or one a row with per_channel (the last layer
    keeps one). A hidden layer's 255 is the largest value that the digits reach in exact integers.
    ValueError for a layer too wide for exact arithmetic, weights that are not finite, no digits, or
    a model that does not fit them.
    """
    if not len(digits):
        raise ValueError("need at least one digit to calibrate on; got 0")
    check_fits(model, digits)
    layers, inputs = [], flatten(digits.images)
    for index, linear in enumerate(model.layers):
        scale_in = _activation_scales(layers)[-1]
        if linear.in_features > MAX_INPUTS:
            raise ValueError(f"a layer has at most {MAX_INPUTS} inputs; got {linear.in_features}")
        last = index == len(model.layers) - 1
        qparams = choose_qparams(linear.weight, bits, per_channel=per_channel and not last)
        scale = qparams.scale.squeeze(-1) if qparams.scale.ndim else qparams.scale
        layer = IntegerLayer(quantize(linear.weight, qparams),
                             _integer_bias(linear.bias, scale * scale_in), scale)
        if not last:
            layer = _calibrated(layer, inputs, scale_in)
            inputs = layer.rescale(layer.sums(inputs))
        layers.append(layer)
    return IntegerClassifier(layers)


def _integer_bias(bias, scale):
    """Float (out,) -> int32 at the scale of the sums; below 2**28, half of their range."""
    whole = (_finite(bias).double() / scale.double()).round()
    if (whole.abs() >= 2**28).any():
        raise ValueError(f"a bias is too large beside its weights; got {bias.abs().max().item()}")
    return whole.to(torch.int32)


def _calibrated(layer, inputs, scale_in):
    """The layer with multiplier and shift such that its largest output becomes 255."""
    unit = layer.scale.double() * scale_in
    largest = max((layer.sums(inputs) * unit).max().item(), unit.max().item())
    pairs = [fixed_point(255 * value / largest) for value in unit.flatten().tolist()]
    multiplier, shift = (torch.tensor(part).view(layer.scale.shape)
                         for part in zip(*pairs, strict=True))
    return IntegerLayer(layer.weight, layer.bias, layer.scale, multiplier, shift)


def torchao_quantize(model, how="weight_only"):
    """A copy of the model with torchao's int8 weights: the library's way.

    how "weight_only": int8 weights, float arithmetic (Int8WeightOnlyConfig). "dynamic": real int8
    products, inputs quantized row by row as they come (Int8DynamicActivationInt8WeightConfig).
    """
    if how not in ("weight_only", "dynamic"):
        raise ValueError(f"how must be weight_only or dynamic; got {how!r}")
    with quiet():
        from torchao.quantization import (
            Int8DynamicActivationInt8WeightConfig,
            Int8WeightOnlyConfig,
            quantize_,
        )

        config = Int8WeightOnlyConfig if how == "weight_only" \
            else Int8DynamicActivationInt8WeightConfig
        quantized = copy.deepcopy(model)
        quantize_(quantized, config())
    return quantized


@contextlib.contextmanager
def quiet():
    """No logged or Python warning: libraries report things that no learner can act on, such as a
    pytree or missing kernels."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logging.disable(before)

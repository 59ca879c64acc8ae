"""From float32 to small integers, by hand: scale, zero point, round, clamp; then a whole network.

A real value w becomes q = clamp(round(w / scale) + zero_point, low, high), and q stands for
(q - zero_point) * scale. The integer network follows Jacob et al. (2018): products of 8-bit
numbers, accumulators in int32, one integer multiplication with a shift between two layers.
"""

import contextlib
import copy
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from .arguments import finite, one_of, real, whole
from .data import SIDE, Digits
from .integer import PIXEL_SCALE, IntegerLayer, IntegerNetwork, as_fraction
from .model import DigitClassifier, weight_layers
from .training import Pair, train_on

SCHEMES = ("symmetric", "affine")
_MOST_SHIFT = 46  # accumulators below 2**29 times 24 bits then stay below 2**53


@dataclass(frozen=True)
class _QParams:
    """How real values become integers low..high: scale and zero_point, tensors that broadcast.

    scale: float32, () for a whole tensor or (out, 1, ...) per channel. zero_point: int32, same
    shape.
    """

    scale: Tensor
    zero_point: Tensor
    low: int
    high: int


def _integer_range(bits: int, scheme: str = "symmetric") -> tuple[int, int]:
    """(low, high): symmetric -127..127 for 8 bits, affine -128..127. ValueError outside 2..8."""
    one_of("scheme", scheme, SCHEMES)
    high = 2 ** (whole("bits", bits, 2, 8) - 1) - 1
    return (-high, high) if scheme == "symmetric" else (-high - 1, high)


def choose_qparams(values: Tensor, bits: int = 8, scheme: str = "symmetric",
                   per_channel: bool = False) -> _QParams:
    """Float tensor -> scale and zero point that cover its values.

    symmetric: scale = max|w| / high and zero point 0. affine: the range from min to max, widened
    to hold 0, is spread over all integers. per_channel: one scale for each of the first dimension
    of a weight (out, in, ...). All zeros give scale 1, a channel of zeros the largest scale of the
    others. ValueError for NaN, infinite or no values.
    """
    low, high = _integer_range(bits, scheme)
    exact = finite("values", values).to(torch.float64)
    axes = tuple(range(1, exact.ndim)) if per_channel else ()  # of one unit; (): all
    least = exact.amin(axes, keepdim=per_channel).clamp(max=0)
    most = exact.amax(axes, keepdim=per_channel).clamp(min=0)
    if scheme == "symmetric":
        scale = torch.maximum(-least, most) / high
    else:
        scale = (most - least) / (high - low)
    smallest = torch.finfo(torch.float32).tiny  # below it float32 loses digits
    spare = scale.max().clamp(min=smallest) if scale.any() else torch.ones(())
    scale = torch.where(scale > 0, scale.clamp(min=smallest), spare).to(torch.float32)
    zero = torch.zeros_like(scale, dtype=torch.int32)
    if scheme == "affine":
        zero = (low - (least / scale).round()).clamp(low, high).to(torch.int32)
    return _QParams(scale, zero, low, high)


def qparams_of(scale: float, zero_point: int = 0, bits: int = 8,
               scheme: str = "symmetric") -> _QParams:
    """Scale and zero point of your own, such as 0.01 and 0, as `choose_qparams` gives them.

    ValueError unless the scale is above 0 and the zero point one of the integers; in the symmetric
    scheme it is 0.
    """
    (low, high), single = _integer_range(bits, scheme), torch.finfo(torch.float32)
    ends = (0, 0) if scheme == "symmetric" else (low, high)
    scale = real("scale", scale, single.tiny, single.max)
    zero_point = whole("zero_point", zero_point, *ends)
    return _QParams(torch.tensor(scale, dtype=torch.float32),
                    torch.tensor(zero_point, dtype=torch.int32), low, high)


def quantize(values: Tensor, qparams: _QParams) -> Tensor:
    """Float tensor -> int8 of the same shape: divide, round half to even, add, clamp."""
    exact = finite("values", values).to(torch.float64)
    steps = (exact / qparams.scale).round() + qparams.zero_point
    return steps.clamp(qparams.low, qparams.high).to(torch.int8)


def dequantize(integers: Tensor, qparams: _QParams) -> Tensor:
    """int8 -> the float32 values that the integers stand for; beyond its range, the largest."""
    steps = (torch.as_tensor(integers).to(torch.int32) - qparams.zero_point).to(torch.float32)
    return torch.nan_to_num(steps * qparams.scale)


def round_weights(model: nn.Module, bits: int = 8, scheme: str = "symmetric",
                  per_channel: bool = False) -> nn.Module:
    """A copy of any network whose weights went to integers and back: the rounding alone."""
    weight_layers(model)  # refuses weights that no copy could hold
    rounded = copy.deepcopy(model)
    with torch.no_grad():
        for _, layer in weight_layers(rounded):
            qparams = choose_qparams(layer.weight, bits, scheme, per_channel)
            layer.weight.copy_(dequantize(quantize(layer.weight, qparams), qparams))
    return rounded


class StraightThrough(nn.Module):
    """Rounds a weight on its way into a layer; its gradient passes as if it had not (Bengio,
    Leonard & Courville 2013)."""

    def __init__(self, *settings: Any):
        super().__init__()
        self.settings = settings

    def forward(self, weight: Tensor) -> Tensor:
        qparams = choose_qparams(weight, *self.settings)
        rounded = dequantize(quantize(weight, qparams), qparams).to(weight.dtype)
        return weight + (rounded - weight).detach()


def quantization_aware_train(model: nn.Module, digits: Pair, bits: int = 8,
                             scheme: str = "symmetric", per_channel: bool = False,
                             **settings: Any) -> Any:
    """A copy of any network, trained on with its weights rounded in every step, then rounded.

    settings: as in `train_on`, which with `round_weights` after it is the control: the same epochs
    without rounding. Weights only; hidden values stay floats.
    """
    prepared = copy.deepcopy(model)
    for _, layer in weight_layers(prepared):
        rounding = StraightThrough(bits, scheme, per_channel)
        parametrize.register_parametrization(layer, "weight", rounding)
    trained = train_on(prepared, digits, **settings)
    for name, _ in weight_layers(model):
        parametrize.remove_parametrizations(trained.get_submodule(name), "weight")
    return round_weights(trained, bits, scheme, per_channel)


def quantize_model(model: DigitClassifier, digits: Digits, *, bits: int = 8,
                   per_channel: bool = False) -> IntegerNetwork:
    """DigitClassifier -> IntegerNetwork, its hidden ranges calibrated on the training `digits`.

    Weights are symmetric, with one scale a layer, or one a unit with per_channel (the last layer
    keeps one). A hidden layer's 255 is the largest value that the digits reach in exact integers.
    ValueError for another kind of network, weights that are not finite, a bias too large beside its
    weights, no digits, or a model that does not read them.
    """
    if not isinstance(model, DigitClassifier) or model.widths[0] != SIDE**2:
        raise ValueError(f"quantize_model needs a DigitClassifier of {SIDE**2} inputs; got {model}")
    whole("number of digits to calibrate on", len(digits), 1)
    layers: list[IntegerLayer] = []
    inputs, scale_in = digits.images.flatten(1).numpy(), PIXEL_SCALE
    for linear in model.layers:
        last = linear is model.layers[-1]
        qparams = choose_qparams(linear.weight, bits, per_channel=per_channel and not last)
        scale = qparams.scale.numpy().squeeze(-1) if qparams.scale.ndim else qparams.scale.numpy()
        unit = scale.astype(np.float64) * scale_in
        bias = np.rint(finite("biases", linear.bias).double().numpy() / unit)
        if np.abs(bias).max() >= 2**28:
            raise ValueError("a bias is too large beside its weights; got "
                             f"{linear.bias.abs().max().item()}")
        layer = IntegerLayer(quantize(linear.weight, qparams).numpy(), bias.astype(np.int32), scale)
        if not last:
            accumulators = layer.accumulate(inputs)
            largest = max((accumulators * unit).max(), unit.max())
            pairs = [as_fraction(255 * each / largest, most=_MOST_SHIFT) for each in unit.flat]
            layer.multiplier, layer.shift = (np.array(part, np.int32).reshape(scale.shape)
                                             for part in zip(*pairs, strict=True))
            inputs, scale_in = layer.rescale(accumulators), layer.output_scale(scale_in)
        layers.append(layer)
    return IntegerNetwork(layers)


def torchao_quantize(model: nn.Module, how: str = "weight_only") -> nn.Module:
    """A copy of the model with torchao's int8 weights: the library's way.

    how "weight_only": int8 weights, float arithmetic (Int8WeightOnlyConfig). "dynamic": real int8
    products, inputs quantized row by row as they come (Int8DynamicActivationInt8WeightConfig).
    """
    one_of("how", how, ("weight_only", "dynamic"))
    with quiet():
        from torchao import quantization as torchao

        config = (torchao.Int8WeightOnlyConfig if how == "weight_only"
                  else torchao.Int8DynamicActivationInt8WeightConfig)
        quantized = copy.deepcopy(model)
        torchao.quantize_(quantized, config())
    return quantized


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No logged or Python warning: libraries report things that no learner can act on, such as a
    pytree or missing kernels."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logging.disable(before)

"""The six stages, one digit's way through several networks, one unit's arithmetic: plain data."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .arguments import whole
from .data import Digits, flatten, load_sample, normalize
from .integer import IntegerNetwork
from .measure import dense_file, integer_file
from .model import DigitClassifier
from .pruning import prune
from .quantization import quantize_model
from .stages import STAGES
from .training import COURSE_SEED, History, evaluate, logits, train


class Stage(NamedTuple):
    """Shapes of the data or the weights before and after a stage, and what they then are: bytes of
    the data, later of a file really written; accuracy on the validation digits, 0..1."""

    name: str
    before: tuple[tuple[int, ...], ...]
    after: tuple[tuple[int, ...], ...]
    dtype: str
    bytes: int
    nonzero_weights: int | None = None
    accuracy: float | None = None


class Pipeline(NamedTuple):
    """Everything that one run of the six stages made."""

    train: Digits
    validation: Digits
    test: Digits
    model: DigitClassifier
    history: History
    pruned: DigitClassifier
    quantized: IntegerNetwork
    stages: tuple[Stage, ...]

    @property
    def models(self) -> dict[str, Any]:
        """The three networks by name."""
        return {"float": self.model, "pruned": self.pruned, "int8": self.quantized}


def run_pipeline(sparsity: float = 0.3, *, epochs: int = 5, seed: int = COURSE_SEED,
                 progress: Callable | None = None) -> Pipeline:
    """Run all six stages on the sample: the digits, the networks and a line for each stage."""
    digits, validation, test = load_sample()
    model, history = train(digits, validation, epochs=epochs, seed=seed, progress=progress)
    pruned = prune(model, sparsity)
    quantized = quantize_model(pruned, digits)
    picture, flat = (digits.images.shape,), (digits.inputs.shape,)
    weights = tuple(layer.weight.shape for layer in model.layers)
    stages = (
        Stage(STAGES[0], picture, picture, "uint8", digits.images.nbytes),
        Stage(STAGES[1], picture, picture, "float32", normalize(digits.images).nbytes),
        Stage(STAGES[2], picture, flat, "float32", digits.inputs.nbytes),
        Stage(STAGES[3], flat, weights, "float32", *_figures(dense_file, model, validation)),
        Stage(STAGES[4], weights, weights, "float32", *_figures(dense_file, pruned, validation)),
        Stage(STAGES[5], weights, weights, "int8", *_figures(integer_file, quantized, validation)))
    return Pipeline(digits, validation, test, model, history, pruned, quantized, stages)


def _figures(write: Callable, model: Any, digits: Digits) -> tuple[int, int, float]:
    """Bytes of the network's file, weights that are not zero, accuracy."""
    nonzero = sum(int((layer.weight != 0).sum()) for layer in model.layers)
    return write("", model, digits).bytes, nonzero, evaluate(model, digits).accuracy


class TraceLayer(NamedTuple):
    """One of five layers: its shape and the values there of each model that has some."""

    name: str
    shape: tuple[int, ...]
    values: dict[str, Tensor]


class PredictionTrace(NamedTuple):
    """One digit on its way through the models, usually three: its label, layers, answers by name,
    and positions of the hidden units that are shown."""

    label: int
    layers: tuple[TraceLayer, ...]
    predictions: dict[str, int]
    units: tuple[int, ...]


def trace_prediction(models: Mapping[str, Any], digit: Digits, shown: int = 4) -> PredictionTrace:
    """One digit (`Digits` of one) through {"float", "pruned", "int8"}: five layers, answers.

    Layers: the pixels that move the strongest hidden unit most; the values of the hidden units with
    the largest float output; how many weights feed each of them; their integers 0..255; the
    probabilities. `shown`: how many pixels and units stand for all. "pruned" may be missing, and
    there may be more: float models like "float", and networks of integers, which have other units,
    so that only their probabilities are shown. All have a hidden layer. ValueError for other names.
    """
    if not {"float", "int8"} <= set(models):
        raise ValueError(f"models must have the names 'float' and 'int8'; got {list(models)}")
    whole("number of digits to trace", len(digit), 1, 1)
    pixels, inputs = flatten(digit.images), digit.inputs
    integers = torch.from_numpy(models["int8"].activations(pixels.numpy())[0][0])
    alike = {name: model for name, model in models.items()
             if name == "int8" or not isinstance(model, IntegerNetwork)}
    with torch.no_grad():
        hidden = {name: model.activations(inputs)[0][0] if name != "int8"
                  else integers * model.activation_scales[1] for name, model in alike.items()}
    weights = {name: torch.as_tensor(model.layers[0].weight) for name, model in alike.items()}
    units = hidden["float"].argsort(descending=True, stable=True)[:shown]
    pushed = inputs[0] * weights["float"][units[0]].detach()
    places = pushed.abs().argsort(descending=True, stable=True)[:shown].sort().values
    outputs = {name: torch.softmax(logits(model, digit)[0], 0) for name, model in models.items()}
    wide = (1, len(integers))
    layers = (
        TraceLayer("input", pixels.shape, {
            name: (pixels if name == "int8" else inputs)[0][places] for name in alike}),
        TraceLayer("hidden (dense)", wide, {name: hidden[name][units] for name in alike}),
        TraceLayer("pruning applied", wide, {
            name: each[units].count_nonzero(1) for name, each in weights.items()}),
        TraceLayer("quantization applied", wide, {"int8": integers[units]}),
        TraceLayer("output (softmax)", (1, len(outputs["float"])), outputs))
    predictions = {name: int(values.argmax()) for name, values in outputs.items()}
    return PredictionTrace(int(digit.labels[0]), layers, predictions, tuple(units.tolist()))


def trace_unit(integer: IntegerNetwork, model: DigitClassifier, digit: Digits, unit: int,
               shown: int = 5) -> SimpleNamespace:
    """One hidden unit of the first layer at one digit, so that a pocket calculator can follow.

    model: the float network that `integer` was made from. terms: (place, pixel, weight, product) of
    the largest products that are not 0; the others are only counted and summed: others, others_sum.
    Then bias, accumulator, multiplier, shift, output; scale: what 1 means there; float_value: what
    the float network has, after ReLU.
    """
    whole("number of digits to trace", len(digit), 1, 1)
    layer, pixels = integer.layers[0], digit.images.flatten(1).numpy()
    unit = whole("unit", unit, 0, len(layer.weight) - 1)
    products = pixels[0] * layer.weight[unit].astype(np.int32)
    order = (-np.abs(products)).argsort(stable=True)
    rest, accumulators = products[order[shown:]], layer.accumulate(pixels)
    multiplier, shift = (int(np.broadcast_to(part, len(layer.weight))[unit])
                         for part in (layer.multiplier, layer.shift))
    with torch.no_grad():
        value = model.activations(digit.inputs)[0][0, unit].item()
    return SimpleNamespace(
        unit=unit, bias=int(layer.bias[unit]), accumulator=int(accumulators[0, unit]),
        terms=[(place, int(pixels[0, place]), int(layer.weight[unit, place]), int(products[place]))
               for place in order[:shown].tolist() if products[place]],
        others=int(np.count_nonzero(rest)), others_sum=int(rest.sum()), multiplier=multiplier,
        shift=shift, output=int(layer.rescale(accumulators)[0, unit]),
        scale=integer.activation_scales[1], float_value=value)

"""The six stages, one digit's way through three networks, one unit's arithmetic: plain data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True)
class _Stage:
    """One stage: shapes of its data or weights before and after, and what they then are.

    bytes: of the data, then of a file really written. accuracy: on the validation digits, 0..1.
    """

    name: str
    before: tuple[tuple[int, ...], ...]
    after: tuple[tuple[int, ...], ...]
    dtype: str
    bytes: int
    nonzero_weights: int | None = None
    accuracy: float | None = None


@dataclass(frozen=True)
class _Pipeline:
    """Everything that one run of the six stages made."""

    train: Digits
    validation: Digits
    test: Digits
    model: DigitClassifier
    history: History
    pruned: DigitClassifier
    quantized: IntegerNetwork
    stages: tuple[_Stage, ...]

    @property
    def models(self) -> dict[str, Any]:
        """The three networks by name."""
        return {"float": self.model, "pruned": self.pruned, "int8": self.quantized}


def run_pipeline(sparsity: float = 0.3, *, epochs: int = 5, seed: int = COURSE_SEED,
                 progress: Callable | None = None) -> _Pipeline:
    """Run all six stages on the sample: the digits, the networks and a line for each stage."""
    digits, validation, test = load_sample()
    model, history = train(digits, validation, epochs=epochs, seed=seed, progress=progress)
    pruned = prune(model, sparsity)
    quantized = quantize_model(pruned, digits)
    picture, flat = digits.images.shape, digits.inputs.shape
    shapes = tuple(layer.weight.shape for layer in model.layers)
    stages = (
        _Stage(STAGES[0], (picture,), (picture,), "uint8", digits.images.nbytes),
        _Stage(STAGES[1], (picture,), (picture,), "float32", normalize(digits.images).nbytes),
        _Stage(STAGES[2], (picture,), (flat,), "float32", digits.inputs.nbytes),
        _Stage(STAGES[3], (flat,), shapes, "float32", *_figures(dense_file, model, validation)),
        _Stage(STAGES[4], shapes, shapes, "float32", *_figures(dense_file, pruned, validation)),
        _Stage(STAGES[5], shapes, shapes, "int8", *_figures(integer_file, quantized, validation)))
    return _Pipeline(digits, validation, test, model, history, pruned, quantized, stages)


def _figures(write: Callable, model: Any, digits: Digits) -> tuple[int, int, float]:
    """Bytes of the network's file, weights that are not zero, accuracy."""
    nonzero = sum(int((layer.weight != 0).sum()) for layer in model.layers)
    return write("", model, digits).bytes, nonzero, evaluate(model, digits).accuracy


@dataclass(frozen=True)
class _TraceLayer:
    """One of five layers: its shape and the values there of each model that has some."""

    name: str
    shape: tuple[int, ...]
    values: dict[str, Tensor]


@dataclass(frozen=True)
class _PredictionTrace:
    """One digit on its way through the models, usually three: layers, and answers by name.

    units: positions of the hidden units that are shown.
    """

    label: int
    layers: tuple[_TraceLayer, ...]
    predictions: dict[str, int]
    units: tuple[int, ...]

    @property
    def agree(self) -> bool:
        """Whether all models give the same answer."""
        return len(set(self.predictions.values())) == 1


def trace_prediction(models: Mapping[str, Any], digit: Digits, shown: int = 4) -> _PredictionTrace:
    """One digit (`Digits` of one) through {"float", "pruned", "int8"}: five layers, answers.

    Layers: the pixels that move the strongest hidden unit most; the values of the hidden units with
    the largest float output; how many weights feed each of them; their integers 0..255; the
    probabilities. `shown`: how many pixels and units stand for all. "pruned" may be missing, and
    there may be more: float models like "float", and networks of integers, which have other units,
    so that only their probabilities are shown. ValueError unless there is exactly one digit and
    each model has a hidden layer.
    """
    if not {"float", "int8"} <= set(models):
        raise ValueError(f"models must have the names 'float' and 'int8'; got {list(models)}")
    _check(digit, {f"model {name!r}": model for name, model in models.items()})
    pixels, inputs = flatten(digit.images), digit.inputs
    integers = torch.from_numpy(models["int8"].activations(pixels.numpy())[0][0])
    alike = {name: model for name, model in models.items()
             if name == "int8" or not isinstance(model, IntegerNetwork)}
    with torch.no_grad():
        hidden = {name: model.activations(inputs)[0][0] if name != "int8"
                  else integers * model.activation_scales[1] for name, model in alike.items()}
    units = hidden["float"].argsort(descending=True, stable=True)[:shown]
    pushed = inputs[0] * torch.as_tensor(models["float"].layers[0].weight)[units[0]].detach()
    places = pushed.abs().argsort(descending=True, stable=True)[:shown].sort().values
    outputs = {name: torch.softmax(logits(model, digit)[0], 0) for name, model in models.items()}
    wide = (1, len(integers))
    fed = {name: torch.as_tensor(model.layers[0].weight)[units].count_nonzero(1)
           for name, model in alike.items()}
    layers = (
        _TraceLayer("input", pixels.shape, {
            name: (pixels if name == "int8" else inputs)[0][places] for name in alike}),
        _TraceLayer("hidden (dense)", wide, {name: hidden[name][units] for name in alike}),
        _TraceLayer("pruning applied", wide, fed),
        _TraceLayer("quantization applied", wide, {"int8": integers[units]}),
        _TraceLayer("output (softmax)", (1, len(outputs["float"])), outputs))
    predictions = {name: int(values.argmax()) for name, values in outputs.items()}
    return _PredictionTrace(int(digit.labels[0]), layers, predictions, tuple(units.tolist()))


@dataclass(frozen=True)
class _UnitTrace:
    """One hidden unit of the integer network, so that a pocket calculator can follow.

    terms: (place, pixel, weight, product) of the largest products that are not 0; the others are
    only summed.
    float_value: what the float network it came from has there, after ReLU; scale: what 1 means in
    output.
    """

    unit: int
    terms: tuple[tuple[int, int, int, int], ...]
    others: int
    others_sum: int
    bias: int
    accumulator: int
    multiplier: int
    shift: int
    output: int
    scale: float
    float_value: float


def trace_unit(integer: IntegerNetwork, model: DigitClassifier, digit: Digits, unit: int,
               shown: int = 5) -> _UnitTrace:
    """One digit, one hidden unit of the first layer, all integers.

    integer: an IntegerNetwork. model: the float network it was made from. ValueError unless
    there is exactly one digit, both networks have a hidden layer and the unit exists.
    """
    _check(digit, {"integer network": integer, "float network": model})
    layer, pixels = integer.layers[0], digit.images.flatten(1).numpy()
    unit = whole("unit", unit, 0, len(layer.weight) - 1)
    products = pixels[0] * layer.weight[unit].astype(np.int32)
    order = (-np.abs(products)).argsort(stable=True)
    terms = tuple((place, int(pixels[0, place]), int(layer.weight[unit, place]),
                   int(products[place])) for place in order[:shown].tolist() if products[place])
    rest, accumulators = products[order[shown:]], layer.accumulate(pixels)
    multiplier, shift = (int(np.broadcast_to(part, len(layer.weight))[unit])
                         for part in (layer.multiplier, layer.shift))
    with torch.no_grad():
        value = model.activations(digit.inputs)[0][0, unit].item()
    return _UnitTrace(unit, terms, int(np.count_nonzero(rest)), int(rest.sum()),
                     int(layer.bias[unit]), int(accumulators[0, unit]), multiplier, shift,
                     int(layer.rescale(accumulators)[0, unit]), integer.activation_scales[1], value)


def _check(digit: Digits, networks: Mapping[str, Any]) -> None:
    """ValueError unless there is one digit, and a hidden layer in each network."""
    for name, network in networks.items():
        if len(network.layers) < 2:
            raise ValueError(f"the {name} needs a hidden layer to be traced; got the widths "
                             f"{network.widths}")
    if len(digit) != 1:
        raise ValueError(f"trace one digit at a time, such as test[7]; got {len(digit)}")

"""The six stages of the pipeline and the five layers of one prediction, as plain data."""

from dataclasses import dataclass

import numpy as np
import torch

from .data import Digits, flatten, load_sample, normalize, whole
from .integer import IntegerNetwork
from .measure.files import dense_file, integer_file
from .model import DigitClassifier
from .pruning import prune
from .quantization import qparams_of, quantize, quantize_model
from .stages import STAGES
from .training import History, evaluate, logits, train


@dataclass(frozen=True)
class Stage:
    """One stage with its figures: bytes (of the data, then of the file), weights, accuracy 0..1."""

    number: int
    name: str
    before: str
    operation: str
    after: str
    dtype: str
    example: str
    bytes: int
    nonzero_weights: int | None = None
    test_accuracy: float | None = None


@dataclass(frozen=True)
class Pipeline:
    """Everything that one run of the six stages made."""

    train: Digits
    test: Digits
    model: DigitClassifier
    history: History
    pruned: DigitClassifier
    quantized: IntegerNetwork
    stages: tuple

    @property
    def models(self):
        """The three networks by name."""
        return {"float": self.model, "pruned": self.pruned, "int8": self.quantized}

    def table(self):
        """The six stages as a pandas table."""
        import pandas as pd

        def text(value, form):
            return "" if value is None else form.format(value)

        def whole(words):  # a shape or a percentage stays on one line
            words = words.replace(" x ", "\u00a0x\u00a0").replace(" %", "\u00a0%")
            words = words.replace(" of ", "\u00a0of\u00a0")
            return words.replace("-", "\u2011")

        rows = [(*map(whole, (stage.name, stage.before, stage.operation, stage.after)),
                 stage.dtype, stage.example, f"{stage.bytes:,}",
                 text(stage.nonzero_weights, "{:,}"), text(stage.test_accuracy, "{:.1%}"))
                for stage in self.stages]
        names = ["stage", "before", "what happens", "after", "dtype", "example", "bytes",
                 "non-zero weights", "test accuracy"]
        return pd.DataFrame(rows, columns=names, index=range(1, len(rows) + 1))


def run_pipeline(sparsity=0.3, *, epochs=5, seed=0, progress=None):
    """Run all six stages on the sample: a `Pipeline`. Bytes are those of files really written."""
    digits, test = load_sample()
    model, history = train(digits, test, epochs=epochs, seed=seed, progress=progress)
    pruned = prune(model, sparsity)
    quantized = quantize_model(pruned, digits)
    images, scaled, rows = digits.images, normalize(digits.images), digits.inputs
    seven = digits.images[digits.labels == 7][0]
    row = int(seven.sum(1).argmax())
    ink = " ".join([str(value) for value in seven[row].tolist() if value][:5])
    shapes = ", ".join(" x ".join(map(str, layer.weight.shape)) for layer in model.layers)
    small = quantize(torch.tensor(0.1234), qparams_of(0.01)).item()
    before, after = (torch.cat([layer.weight.detach().flatten() for layer in each.layers])
                     for each in (model, pruned))
    cut = before[(before * (after == 0)).abs().argmax()].item()
    left = " and ".join(f"{int((layer.weight != 0).sum()):,} of {layer.weight.numel():,}"
                        for layer in pruned.layers)

    def data(number, before, operation, after, example):
        return Stage(number, STAGES[number - 1], _shape(before), operation, _shape(after),
                     _dtype(after), example, after.numel() * after.element_size())

    def network(number, before, operation, after, dtype, example, trained, write):
        nonzero = sum(int((layer.weight != 0).sum()) for layer in trained.layers)
        return Stage(number, STAGES[number - 1], before, operation, after, dtype, example,
                     write("", trained, test).bytes, nonzero, evaluate(trained, test).accuracy)

    pixel = normalize(torch.tensor(150, dtype=torch.uint8)).item()
    stages = (
        data(1, images, "load handwritten digits", images, f"ink in row {row} of a 7: {ink} ..."),
        data(2, images, "normalize to 0..1", scaled, f"pixel 150 becomes {pixel:.2f}"),
        data(3, scaled, "flatten", rows, f"one image becomes {rows.shape[1]} numbers"),
        network(4, _shape(rows), f"train {'-'.join(map(str, model.widths))}", f"weights {shapes}",
                "float32",
                f"loss {history[0].train_loss:.2f} falls to {history[-1].train_loss:.2f}",
                model, dense_file),
        network(5, f"weights {shapes}", f"zero the smallest {100 * sparsity:.0f} %",
                f"weights {shapes}, not zero: {left}", "float32",
                f"the largest weight to go, {cut:.4f}, becomes 0", pruned, dense_file),
        network(6, f"weights {shapes}", "float32 to int8", f"weights {shapes}, a scale each",
                "int8", f"at scale 0.01, 0.1234 becomes {small}", quantized, integer_file),
    )
    return Pipeline(digits, test, model, history, pruned, quantized, stages)


def _shape(tensor):
    return " x ".join(map(str, tensor.shape))


def _dtype(tensor):
    return str(tensor.dtype).removeprefix("torch.")


@dataclass(frozen=True)
class TraceLayer:
    """One of five layers: its shape and, for each model by name, the values there (or None)."""

    name: str
    shape: str
    values: dict


@dataclass(frozen=True)
class PredictionTrace:
    """One digit on its way through the models, usually three."""

    label: int
    layers: tuple
    predictions: dict
    units: tuple  # positions of the hidden units that are shown

    @property
    def agree(self):
        """Whether all models give the same answer."""
        return len(set(self.predictions.values())) == 1

    def table(self):
        """The five layers as a pandas table of short texts."""
        import pandas as pd

        rows = [(layer.name, layer.shape, *(_brief(layer.values.get(name), layer.name)
                 for name in self.predictions)) for layer in self.layers]
        names = ["layer", "shape", *self.predictions]
        return pd.DataFrame(rows, columns=names).set_index("layer")


def _brief(values, name):
    if values is None:
        return ""
    if name.startswith("output"):
        best = values.argsort(descending=True)[:2]
        return ", ".join(f"{place}: {100 * values[place]:.1f} %" for place in best.tolist())
    form = "{:.2f}" if values.is_floating_point() else "{:,}"
    return "  ".join(form.format(value) for value in values.tolist())


def check_models(models):
    """ValueError unless there is a "float" and an "int8" model, and each has a hidden layer."""
    if not {"float", "int8"} <= set(models):
        raise ValueError(f"models must have the names 'float' and 'int8'; got {list(models)}")
    for name, model in models.items():
        _check_hidden(model, f"model {name!r}")


def _check_hidden(model, which):
    if len(model.layers) < 2:
        raise ValueError(f"the {which} needs a hidden layer to be traced; got the widths "
                         f"{model.widths}")


def trace_prediction(models, digit, shown=4):
    """One digit (`Digits` of one) through {"float", "pruned", "int8"}: a `PredictionTrace`.

    Layers: the brightest pixels; the values of the hidden units with the largest float output;
    how many weights feed each of them; their integers 0..255; the probabilities. `shown`: how many
    pixels and units stand for all. ValueError unless there is exactly one digit and the models
    pass `check_models`; only "pruned" may be missing, and there may be more.
    """
    check_models(models)
    if len(digit) != 1:
        raise ValueError(f"trace one digit at a time, such as test[7]; got {len(digit)}")
    pixels, rows = flatten(digit.images), digit.inputs
    names, integer = tuple(models), models["int8"]
    with torch.no_grad():
        hidden = {name: models[name].activations(rows)[0][0] for name in names if name != "int8"}
    whole = torch.from_numpy(integer.activations(pixels.numpy())[0][0])
    hidden["int8"] = whole * integer.activation_scales[1]
    units = hidden["float"].argsort(descending=True, stable=True)[:shown]
    middle = pixels[0].argsort(descending=True, stable=True)[:shown].sort().values
    outputs = {name: torch.softmax(logits(models[name], digit)[0], 0) for name in names}
    wide = f"1 x {len(whole)}"
    layers = (
        TraceLayer("input", f"1 x {pixels.shape[1]}", {
            name: (pixels if name == "int8" else rows)[0][middle] for name in names}),
        TraceLayer("hidden (dense)", wide, {name: hidden[name][units] for name in names}),
        TraceLayer("pruning applied", wide, {
            name: torch.as_tensor(models[name].layers[0].weight)[units].ne(0).sum(1)
            for name in names}),
        TraceLayer("quantization applied", wide, {"int8": whole[units]}),
        TraceLayer("output (softmax)", f"1 x {len(outputs['float'])}", outputs),
    )
    predictions = {name: int(values.argmax()) for name, values in outputs.items()}
    return PredictionTrace(int(digit.labels[0]), layers, predictions, tuple(units.tolist()))


@dataclass(frozen=True)
class UnitTrace:
    """One hidden unit of the integer network, so that a pocket calculator can follow.

    terms: (place, pixel, weight, product) of the largest products; the others are only summed.
    float_value: what the float network it came from has there, after ReLU; scale: what 1 means in
    output.
    """

    unit: int
    terms: tuple
    others: int
    others_sum: int
    bias: int
    total: int
    multiplier: int
    shift: int
    output: int
    scale: float
    float_value: float

    def __str__(self):
        sums = [(f"pixel {place:3d}: {pixel:3d} x {weight:4d} =", product)
                for place, pixel, weight, product in self.terms]
        sums += [(f"{self.others} other products", self.others_sum), ("bias", self.bias),
                 ("int32 sum", self.total)]
        lines = [f"{what:24}{number:11,d}" for what, number in sums]
        lines += [f"rescale: floor(({max(self.total, 0)} x {self.multiplier} + 2**{self.shift - 1})"
                  f" / 2**{self.shift}), at most 255 = {self.output}",
                  f"{self.output} x {self.scale:.7f} = {self.output * self.scale:.3f}; "
                  f"the pruned float network has {self.float_value:.3f}"]
        return "\n".join(lines)


def trace_unit(integer, model, digit, unit, shown=5):
    """One digit, one hidden unit of the first layer, all integers: a `UnitTrace`.

    integer: an IntegerNetwork. model: the float network it was made from. ValueError unless
    there is exactly one digit, both networks have a hidden layer and the unit exists.
    """
    _check_hidden(integer, "integer network")
    _check_hidden(model, "float network")
    layer = integer.layers[0]
    if len(digit) != 1:
        raise ValueError(f"trace one digit at a time, such as test[7]; got {len(digit)}")
    unit = whole("unit", unit, 0, len(layer.weight) - 1)
    pixels = flatten(digit.images)
    products = pixels[0].to(torch.int32) * torch.from_numpy(layer.weight[unit]).to(torch.int32)
    order = products.abs().argsort(descending=True, stable=True)
    first, rest = order[:shown], products[order[shown:]]
    terms = tuple((place, int(pixels[0, place]), int(layer.weight[unit, place]),
                   int(products[place])) for place in first.tolist())
    multiplier, shift = (int(np.broadcast_to(part, len(layer.weight))[unit])
                         for part in (layer.multiplier, layer.shift))
    sums = layer.accumulate(pixels.numpy())
    with torch.no_grad():
        value = model.activations(digit.inputs)[0][0, unit].item()
    return UnitTrace(unit, terms, int((rest != 0).sum()), int(rest.sum()),
                       int(layer.bias[unit]), int(sums[0, unit]), multiplier, shift,
                       int(layer.rescale(sums)[0, unit]), integer.activation_scales[1], value)

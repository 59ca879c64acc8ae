"""The pipeline as six cards, and one digit's way through several networks as pictures."""

import io

import numpy as np
import torch
from matplotlib.image import imsave

from ..data import SIDE, normalize
from ..pruning import sparsity
from ..quantization import qparams_of, quantize
from ..trace import trace_prediction
from .plots import HATCHES, INK, Picture, canvas, image_tag, in_style
from .state import Sentence, marked
from .units import ON_WEIGHTS, mosaic, strongest_units

_CARD = ("flex: 1 1 15em; border: 1px solid #888888; border-radius: 4px; padding: 0.4em 0.7em; "
         "margin: 0")


class _Cards(Sentence):
    """A sentence with cards above it where HTML is shown."""

    cards = ""

    def _repr_html_(self):
        return self.cards + super()._repr_html_()


def stage_cards(pipeline) -> Sentence:
    """What `trace.run_pipeline` made, a card for each stage: a thumbnail, what happens, shape, type
    and bytes, for a network also its non-zero weights and its accuracy on validation digits."""
    cards = ""
    for stage, (what, more, example), picture in zip(
            pipeline.stages, _told(pipeline), _thumbnails(pipeline), strict=True):
        shapes = dict.fromkeys([_shapes(*stage.before), _shapes(*stage.after)])
        figures = f"{stage.bytes:,} bytes"
        if stage.accuracy is not None:
            figures += f", {stage.accuracy:.1%} right"
            example += f"; {stage.nonzero_weights:,} weights are not zero"
        lines = (f"{' becomes '.join(shapes)}{more}; {stage.dtype}", example)
        cards += (f'<li style="{_CARD}"><strong>{stage.name}</strong><br>{what}<br>{picture}<br>'
                  f"<strong>{figures}</strong><br>{'<br>'.join(map(marked, lines))}</li>")
    first, *_, trained, pruned, quantized = pipeline.stages
    shown = _Cards(
        f"{first.before[0][0]:,} pictures train a network whose file has {trained.bytes:,} bytes: "
        f"{trained.accuracy:.1%} of the validation digits are right. Pruned, it has "
        f"{pruned.bytes:,} bytes, and {pruned.accuracy:.1%} are right; as integers "
        f"{quantized.bytes:,} bytes and {quantized.accuracy:.1%}.")
    shown.cards = ('<ol style="display: flex; flex-wrap: wrap; gap: 0.5em; margin: 0; padding: 0; '
                   f'list-style: decimal inside">{cards}</ol>')
    return shown


def _shapes(*shapes):
    """The shape of the data, or those of several weights."""
    return "weights " * (len(shapes) > 1) + ", ".join(" x ".join(map(str, s)) for s in shapes)


def _told(pipeline):
    """For each stage: what happens, what there is to add to its shapes, one value."""
    seven = pipeline.train.images[pipeline.train.labels == 7][0]
    row = int(seven.sum(1).argmax())
    ink = " ".join([str(value) for value in seven[row].tolist() if value][:5])
    loss = [epoch.train_loss for epoch in pipeline.history]
    old, new = (torch.cat([layer.weight.detach().flatten() for layer in model.layers])
                for model in (pipeline.model, pipeline.pruned))
    cut = old[(old * (new == 0)).abs().argmax()].item()
    left = " and ".join(f"{int((layer.weight != 0).sum()):,} of {layer.weight.numel():,}"
                        for layer in pipeline.pruned.layers)
    own = pipeline.quantized.layers[0].scale.item()
    pixel = normalize(torch.tensor(150, dtype=torch.uint8)).item()
    small, ours = (quantize(torch.tensor(0.1234), qparams_of(each)).item() for each in (0.01, own))
    return [
        ("load handwritten digits", "", f"ink in row {row} of a 7: {ink} ..."),
        ("normalize to 0..1", "", f"pixel 150 becomes {pixel:.2f}"),
        ("flatten", "", f"one image becomes {seven.numel()} numbers"),
        (f"train {'-'.join(map(str, pipeline.model.widths))}", "",
         f"loss {loss[0]:.2f} falls to {loss[-1]:.2f}"),
        (f"zero the smallest {100 * sparsity(pipeline.pruned):.0f} %", f", not zero: {left}",
         f"the largest weight to go, {cut:.4f}, becomes 0"),
        ("float32 to int8", ", a scale each", f"0.1234 becomes {ours} at this layer's own "
         f"scale, {own:.6f}; at a round 0.01 it would be {small}")]


def _thumbnails(pipeline):
    """An <img> for each stage: a 7, the same scaled, the same as one row; four hidden units."""
    seven = pipeline.train[pipeline.train.labels == 7][0]
    pixels, row = seven.images[0].numpy(), seven.inputs.numpy()
    yield _thumbnail(f"A 7 of 28 x 28 pixels, {(pixels > 0).sum()} of them with ink", pixels, INK)
    yield _thumbnail(f"The same 7, its darkest pixel now {row.max():g}", pixels, INK)
    yield _thumbnail(f"The same 7 as one row of {row.size} numbers", 255 * row.repeat(448, 0), INK,
                     zoom=1)
    units = strongest_units(pipeline.model.layers[0].weight, 4)
    for name, model in pipeline.models.items():
        weight = _weight_values(model)[units]
        yield _thumbnail(f"Weights of four hidden units, {name}; black ones, "
                         f"{(weight == 0).double().mean():.0%}, are 0", mosaic(weight, 2),
                         ON_WEIGHTS, zoom=2)


def _thumbnail(alt, values, look, zoom=4):
    """An <img> of an array, each number `zoom` pixels wide."""
    with io.BytesIO() as file:
        imsave(file, np.kron(values, np.ones((zoom, zoom))), **look)
        return image_tag(file.getvalue(), alt, 196 if zoom == 1 else 112)


def _weight_values(network) -> torch.Tensor:
    """The first layer's weights (units, 784) as floats, also those of an IntegerNetwork."""
    layer = network.layers[0]
    scale = torch.as_tensor(getattr(layer, "scale", 1.0)).reshape(-1, 1)
    return torch.as_tensor(layer.weight).detach() * scale


@in_style()
def show_trace(models, digit) -> Picture:
    """One digit (`Digits` of one) through networks as in `trace.trace_prediction`, a row for each
    that has the float network's units: what it reads, pixel times weight of the strongest hidden
    unit, all hidden units, the strongest in the float network first, and the probabilities."""
    traced = trace_prediction(models, digit, len(models["float"].layers[0].weight))
    unit, hidden, count = traced.units[0], traced.layers[1].values, len(traced.units)
    figure, grid = canvas((8.4, 1.6 * len(hidden) + 0.5), len(hidden), 4, squeeze=False,
                          width_ratios=(1, 1, 2.2, 1.6))
    titles = "pixels", f"x weights, unit {unit}", f"{count} hidden units", "probabilities, %"
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(title)
    highest, answers = max(values.max().item() for values in hidden.values()), []
    for (left, middle, bars, right), (name, values) in zip(grid, hidden.items(), strict=True):
        chances = traced.layers[-1].values[name]
        products = digit.inputs[0] * _weight_values(models[name])[unit]
        left.imshow(digit.images[0].numpy(), **INK)
        middle.imshow(products.view(SIDE, SIDE).numpy(), **ON_WEIGHTS)
        bars.bar(range(count), values.numpy(), 1)
        right.bar(range(len(chances)), (100 * chances).numpy())
        for axes in (left, middle):
            axes.set(xticks=[], yticks=[])
            axes.grid(False)
        most = digit.images.max() if name == "int8" else digit.inputs.max()
        left.set_ylabel(name, fontsize=12)
        left.set_xlabel(f"0 to {most:.3g}")
        bars.set(xticks=[], ylim=(0, 1.05 * highest))
        right.set(xticks=range(len(chances)), ylim=(0, 105))
        answers.append(f"{name} {traced.predictions[name]} ({float(chances.max()):.1%})")
    told = ", ".join(f"{name} {float(values[0]):.2f}" for name, values in hidden.items())
    awake = ", ".join(f"{int((values > 0).sum())}" for values in hidden.values())
    return Picture(figure, f"The digit is {_a(traced.label)}. Hidden unit {unit} is the strongest: "
                   f"{told}. Of {count} hidden units, {awake} are above 0. Answers: "
                   f"{', '.join(answers)}.")


@in_style()
def show_probabilities(trace) -> Picture:
    """What each model answers to one digit, in per cent: of `trace_prediction`."""
    outputs = trace.layers[-1].values
    width = 0.81 / len(outputs)  # of a bar; those of one digit leave a gap to the next
    figure, axes = canvas((7.2, 3))
    for place, (name, values) in enumerate(outputs.items()):
        left = width * (place - (len(outputs) - 1) / 2)
        axes.bar(np.arange(len(values)) + left, (100 * values).numpy(), width, label=name,
                 hatch=HATCHES[place % len(HATCHES)], edgecolor="white")
    axes.set(xlabel="digit", ylabel="probability, %", xticks=range(len(values)))
    axes.legend()
    answers = ", ".join(f"{name} {answer}" for name, answer in trace.predictions.items())
    same = len(set(trace.predictions.values())) == 1
    agree = "All agree" if same else "They do not agree"
    return Picture(figure, f"The digit is {_a(trace.label)}. Answers: {answers}. {agree}.")


def _a(label):
    """A digit with its article."""
    return f"{'an' if label == 8 else 'a'} {label}"


def show_unit(trace) -> Sentence:
    """The arithmetic of a `trace_unit`, line by line, for a pocket calculator."""
    sums = [(f"pixel {place:3d}: {pixel:3d} x {weight:4d} =", product)
            for place, pixel, weight, product in trace.terms]
    if trace.others:
        sums.append((f"{trace.others} other products", trace.others_sum))
    sums += [("bias", trace.bias), ("accumulator", trace.accumulator)]
    lines = [f"{what:24}{number:11,d}" for what, number in sums]
    positive, fraction = max(trace.accumulator, 0), trace.multiplier / 2**trace.shift
    lines += [f"m / 2**s = {trace.multiplier:,} / 2**{trace.shift} = {fraction:.10f}",
              f"{positive:,} x {fraction:.10f} = {positive * fraction:.2f}, rounded and at most "
              f"255: {trace.output}",
              f"{trace.output} x {trace.scale:.7f} = {trace.output * trace.scale:.3f}; "
              f"the pruned float network has {trace.float_value:.3f}"]
    return Sentence("\n".join(lines))

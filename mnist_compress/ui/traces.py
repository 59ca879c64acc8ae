"""Tables of what `trace` found: the six stages, one prediction, one unit's arithmetic."""

import pandas as pd
import torch
from torch import Tensor

from ..data import normalize
from ..pruning import sparsity
from ..quantization import qparams_of, quantize
from ..trace import Pipeline, PredictionTrace, UnitTrace
from .state import Sentence


def stage_table(pipeline: Pipeline) -> pd.DataFrame:
    """The six stages of `run_pipeline`: shapes, what happens, an example, and the figures."""
    names = ["stage", "before", "what happens", "after", "dtype", "example", "bytes",
             "non-zero weights", "test accuracy"]
    rows = []
    for place, (stage, operation, example) in enumerate(zip(
            pipeline.stages, _operations(pipeline), _examples(pipeline), strict=True)):
        before, after = _shapes(stage.before, place > 3), _after(pipeline, place)
        figures = ("", "")
        if stage.accuracy is not None:
            figures = f"{stage.nonzero_weights:,}", f"{stage.accuracy:.1%}"
        rows.append((*map(_on_one_line, (stage.name, before, operation, after)), stage.dtype,
                     example, f"{stage.bytes:,}", *figures))
    return pd.DataFrame(rows, columns=names, index=range(1, len(rows) + 1))


def _shapes(shapes: tuple, weights: bool) -> str:
    return "weights " * weights + ", ".join(" x ".join(map(str, shape)) for shape in shapes)


def _after(pipeline: Pipeline, place: int) -> str:
    """What there is after a stage."""
    left = " and ".join(f"{int((layer.weight != 0).sum()):,} of {layer.weight.numel():,}"
                        for layer in pipeline.pruned.layers)
    more = {4: f", not zero: {left}", 5: ", a scale each"}
    return _shapes(pipeline.stages[place].after, place > 2) + more.get(place, "")


def _operations(pipeline: Pipeline) -> list[str]:
    return ["load handwritten digits", "normalize to 0..1", "flatten",
            f"train {'-'.join(map(str, pipeline.model.widths))}",
            f"zero the smallest {100 * sparsity(pipeline.pruned):.0f} %", "float32 to int8"]


def _examples(pipeline: Pipeline) -> list[str]:
    """One value of each stage."""
    seven = pipeline.train.images[pipeline.train.labels == 7][0]
    row = int(seven.sum(1).argmax())
    ink = " ".join([str(value) for value in seven[row].tolist() if value][:5])
    pixel = normalize(torch.tensor(150, dtype=torch.uint8)).item()
    first, last = pipeline.history[0].train_loss, pipeline.history[-1].train_loss
    old, new = (torch.cat([layer.weight.detach().flatten() for layer in model.layers])
                for model in (pipeline.model, pipeline.pruned))
    cut = old[(old * (new == 0)).abs().argmax()].item()
    small = quantize(torch.tensor(0.1234), qparams_of(0.01)).item()
    return [f"ink in row {row} of a 7: {ink} ...", f"pixel 150 becomes {pixel:.2f}",
            f"one image becomes {pipeline.train.inputs.shape[1]} numbers",
            f"loss {first:.2f} falls to {last:.2f}",
            f"the largest weight to go, {cut:.4f}, becomes 0",
            f"at scale 0.01, 0.1234 becomes {small}"]


def _on_one_line(words: str) -> str:
    """The words with shapes and percentages that no line end parts."""
    for part in (" x ", " %", " of "):
        words = words.replace(part, part.replace(" ", "\u00a0"))
    return words.replace("-", "\u2011")


def trace_table(trace: PredictionTrace) -> pd.DataFrame:
    """The five layers of one prediction, in short texts."""
    rows = [(layer.name, _shapes((layer.shape,), False),
             *(_brief(layer.values.get(name), layer.name) for name in trace.predictions))
            for layer in trace.layers]
    names = ["layer", "shape", *trace.predictions]
    return pd.DataFrame(rows, columns=names).set_index("layer")


def _brief(values: Tensor | None, name: str) -> str:
    if values is None:
        return ""
    if name.startswith("output"):
        best = values.argsort(descending=True)[:2]
        return ", ".join(f"{place}: {100 * values[place]:.1f} %" for place in best.tolist())
    form = "{:.2f}" if values.is_floating_point() else "{:,}"
    return "  ".join(form.format(value) for value in values.tolist())


def show_unit(trace: UnitTrace) -> Sentence:
    """The arithmetic of one unit, line by line, for a pocket calculator."""
    sums = [(f"pixel {place:3d}: {pixel:3d} x {weight:4d} =", product)
            for place, pixel, weight, product in trace.terms]
    sums += [(f"{trace.others} other products", trace.others_sum), ("bias", trace.bias),
             ("int32 sum", trace.accumulator)]
    lines = [f"{what:24}{number:11,d}" for what, number in sums]
    lines += [f"rescale: floor(({max(trace.accumulator, 0)} x {trace.multiplier} + "
              f"2**{trace.shift - 1}) / 2**{trace.shift}), at most 255 = {trace.output}",
              f"{trace.output} x {trace.scale:.7f} = {trace.output * trace.scale:.3f}; "
              f"the pruned float network has {trace.float_value:.3f}"]
    return Sentence("\n".join(lines))

"""Exercises that check themselves: `check(my_mask)` tells a wrong function its mistake.

Each exercise is one right function with switches that make it wrong as learners get it wrong.
`exercises.json` holds, for each usual mistake, the switches and what to say. A learner's function
is tried on some cases and its results compared with those of the right function and of all wrong
ones, so the message follows from behavior and not from how code looks.
"""

import copy
import json
import math
import traceback
from collections.abc import Callable
from numbers import Real
from pathlib import Path
from typing import NamedTuple

import torch

from .state import Sentence


def _normalize(pixels, largest=255, own_largest=False, centered=False, whole=False):
    largest = pixels.max() if own_largest else largest
    result = pixels // largest if whole else pixels / largest
    return result * 2 - 1 if centered else result


def _accuracy(logits, labels, dimension=1, counted=False, full=1, wrong_ones=False,
              probability=False):
    hits = (logits.argmax(dimension)[:len(labels)] == labels).float()
    if wrong_ones:
        hits = 1 - hits
    if probability:
        hits = logits.softmax(1).gather(1, labels[:, None])
    return hits.sum() if counted else full * hits.mean()


def _mask(weight, sparsity, magnitude=True, by_row=False, more=0, inverted=False, threshold=False,
          pruned=False, dtype="bool"):
    if by_row:
        return torch.stack([_mask(row, sparsity) for row in weight])
    size = weight.abs() if magnitude else weight
    gone = max(round(sparsity * weight.numel()) + more, 0)
    mask = torch.ones(weight.numel(), dtype=torch.bool)
    mask[size.flatten().argsort(stable=True)[:gone]] = False
    mask = weight.abs() > sparsity if threshold else mask.view(weight.shape)
    mask = ~mask if inverted else mask
    return weight * mask if pruned else mask.to(getattr(torch, dtype))


def _quantize(values, scale, zero_point, multiplied=False, nearest=True, zero=True, clamp=True,
              dtype="int8"):
    steps = values * scale if multiplied else values / scale
    steps = (steps.round() if nearest else steps.trunc()) + (zero_point if zero else 0)
    return (steps.clamp(-128, 127) if clamp else steps).to(getattr(torch, dtype))


def _rescale(total, multiplier, shift, half=True, clamp=True, relu=True, whole=True, to_even=False):
    total = max(total, 0) if relu else total
    product = total * multiplier + (2 ** (shift - 1) if half else 0)
    result = product // 2**shift if whole else product / 2**shift
    if to_even:
        result = round(total * multiplier / 2**shift)
    return min(result, 255) if clamp else result


def _shared(weights, code, magnitude=True, nearest=True, sign=True, zeros=True, positions=False):
    size = weights.abs() if magnitude else weights
    position = (size[..., None] - code).abs().argmin(-1)
    if not nearest:
        position = ((size[..., None] >= code).sum(-1) - 1).clamp(min=0)
    signs = torch.where(weights < 0, -1, 1) if sign else 1
    result = code[position] * signs * (weights != 0 if zeros else 1)
    return position if positions else result


def _sums(pixels, weight, dtype="int32"):
    kind = getattr(torch, dtype)
    return weight.to(kind) @ pixels.to(kind)


class _Exercise(NamedTuple):
    right: Callable
    cases: list  # of tuples: arguments to try, which tell all mistakes apart
    mistakes: list  # of dicts: switches, and "say"

    def results(self, unchanged=False, **switches):
        """What the right function returns in each case, or the one that these switches make."""
        return [case[0] if unchanged else self.right(*copy.deepcopy(case), **switches)
                for case in self.cases]


_MISTAKES = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
_PIXELS = torch.tensor([[0, 150, 255], [1, 128, 64]], dtype=torch.uint8)
_LOGITS = torch.tensor([[2.0, 0.1, 0.3, 0.2], [0.2, 0.1, 9.0, 0.3], [0.5, 0.3, 0.1, 3.0]])
_WEIGHTS = torch.tensor([[0.5, -0.9, 0.02, -0.01], [0.03, 0.8, -0.7, 0.6], [-4.0, 3.0, 2.0, -1.0]])
_VALUES = torch.tensor([0.1234, -0.5, 0.017, 0.0, 3.0, -3.0])
_SPARSE = torch.tensor([[0.0, 0.31, -0.52, 1.9], [-0.11, 0.0, 0.78, -1.2]])
_CODE = torch.tensor([0.25, 0.6, 1.5])
_ROW = torch.arange(0, 256, 5, dtype=torch.uint8)
_INT8 = torch.stack([torch.full((52,), 127), torch.arange(-127, 129, 5)]).to(torch.int8)
_CASES = {
    "my_normalize": (_normalize, [(_PIXELS,), (_PIXELS[1],)]),
    "my_accuracy": (_accuracy, [(_LOGITS, torch.tensor([0, 2, 1])),
                                (_LOGITS, torch.tensor([2, 2, 3]))]),
    "my_mask": (_mask, [(_WEIGHTS, 0.5), (_WEIGHTS, 0.25), (_WEIGHTS * 3, 0.75)]),
    "my_quantize": (_quantize, [(_VALUES, 0.01, 0), (_VALUES, 0.02, 5)]),
    "my_rescale": (_rescale, [(450451, 16099809, 36), (-70000, 16099809, 36),
                              (9000000, 16099809, 36), (5, 1, 1)]),
    "my_shared": (_shared, [(_SPARSE, _CODE), (_SPARSE * 0.7, _CODE)]),
    "my_sums": (_sums, [(_ROW, _INT8), (_ROW.flip(0), _INT8)]),
}
EXERCISES = {name: _Exercise(right, cases, _MISTAKES[name])
             for name, (right, cases) in _CASES.items()}


def check(function: Callable) -> Sentence:
    """Try a learner's function, known by its name: is it right, or what went wrong?

    Whatever the function does or returns becomes a sentence, and so does what is no function of an
    exercise; only KeyboardInterrupt passes through.
    """
    known = f"There are exercises for {', '.join(EXERCISES)}."
    if not callable(function):
        got = _brief(function)[:60]
        return Sentence(f"Hand over the function itself, without brackets: got {got}. {known}")
    name = getattr(function, "__name__", _kind(function))
    if name not in list(EXERCISES):
        return Sentence(f"There is no exercise for a function with the name {name}. {known}")
    exercise, results = EXERCISES[name], []
    for case in exercise.cases:
        mine = copy.deepcopy(case)
        try:
            results.append(function(*mine))
        except (Exception, SystemExit) as error:  # whatever a learner's code can do
            return Sentence(_explain(error))
        if not all(_same(a, b) for a, b in zip(mine, case, strict=True)):
            return Sentence("You changed the argument itself. The caller still needs it: work on a "
                            "copy, or build a new tensor.")
    return Sentence(_verdict(exercise, results))


def _verdict(exercise, results):
    for result in results:
        if result is None:
            return "Your function returns None. Did you forget `return`?"
        if isinstance(result, torch.Tensor) and result.layout is not torch.strided:
            return (f"Not yet. Your function returns a sparse tensor ({result.layout}). Return a "
                    "plain one: finish with .to_dense().")
    wrong = [(case, wanted, got)
             for case, wanted, got in zip(exercise.cases, exercise.results(), results, strict=True)
             if not (_fits(wanted, got) and _same(wanted, got))]
    if not wrong:
        return "Right. Your function does what the package does, on every test case."
    for mistake in exercise.mistakes:
        switches = {name: value for name, value in mistake.items() if name != "say"}
        if all(map(_same, exercise.results(**switches), results)):
            return f"Not yet. {mistake['say']}"
    case, *both = wrong[0]
    texts = [_brief(value) for value in both]
    if texts[0] == texts[1] or not _fits(*both):
        texts = [f"{text} ({_kind(value)})" for text, value in zip(texts, both, strict=True)]
    return f"Not yet. For {_brief(case)} it should return {texts[0]}; yours returns {texts[1]}."


def _fits(wanted, got):
    """Whether a result is of the kind that is wanted, whatever its numbers.

    A whole number must be an int, another number may come as any, also in a tensor of shape ().
    """
    if isinstance(wanted, torch.Tensor) and wanted.ndim:
        kinds = [(each.is_floating_point() or each.dtype, each.shape)
                 for each in (wanted, got) if isinstance(each, torch.Tensor)]
        return len(kinds) == 2 and kinds[0] == kinds[1]
    return type(got) is int if isinstance(wanted, int) else _number(got) is not None


def _same(first, second):
    """Equal numbers, in whatever type they come; equal tensors of equal kinds and shapes."""
    try:
        one, other = _number(first), _number(second)
        if one is not None and other is not None:
            return math.isclose(one, other, rel_tol=1e-5, abs_tol=1e-6)
        if one is not None or not _fits(first, second):
            return False
        if first.is_floating_point():
            return torch.allclose(first.double(), second.double())
        return torch.equal(first, second)
    except (TypeError, ValueError, ArithmeticError, RuntimeError):  # nothing to compare with
        return False


def _number(value):
    """A Python or NumPy number as it is, that in a tensor of shape () taken out, or else None."""
    if isinstance(value, torch.Tensor) and not value.ndim:
        value = _safely(torch.Tensor.item, value)
    return value if isinstance(value, Real) and not isinstance(value, bool) else None


def _explain(error):
    """One readable hint instead of a long traceback."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__)
              if "mnist_compress" not in frame.filename and "site-packages" not in frame.filename]
    line = f" at the line `{frames[-1].line}`" if frames and frames[-1].line else ""
    text = _safely(str, error)
    return f"Your code stopped{line} with {type(error).__name__}{': ' if text else ''}{text}"


def _safely(show, value):
    """show(value), or no text if a learner's own class fails in it."""
    try:
        return show(value)
    except Exception:
        return ""


def _brief(value):
    if isinstance(value, tuple):
        return ", ".join(map(_brief, value))
    plain = torch.Tensor.tolist if isinstance(value, torch.Tensor) else (lambda own: own)
    text = _safely(lambda own: repr(plain(own)), value) or _kind(value)
    return text if len(text) < 160 else text[:157] + "..."


def _kind(value):
    """What a value is, in words: "torch.int8, shape (3, 4)", "int", "numpy.int64"."""
    if isinstance(value, torch.Tensor):
        return f"{value.dtype}, shape {tuple(value.shape)}"
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"

"""Exercises that check themselves: a wrong answer is told which misconception it shows.

An exercise knows the right function, cases to try it on, and the usual wrong functions, each with
what to say to somebody who wrote it. `check_...(function)` compares what the learner's function
returns with all of these, so the message follows from behaviour and not from how code looks.
"""

import copy
import math
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real

import torch

from ..pruning import magnitude_mask
from .state import Sentence


@dataclass(frozen=True)
class Exercise:
    """name: of the function to write; right: the answer; cases: tuples of arguments to try.

    mistakes: pairs of a wrong function and what to say. A case is one that tells them all apart.
    """

    name: str
    right: Callable
    cases: tuple
    mistakes: tuple


def _mask(keep):
    return lambda weight, sparsity: keep(weight, round(sparsity * weight.numel()))


def _smallest(score, count):
    mask = torch.ones(score.numel(), dtype=torch.bool)
    mask[score.flatten().argsort(stable=True)[:max(count, 0)]] = False
    return mask.view(score.shape)


def _numbers(kind):
    return lambda weight, sparsity: magnitude_mask(weight, sparsity).to(kind)


def _by_row(weight, sparsity):
    return torch.stack([magnitude_mask(row, sparsity) for row in weight])


def _quantized(scale_up=False, zero=True, clamp=True, whole=True, dtype=torch.int8):
    def function(values, scale, zero_point):
        steps = values * scale if scale_up else values / scale
        steps = (steps.round() if whole else steps.trunc()) + (zero_point if zero else 0)
        return (steps.clamp(-128, 127) if clamp else steps).to(dtype)
    return function


def _rescaled(half=True, clamp=True, relu=True, whole=True):
    def function(total, multiplier, shift):
        total = max(total, 0) if relu else total
        product = total * multiplier + (2 ** (shift - 1) if half else 0)
        result = product // 2**shift if whole else product / 2**shift
        return min(result, 255) if clamp else result
    return function


def _sums(kind):
    return lambda pixels, weight: weight.to(kind) @ pixels.to(kind)


def _shared(nearest=True, magnitude=True, sign=True, zeros=True, index=False):
    def function(weights, code):
        size = weights.abs() if magnitude else weights
        place = (size[..., None] - code).abs().argmin(-1)
        if not nearest:
            place = ((size[..., None] >= code).sum(-1) - 1).clamp(min=0)
        if index:
            return place
        result = code[place]
        if sign:
            result = torch.where(weights < 0, -result, result)
        return torch.where(weights == 0, torch.zeros(()), result) if zeros else result
    return function
_PIXELS = torch.tensor([[0, 150, 255], [1, 128, 64]], dtype=torch.uint8)
_LOGITS = torch.tensor([[2.0, 0.1, 0.3, 0.2], [0.2, 0.1, 9.0, 0.3], [0.5, 0.3, 0.1, 3.0]])
_WEIGHTS = torch.tensor([[0.5, -0.9, 0.02, -0.01], [0.03, 0.8, -0.7, 0.6], [-4.0, 3.0, 2.0, -1.0]])
_ROW = torch.arange(0, 256, 5, dtype=torch.uint8)
_INT8 = torch.stack([torch.full((52,), 127), torch.arange(-127, 129, 5)]).to(torch.int8)
_SPARSE = torch.tensor([[0.0, 0.31, -0.52, 1.9], [-0.11, 0.0, 0.78, -1.2]])
_CODE = torch.tensor([0.25, 0.6, 1.5])
_VALUES = torch.tensor([0.1234, -0.5, 0.017, 0.0, 3.0, -3.0])
EXERCISES = {exercise.name: exercise for exercise in (
    Exercise("my_normalize", lambda pixels: pixels / 255, ((_PIXELS,), (_PIXELS[1],)), (
        (lambda pixels: pixels, "You returned the pixels as they came. Divide them by the largest "
         "value that a pixel can have."),
        (lambda pixels: pixels / 256, "You divided by 256. The largest pixel is 255, and it should "
         "become exactly 1."),
        (lambda pixels: pixels / pixels.max(), "You divided by the largest pixel of this image. "
         "A faint digit would then look as dark as a bold one: always divide by 255."),
        (lambda pixels: pixels / 255 * 2 - 1, "You mapped to -1..1. Here 0 stays 0 and 255 becomes "
         "1."),
        (lambda pixels: pixels // 255, "Your result holds whole numbers, so every fraction became "
         "0. Divide with / and leave the result a float."))),
    Exercise("my_accuracy", lambda logits, labels: (logits.argmax(1) == labels).float().mean(),
             ((_LOGITS, torch.tensor([0, 2, 1])), (_LOGITS, torch.tensor([2, 2, 3]))), (
        (lambda logits, labels: (logits.argmax(0)[:3] == labels).float().mean(),
         "You took the argmax over the digits (dimension 0). Each row is one digit, so look along "
         "the row: dimension 1."),
        (lambda logits, labels: (logits.argmax(1) == labels).sum(), "You counted the right answers."
         " Accuracy is their share: divide by how many there are."),
        (lambda logits, labels: 100 * (logits.argmax(1) == labels).float().mean(),
         "That is a percentage. Inside code the course uses fractions of 1."),
        (lambda logits, labels: (logits.argmax(1) != labels).float().mean(),
         "That is the error, the share of wrong answers. Accuracy is one minus it."),
        (lambda logits, labels: logits.softmax(1).gather(1, labels[:, None]).mean(),
         "That is the mean probability of the right answer. Accuracy only asks which answer comes "
         "first."),
        (lambda logits, labels: torch.tensor(0.0), "Your function always says 0. Compare "
         "logits.argmax(1) with the labels."))),
    Exercise("my_mask", magnitude_mask, ((_WEIGHTS, 0.5), (_WEIGHTS, 0.25), (_WEIGHTS * 3, 0.75)), (
        (lambda weight, sparsity: torch.ones_like(weight, dtype=torch.bool),
         "Your mask keeps every weight. Find the smallest ones and set the mask to False there."),
        (_mask(_smallest), "You compared w, not |w|: a large negative weight is not small. Take "
         "weight.abs() first."),
        (_by_row, "You cut the same share of every row. Rank all weights of the matrix together."),
        (_mask(lambda weight, count: _smallest(weight.abs(), count - 1)),
         "Off by one: your mask removes one weight too few."),
        (_mask(lambda weight, count: _smallest(weight.abs(), count + 1)),
         "Off by one: your mask removes one weight too many."),
        (_mask(lambda weight, count: ~_smallest(weight.abs(), count)),
         "Your mask is inverted: True should mean that the weight stays."),
        (lambda weight, sparsity: weight.abs() > sparsity, "You used the sparsity as a threshold "
         "for the weights. It is the share of them that goes: count, then cut."),
        (lambda weight, sparsity: weight * magnitude_mask(weight, sparsity),
         "You returned the pruned weights. Return the mask itself, of True and False."),
        (lambda weight, sparsity: magnitude_mask(weight, sparsity).float(),
         "Right places, but the mask holds floats. Return True and False (dtype bool)."),
        *((_numbers(kind), f"Right places, but the mask holds whole numbers ({kind}). Return True "
           "and False (dtype bool).")
          for kind in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)))),
    Exercise("my_quantize", _quantized(), ((_VALUES, 0.01, 0), (_VALUES, 0.02, 5)), (
        (lambda values, scale, zero_point: values, "You returned the values as they came. Divide by"
         " the scale, round, add the zero point, clamp."),
        (_quantized(dtype=torch.float32), "Right numbers, but they are still floats, four bytes "
         "each. Finish with .to(torch.int8)."),
        *((_quantized(dtype=kind), f"Right numbers, but {size} bytes each ({kind}). Finish with "
           ".to(torch.int8).")
          for size, kind in (("two", torch.int16), ("four", torch.int32), ("eight", torch.int64))),
        (_quantized(scale_up=True), "The scale is upside down: you multiplied. One step is worth "
         "`scale`, so divide by it to count steps."),
        (_quantized(zero=False), "You forgot the zero point: add it after rounding."),
        (_quantized(clamp=False), "You did not clamp. What does not fit into -128..127 wraps "
         "around, and a large weight turns negative."),
        (_quantized(whole=False), "You cut the fraction off. Round to the nearest integer: 12.34 "
         "and 12.6 are not the same."))),
    Exercise("my_rescale", _rescaled(), ((450451, 16099809, 36), (-70000, 16099809, 36),
                                         (9000000, 16099809, 36), (5, 1, 1)), (
        (lambda total, multiplier, shift: total, "You returned the sum as it came. Multiply, add "
         "half, shift, and keep the result in 0..255."),
        (_rescaled(half=False), "You rounded down. Add 2**(shift - 1), which is half, before the "
         "shift."),
        (_rescaled(clamp=False, relu=False), "Negative sums must become 0, and what is above 255 "
         "must become 255: max(total, 0) before, min(..., 255) after."),
        (_rescaled(clamp=False), "Your result leaves 0..255, but it must fit into 8 bits. Use "
         "min(..., 255)."),
        (_rescaled(relu=False), "A negative sum must become 0: that is ReLU. Use max(total, 0)."),
        (_rescaled(whole=False), "You used /, which gives a float. Use // or >>: integers only."),
        (lambda total, multiplier, shift: min(round(max(total, 0) * multiplier / 2**shift), 255),
         "Python's round goes to even, JavaScript's goes up. "
         "Add half and shift, which is the same everywhere."))),
    Exercise("my_shared", _shared(), ((_SPARSE, _CODE), (_SPARSE * 0.7, _CODE)), (
        (lambda weights, code: weights, "You returned the weights as they came. Each one becomes "
         "the nearest magnitude of the code, with its sign."),
        (_shared(magnitude=False, sign=False, zeros=False), "You compared w, not |w|: every "
         "negative weight then lies nearest to the smallest magnitude."),
        (_shared(magnitude=False), "You compared w, not |w|: every negative weight got the "
         "smallest magnitude."),
        (_shared(sign=False), "Right magnitudes, but the signs are gone. A file stores them apart, "
         "and the network needs them."),
        (_shared(sign=False, zeros=False), "The signs are gone, and pruned weights came back. Zero "
         "stays zero."),
        (_shared(zeros=False), "Pruned weights came back: zero is not in the code, yet it must "
         "stay zero."),
        (_shared(nearest=False), "You took the next magnitude below. Take the nearest one, below "
         "or above."),
        (_shared(index=True), "You returned positions in the code. The network needs the "
         "magnitudes themselves: code[position]."))),
    Exercise("my_sums", _sums(torch.int32), ((_ROW, _INT8), (_ROW.flip(0), _INT8)), (
        (lambda pixels, weight: pixels, "You returned the pixels as they came. Multiply each row "
         "of weights by them and add up: weight @ pixels, in a type that holds the sum."),
        (_sums(torch.int8), "In int8 a pixel above 127 turns negative, and so does a sum. Both "
         "sides need int32 before the product."),
        (_sums(torch.uint8), "uint8 has no negative numbers, so your negative weights became large "
         "ones. Use int32."),
        (_sums(torch.int16), "One product fits into int16, their sum does not: it wraps around "
         "beyond 32,767. Use int32."),
        (_sums(torch.int64), "Right numbers, but eight bytes each. int32 is enough, and it is what "
         "small processors add in: change the type."),
        (_sums(torch.float32), "Right numbers here, but they are floats. The point is to need "
         "none: use int32."))),
)}


def check(name, function):
    """Try a learner's function: a sentence that says it is right, or what went wrong.

    name: a key of EXERCISES; ValueError for another. Whatever the function does or returns becomes
    a sentence; only KeyboardInterrupt passes through.
    """
    if name not in EXERCISES:
        raise ValueError(f"there is no exercise {name!r}; there are {', '.join(EXERCISES)}")
    exercise = EXERCISES[name]
    if not callable(function):
        got = _brief(function)[:60]
        return Sentence(f"Hand over the function itself, without brackets: got {got}.")
    results = []
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
    if any(result is None for result in results):
        return "Your function returns None. Did you forget `return`?"
    for result in results:
        if isinstance(result, torch.Tensor) and result.layout is not torch.strided:
            return (f"Not yet. Your function returns a sparse tensor ({result.layout}). Return a "
                    "plain one: finish with .to_dense().")
    wanted = _results(exercise, exercise.right)
    wrong = [trial for trial in zip(exercise.cases, wanted, results, strict=True)
             if not (_fits(*trial[1:]) and _same(*trial[1:]))]
    if not wrong:
        return "Right. Your function does what the package does, on every test case."
    for mistake, message in exercise.mistakes:
        if all(map(_same, _results(exercise, mistake), results)):
            return f"Not yet. {message}"
    case, wanted, result = wrong[0]
    texts = [_brief(wanted), _brief(result)]
    if texts[0] == texts[1] or not _fits(wanted, result):
        texts = [f"{text} ({_kind(value)})"
                 for text, value in zip(texts, (wanted, result), strict=True)]
    return f"Not yet. For {_brief(case)} it should return {texts[0]}; yours returns {texts[1]}."


def _results(exercise, function):
    return [function(*copy.deepcopy(case)) for case in exercise.cases]


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
    tensor = isinstance(value, torch.Tensor)
    text = _safely(lambda it: str(it.tolist()) if tensor else repr(it), value) or _kind(value)
    return text if len(text) < 160 else text[:157] + "..."


def _kind(value):
    """What a value is, in words: "torch.int8, shape (3, 4)", "int", "numpy.int64"."""
    if isinstance(value, torch.Tensor):
        return f"{value.dtype}, shape {tuple(value.shape)}"
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def check_normalize(function):
    """Check my_normalize(pixels): uint8 -> float, 0..1."""
    return check("my_normalize", function)


def check_accuracy(function):
    """Check my_accuracy(logits, labels): the share of right answers, a fraction of 1."""
    return check("my_accuracy", function)


def check_mask(function):
    """Check my_mask(weight, sparsity): bool, False where a weight goes."""
    return check("my_mask", function)


def check_quantize(function):
    """Check my_quantize(values, scale, zero_point): int8, clamped to -128..127."""
    return check("my_quantize", function)


def check_rescale(function):
    """Check my_rescale(total, multiplier, shift): an int 0..255."""
    return check("my_rescale", function)


def check_shared(function):
    """Check my_shared(weights, code): float of any shape, each weight +-code[...] or 0."""
    return check("my_shared", function)


def check_sums(function):
    """Check my_sums(pixels, weight): uint8 (n,) and int8 (units, n) -> int32 (units,)."""
    return check("my_sums", function)

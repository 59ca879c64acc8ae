"""Exercises that check themselves: `check(my_mask)` tells a wrong function its mistake.

Each exercise is one right function with switches that make it wrong as learners get it wrong, and
some cases to try. It stands in the module of its notebook, in `EXERCISES`: {name: (right, cases)}.
The JSON file beside that module holds, for each usual mistake, the switches and what to say. A
learner's function is tried on the cases and its results compared with those of the right function
and of all wrong ones, so the message follows from behavior and not from how code looks.
"""

import copy
import json
import math
import traceback
from collections.abc import Callable
from functools import cache
from importlib import import_module
from numbers import Real
from pathlib import Path
from typing import NamedTuple

import torch

from ..state import Sentence


class _Exercise(NamedTuple):
    right: Callable
    cases: list  # of tuples: arguments to try, which tell all mistakes apart
    mistakes: list  # of dicts: switches, and "say"

    def results(self, unchanged=False, **switches):
        """What the right function returns in each case, or the one that these switches make."""
        return [case[0] if unchanged else self.right(*copy.deepcopy(case), **switches)
                for case in self.cases]


@cache
def exercise_modules() -> dict[str, str]:
    """{name of an exercise: the module that holds it}, in the order of the notebooks."""
    order = ("data", "training", "pruning", "quantization", "prediction_trace", "smallest_file",
             "deployment")
    return {name: module for module in order for name in _mistakes(module)}


@cache
def load_exercise(name: str) -> _Exercise:
    """The exercise of this name; only its own module is imported."""
    module = exercise_modules()[name]
    right, cases = import_module(f".{module}", __name__).EXERCISES[name]
    return _Exercise(right, cases, _mistakes(module)[name])


def _mistakes(module):
    return json.loads(Path(__file__).with_name(f"{module}.json").read_text("utf-8"))


def check(function: Callable) -> Sentence:
    """Try a learner's function, known by its name: is it right, or what went wrong?

    Whatever the function does or returns becomes a sentence, and so does what is no function of an
    exercise; only KeyboardInterrupt passes through.
    """
    known = f"There are exercises for {', '.join(exercise_modules())}."
    if not callable(function):
        got = _brief(function)[:60]
        return Sentence(f"Hand over the function itself, without brackets: got {got}. {known}")
    name = getattr(function, "__name__", _kind(function))
    if name not in list(exercise_modules()):
        return Sentence(f"There is no exercise for a function with the name {name}. {known}")
    exercise, results = load_exercise(name), []
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

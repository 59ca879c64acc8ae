"""Exercises that check themselves: `check(my_mask)` tells a wrong function its mistake.

An exercise is a right function, and cases to try it in; it stands in `_EXERCISES` of a module
here. The JSON file beside that lists the usual mistakes: what to "say", and how a mistake is
known, by one of
- "write": {a part of the right function: what learners write in its place}; so changed it leads to
  their results in every case;
- "given": all lines of wrong code that a notebook hands out to be mended; whatever is said of such
  an exercise shows two cases;
- "error": what the error message matches.
So messages follow from behavior and not from how code looks. Two mistakes at once are found too.
"""

import copy
import inspect
import itertools
import json
import math
import re
import traceback
from collections.abc import Callable
from functools import cache
from importlib import import_module
from numbers import Real
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from ..state import Sentence, attempt


class Exercise(NamedTuple):
    """A right function and the cases, tuples of arguments, that tell all mistakes apart.

    `run(function, *case)` is what to compare where a function does more than to return something;
    `alike(result, *case)` what counts of a result. A text that a case begins with is its name.
    """

    right: Callable
    cases: list
    run: Callable = lambda function, *case: function(*case[isinstance(case[0], str):])
    alike: Callable = lambda result, *case: result

    def outcome(self, case: tuple, function: Callable | None = None) -> object:
        """What a function, or else the right one, does in this case."""
        return self.run(function or self.right, *copy.deepcopy(case))

    def wrong(self, *mistakes: dict) -> Callable | None:
        """The right function with these mistakes, or None if they do not go together."""
        source = inspect.getsource(self.right)
        for mistake in mistakes:
            if "write" not in mistake:
                source = "\n".join(mistake["given"])
            for old, new in mistake.get("write", {}).items():
                if old not in source:
                    return None
                source = source.replace(old, new)
        made = {}
        exec(source, self.right.__globals__, made)
        (function,) = made.values()
        return function

    def same(self, case: tuple, wanted: object, got: object) -> bool:
        """Whether what one got in a case counts as what is wanted."""
        return _same(_safely(self.alike, wanted, *case), _safely(self.alike, got, *case))

    def explained(self, results: list, function: Callable) -> bool:
        """Whether this function leads to these results in every case."""
        return all(self.same(case, _safely(self.outcome, case, function), result)
                   for case, result in zip(self.cases, results, strict=True))


def small_network(generator: torch.Generator) -> torch.nn.Linear:
    """A network of 3 inputs and 2 answers, to be trained a little."""
    model = torch.nn.Linear(3, 2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return model


@cache
def _known():
    """{name: (notebook, module, usual mistakes)}, in the order of the notebooks."""
    found = {}
    for path in Path(__file__).parent.glob("*.json"):
        for name, about in json.loads(path.read_text("utf-8")).items():
            found[name] = about["notebook"], path.stem, about["mistakes"]
    return dict(sorted(found.items(), key=lambda item: item[1][0]))


def exercise_notebooks() -> dict[str, str]:
    """{name of an exercise: its notebook, such as 03_pruning}, in the order of the notebooks."""
    return {name: notebook for name, (notebook, *_) in _known().items()}


def _load(name: str) -> tuple[Exercise, list[dict]]:
    """The exercise of this name and its usual mistakes; its module alone is imported."""
    _, module, mistakes = _known()[name]
    return import_module(f".{module}", __name__)._EXERCISES[name], mistakes


def check(function: Callable) -> Sentence:
    """Try a learner's function, known by its name: is it right, or what went wrong?

    Whatever the function does or returns becomes a sentence, and so does what is no function of an
    exercise; only KeyboardInterrupt passes through.
    """
    known = f"There are exercises for {', '.join(exercise_notebooks())}."
    if not callable(function):
        got = _brief(function)[:60]
        return Sentence(f"Hand over the function itself, without brackets: got {got}. {known}")
    name = getattr(function, "__name__", _kind(function))
    if name not in list(exercise_notebooks()):
        return Sentence(f"There is no exercise for a function with the name {name}. {known}")
    said = _judged(function, *_load(name))
    attempt("exercises", name, "right" if said.startswith("Right.") else said)
    return Sentence(said)


def _judged(function, exercise, mistakes):
    """What there is to say of a function that is meant to do an exercise."""
    results, wrong = [], []
    for case in exercise.cases:
        mine = copy.deepcopy(case)
        try:
            got = exercise.run(function, *mine)
        except (Exception, SystemExit) as error:  # whatever a learner's code can do
            return _explain(error, mistakes)
        if not all(map(_same, mine, case)):
            return ("You changed the argument itself. The caller still needs it: work on a copy, "
                    "or build a new tensor.")
        if got is None:
            return "Your function returns None. Did you forget `return`?"
        if isinstance(got, np.ndarray):
            return ("Not yet. You returned a NumPy array. The network reads tensors: leave out "
                    ".numpy().")
        wanted = exercise.outcome(case)
        if not exercise.same(case, wanted, got):
            wrong.append(_told(case, wanted, got))
        results.append(got)
    if not wrong:
        return "Right. Your function does what the package does, on every test case."
    named = _named(exercise, mistakes, results)
    if any("given" in mistake for mistake in mistakes):
        shown = "Two cases:" if wrong[1:] else "One case:"
        return "\n- ".join([f"Not yet. {named or shown}", *wrong[:2]])
    return f"Not yet. {named or wrong[0]}"


def _named(exercise, mistakes, results):
    """What to say of the mistake, or of the two, that lead to these results; or no text."""
    for mistake in mistakes:
        if "error" not in mistake and exercise.explained(results, exercise.wrong(mistake)):
            return mistake.get("say", "This is the code that was handed out.")
    usual = [mistake for mistake in mistakes if {"write", "say"} <= mistake.keys()]
    for one, other in itertools.combinations(usual, 2):
        function = exercise.wrong(one, other)
        if function and exercise.explained(results, function):
            return f"Two things. {one['say']} {other['say']}"
    return ""


def _told(case, wanted, got):
    """One case in which a function is wrong, in a sentence."""
    texts = [_brief(value) for value in (wanted, got)]
    several = isinstance(wanted, tuple) and isinstance(got, tuple)
    if texts[0] == texts[1] or not (several or _fits(wanted, got)):
        pairs = zip(texts, (wanted, got), strict=True)
        texts = [f"{text} ({_kind(value)})" for text, value in pairs]
    name = case[0] if isinstance(case[0], str) else _brief(case)
    return f"For {name} it should give {texts[0]}; yours gives {texts[1]}."


def _fits(wanted, got):
    """Whether a result is of the kind that is wanted: a whole number must be an int, another number
    may come as any, also in a tensor of shape ()."""
    if isinstance(wanted, tuple | list):
        return isinstance(got, tuple | list) and len(wanted) == len(got) and all(
            map(_fits, wanted, got))
    if isinstance(wanted, torch.Tensor) and wanted.ndim:
        kinds = [(each.is_floating_point() or each.dtype, each.shape)
                 for each in (wanted, got) if isinstance(each, torch.Tensor)]
        return len(kinds) == 2 and kinds[0] == kinds[1]
    return type(got) is int if isinstance(wanted, int) else _number(got) is not None


def _same(wanted, got):
    """Equal numbers, lists or tensors, of a kind that is wanted."""
    try:
        if isinstance(wanted, str):
            return wanted == got
        if wanted is None or not _fits(wanted, got):
            return False
        if isinstance(wanted, tuple | list):
            return all(map(_same, wanted, got))
        if (number := _number(wanted)) is not None:
            return math.isclose(number, _number(got), rel_tol=1e-5, abs_tol=1e-6)
        if wanted.is_floating_point():
            return torch.allclose(wanted.double(), got.double())
        return torch.equal(wanted, got)
    except (TypeError, ValueError, ArithmeticError, RuntimeError):  # nothing to compare with
        return False


def _number(value):
    """A Python or NumPy number as it is, that in a tensor of shape () taken out, or else None."""
    if isinstance(value, torch.Tensor) and not value.ndim:
        value = _safely(torch.Tensor.item, value)
    return value if isinstance(value, Real) and not isinstance(value, bool) else None


def _explain(error, mistakes):
    """One readable hint instead of a long traceback."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__)
              if "mnist_compress" not in frame.filename and "site-packages" not in frame.filename]
    line = f" at the line `{frames[-1].line}`" if frames and frames[-1].line else ""
    text = _safely(str, error) or ""
    named = [mistake["say"] for mistake in mistakes
             if "error" in mistake and re.search(mistake["error"], text)]
    told = f"{': ' if text else ''}{text}" if not named else f". {named[0]}"
    return f"Your code stopped{line} with {type(error).__name__}{told}"


def _safely(function, *arguments):
    """What the function returns, or None if it fails, as a learner's own classes can."""
    try:
        return function(*arguments)
    except Exception:
        return None


def _brief(value):
    """A value in at most 160 characters, floats as short as they were typed."""
    text = _safely(_text, value) or _kind(value)
    return text if len(text) < 160 else text[:157] + "..."


def _text(value):
    if isinstance(value, torch.Tensor):
        return _text(value.tolist())
    if type(value) in (list, tuple):
        texts = ", ".join(f"({_text(one)})" if type(one) is tuple and type(value) is list
                          else _text(one) for one in value)
        return f"[{texts}]" if type(value) is list else texts
    return repr(float(f"{value:.6g}") + 0.0 if type(value) is float else value)  # no -0.0


def _kind(value):
    """What a value is, in words: "torch.int8, shape (3, 4)", "int", "numpy.int64"."""
    if isinstance(value, torch.Tensor):
        return f"{value.dtype}, shape {tuple(value.shape)}"
    if type(value) is tuple and value:
        return ", ".join(map(_kind, value))
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"

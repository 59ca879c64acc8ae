"""Every solution, every starter and every named mistake goes through its check."""

import itertools
import re
import sys
from functools import partial

import numpy as np
import pytest
import torch

from mnist_compress import data, pruning, quantization
from mnist_compress.ui import exercises, state
from mnist_compress.ui.exercises import _load, exercise_notebooks
from tools.notebooks import code_cells, paths, read

from .helpers import RIGHT, SOLUTIONS, functions, given, mistakes, told


def found():
    for path in paths():
        notebook = read(path)
        for cell in code_cells(notebook):
            if "exercise" in cell.metadata.get("tags", []):
                ((name, starter),) = functions(cell.source).items()
                text = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
                blocks = re.findall(r"(?s)```python\n(.*?)```", text)
                (solution,) = [got[name] for got in map(functions, blocks) if name in got]
                yield pytest.param(name, starter, solution, id=name)


def after(name, change):
    """What is said of the right function whose results are changed in kind alone."""
    return told(name, lambda *case: change(_load(name)[0].right(*case)))


@pytest.mark.parametrize(("name", "starter", "solution"), list(found()))
def test_the_notebooks_starter_and_solution(name, starter, solution):
    assert exercises.check(solution) == RIGHT
    said = exercises.check(starter).partition("\n")[0]
    assert said in [f"Not yet. {text}" for _, text in mistakes(name)]
    if given(name):
        assert said == "Not yet. This is the code that was handed out."


@pytest.mark.parametrize("name", exercise_notebooks())
def test_every_named_mistake_gets_its_own_message(name):
    texts = [text for _, text in mistakes(name)]
    assert len(texts) >= 2 and len(set(texts)) == len(texts)
    for mistake, text in mistakes(name):
        assert told(name, mistake).partition("\n")[0] == f"Not yet. {text}"


@pytest.mark.parametrize("name", exercise_notebooks())
def test_the_cases_tell_named_mistakes_from_each_other_and_from_right(name):
    exercise = _load(name)[0]
    ways = dict(mistakes(name))
    for one, other in itertools.product(ways, [exercise.right, *ways]):
        made = [exercise.outcome(case, one) for case in exercise.cases]
        assert exercise.explained(made, other) == (one == other), (ways[one], ways.get(other))


@pytest.mark.parametrize("name", [name for name in exercise_notebooks() if given(name)])
def test_code_that_is_handed_out_fails_in_two_cases_that_are_shown(name):
    ((found_name, function),) = functions(given(name)).items()
    first, *cases = exercises.check(function).splitlines()
    assert found_name == name and first == "Not yet. This is the code that was handed out."
    assert len(cases) == 2
    for case in cases:
        assert re.match("- For .* it should give .*; yours gives .*[.]$", case)


def test_solutions_are_right():
    found = functions(SOLUTIONS)
    assert found.keys() == exercise_notebooks().keys()
    for solution in found.values():
        assert exercises.check(solution) == RIGHT


def test_right_is_what_the_package_does(digits, integer):
    assert told("my_normalize", data.normalize) == RIGHT
    assert told("my_flatten", data.flatten) == RIGHT
    assert told("my_mask", pruning.magnitude_mask) == RIGHT
    assert told("my_quantize", lambda values, scale, zero_point: quantization.quantize(
        values, quantization.qparams_of(scale, zero_point, scheme="affine"))) == RIGHT
    first, pixels = integer.layers[0], data.flatten(digits.images[:20]).numpy()
    totals, outputs = integer.accumulators(pixels)[0], integer.activations(pixels)[-1]
    rescale, sums = [
        _load(name)[0].right for name in ("my_rescale", "my_sums")]
    for row, sum_, output in zip(pixels, totals, outputs, strict=True):
        mine = sums(torch.tensor(row), torch.tensor(first.weight)) + torch.tensor(first.bias)
        assert torch.equal(mine, torch.tensor(sum_))
        assert [rescale(total, int(first.multiplier), int(first.shift))
                for total in sum_.tolist()] == output.tolist()


@pytest.mark.parametrize("name", exercise_notebooks())
def test_what_can_go_wrong_with_any_function(name):
    def raises(*arguments):
        raise KeyError("oops")

    def mutates(*arguments):
        for argument in arguments:
            if isinstance(argument, torch.Tensor) and argument.ndim:
                argument.zero_()
            if isinstance(argument, list):
                argument.reverse()
        return _load(name)[0].right(*arguments)

    assert "KeyError: 'oops'" in told(name, raises)
    assert "TypeError" in told(name, lambda: 1)
    if name in ("my_step", "my_hold"):  # which return nothing
        assert told(name, lambda *arguments: None).startswith("Not yet. The weights ")
    elif name in ("my_fine_tune", "my_frozen"):  # which may change what they are handed
        assert told(name, lambda *arguments: None).startswith("Not yet. ")
    elif name != "my_rounded":
        assert told(name, lambda *arguments: None) == \
            "Your function returns None. Did you forget `return`?"
        assert "yours gives 'text' (str)" in told(name, lambda *arguments: "text")
        if name not in ("my_rescale", "my_smaller", "my_folded", "my_qparams", "my_speedup"):
            assert told(name, mutates).startswith("You changed the argument itself.")


KNOWN = f"There are exercises for {', '.join(exercise_notebooks())}."


def my_normalise(pixels):
    return pixels / 255


@pytest.mark.parametrize(("function", "name"), [
    (my_normalise, "my_normalise"), (lambda pixels: pixels, "<lambda>"), (len, "len"),
    (partial(my_normalise), "functools.partial")])
def test_another_name_is_told_which_exercises_there_are(function, name):
    assert exercises.check(function) == \
        f"There is no exercise for a function with the name {name}. {KNOWN}"


@pytest.mark.parametrize(("thing", "text"), [
    (3, "3"), (None, "None"), ("my_mask", "'my_mask'"), (torch.tensor([1, 2]), "[1, 2]")])
def test_no_function_is_told_so(thing, text):
    assert exercises.check(thing) == \
        f"Hand over the function itself, without brackets: got {text}. {KNOWN}"


@pytest.mark.parametrize(("kind", "size"), [(torch.int16, "two"), (torch.int32, "four"),
                                            (torch.int64, "eight")])
def test_integers_wider_than_int8_are_named(kind, size):
    assert after("my_quantize", lambda right: right.to(kind)) == \
        f"Not yet. Right numbers, but {size} bytes each ({kind}). Finish with .to(torch.int8)."


@pytest.mark.parametrize("kind", [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8])
def test_a_mask_of_whole_numbers_is_named(kind):
    assert after("my_mask", lambda right: right.to(kind)) == \
        f"Not yet. Right places, but the mask holds whole numbers ({kind}). Return True and " \
        "False (dtype bool)."


@pytest.mark.parametrize(("change", "got"), [
    (torch.tensor, "106 (torch.int64, shape ())"),
    (lambda right: torch.tensor([right]), "[106] (torch.int64, shape (1,))"),
    (np.int64, "np.int64(106) (numpy.int64)"), (float, "106.0 (float)"), (str, "'106' (str)")])
def test_a_whole_number_must_be_an_int(change, got):
    first, case, _ = after("my_rescale", change).splitlines()
    assert first == "Not yet. Two cases:"
    assert case == f"- For 450451, 16099809, 36 it should give 106 (int); yours gives {got}."


def test_equal_numbers_of_another_kind_are_told_apart():
    wanted = "it should give [12, -50, 2, 0, 127, -128] (torch.int8, shape (6,)); yours gives "
    assert "You returned a NumPy array." in after("my_quantize", lambda right: right.numpy())
    assert wanted + "[12, -50, 2, 0, 127, -128] (list)." in \
        after("my_quantize", lambda right: right.tolist())
    assert wanted + "[[12, -50, 2, 0, 127, -128]] (torch.int8, shape (1, 6))." in \
        after("my_quantize", lambda right: right[None])
    said = after("my_quantize", lambda right: right.clamp(-100, 100))  # of the right kind
    assert said.endswith("127, -128]; yours gives [12, -50, 2, 0, 100, -100].")


def test_my_accuracy_may_be_a_plain_number():
    for change in (torch.Tensor.item, torch.Tensor.double, lambda right: np.float32(right)):
        assert after("my_accuracy", change) == RIGHT
    for change, got in ((lambda right: str(right.item()), "(str)"),
                        (lambda right: right[None], "(torch.float32, shape (1,))")):
        said = after("my_accuracy", change)
        assert said.startswith("Not yet. For ") and said.endswith(f"{got}.")
        assert "it should give 0.8 (torch.float32, shape ()); yours" in said


def test_mistakes_in_my_accuracy_are_named_as_plain_numbers_too():
    for mistake, text in mistakes("my_accuracy"):
        if "one hit or miss" in text:
            continue
        for change in (float, lambda number: np.float32(number)):
            assert told("my_accuracy", lambda *case, m=mistake, c=change: c(m(*case))) == \
                f"Not yet. {text}"
    count = told("my_accuracy", lambda logits, labels:
                            (logits.argmax(1) == labels).sum().item())
    assert count.startswith("Not yet. You counted the right answers.")
    assert told("my_accuracy", lambda *_: 0).startswith("Not yet. Your function always")
    assert told("my_accuracy", lambda logits, labels: 100 * (
        logits.argmax(1) == labels).float().mean().item()).startswith("Not yet. That is a percent")


class Mute(Exception):
    """Cannot say what it is."""

    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


def test_whatever_a_function_does_becomes_a_hint():
    def stops(*_):
        sys.exit()

    def fails(*_):
        raise Mute

    def interrupted(*_):
        raise KeyboardInterrupt

    assert told("my_mask", stops) == \
        "Your code stopped at the line `sys.exit()` with SystemExit"
    assert told("my_mask", fails) == \
        "Your code stopped at the line `raise Mute` with Mute"
    with pytest.raises(KeyboardInterrupt):
        told("my_mask", interrupted)


def test_whatever_a_function_returns_becomes_a_hint():
    assert exercises.check(Mute()).endswith(f"Mute. {KNOWN}")
    assert told("my_mask", lambda *_: Mute()).endswith("Mute).")
    assert told("my_mask", lambda *_: torch.zeros(2, device="meta")).startswith("Not")
    assert told("my_accuracy", lambda *_: torch.zeros((), device="meta")).startswith(
        "Not yet. For ")
    assert told("my_rescale", lambda *_: 10**400).startswith("Not yet. Two cases:\n- For ")
    assert after("my_shared", torch.Tensor.to_sparse).startswith("Not yet. For ")


def test_sums_in_types_too_small_or_mixed():
    assert "int16" in told("my_sums", lambda p, w: w.to(torch.int16) @ p.to(torch.int16))
    assert "RuntimeError" in told("my_sums", lambda p, w: w @ p)


def test_each_attempt_is_kept():
    check = exercises.check

    def my_normalize(pixels):
        return pixels // 255

    said = check(my_normalize)

    def my_normalize(pixels):
        return pixels / 255

    check(my_normalize)
    kept = [text for text, _ in state.load_state()["exercises"]["my_normalize"]]
    assert kept == [said, "right"]

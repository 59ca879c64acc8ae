"""Every solution, every starter and every named mistake goes through its check."""

import ast
import re
import sys
from functools import partial

import numpy as np
import pytest
import torch

from mnist_compress import data, pruning, quantization
from mnist_compress.ui import exercises
from mnist_compress.ui.exercises import exercise_modules, load_exercise
from tools.notebooks import code_cells, paths, read

RIGHT = "Right. Your function does what the package does, on every test case."


def functions(source):
    """{name: function} that a piece of notebook code defines."""
    tree = ast.parse(source)
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    space = {"torch": torch}
    exec(compile(tree, "notebook", "exec"), space)
    return {node.name: space[node.name] for node in tree.body}


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


def told(name, function):
    """What is said of a function if it has this name."""
    def named(*arguments):
        return function(*arguments)

    named.__name__ = name
    return exercises.check(named)


def after(name, change):
    """What is said of the right function whose results are changed in kind alone."""
    return told(name, lambda *case: change(load_exercise(name).right(*case)))


def mistakes(name):
    """Pairs of a wrong function and what to say about it."""
    for mistake in load_exercise(name).mistakes:
        switches = {key: value for key, value in mistake.items() if key != "say"}
        if switches.pop("unchanged", False):
            yield lambda *case: case[0], mistake["say"]
        else:
            yield partial(load_exercise(name).right, **switches), mistake["say"]


@pytest.mark.parametrize(("name", "starter", "solution"), list(found()))
def test_the_notebooks_starter_and_solution(name, starter, solution):
    assert exercises.check(solution) == RIGHT
    assert exercises.check(starter) in [f"Not yet. {text}" for _, text in mistakes(name)]


def test_every_exercise_is_in_a_notebook():
    assert {param.values[0] for param in found()} == set(exercise_modules())


@pytest.mark.parametrize("name", exercise_modules())
def test_every_named_mistake_gets_its_own_message(name):
    texts = [text for _, text in mistakes(name)]
    assert len(texts) >= 4 and len(set(texts)) == len(texts)
    for mistake, text in mistakes(name):
        assert told(name, mistake) == f"Not yet. {text}"


def test_right_is_what_the_package_does(digits, integer):
    assert told("my_normalize", data.normalize) == RIGHT
    assert told("my_mask", pruning.magnitude_mask) == RIGHT
    assert told("my_quantize", lambda values, scale, zero_point: quantization.quantize(
        values, quantization.qparams_of(scale, zero_point, scheme="affine"))) == RIGHT
    first, pixels = integer.layers[0], data.flatten(digits.images[:20]).numpy()
    totals, outputs = integer.accumulators(pixels)[0], integer.activations(pixels)[-1]
    rescale, sums = load_exercise("my_rescale").right, load_exercise("my_sums").right
    for row, sum_, output in zip(pixels, totals, outputs, strict=True):
        mine = sums(torch.tensor(row), torch.tensor(first.weight)) + torch.tensor(first.bias)
        assert torch.equal(mine, torch.tensor(sum_))
        assert [rescale(total, int(first.multiplier), int(first.shift))
                for total in sum_.tolist()] == output.tolist()


@pytest.mark.parametrize("name", exercise_modules())
def test_what_can_go_wrong_with_any_function(name):
    def raises(*arguments):
        raise KeyError("oops")

    def mutates(*arguments):
        for argument in arguments:
            if isinstance(argument, torch.Tensor) and argument.ndim:
                argument.zero_()
        return load_exercise(name).right(*arguments)

    assert "KeyError: 'oops'" in told(name, raises)
    assert told(name, lambda *arguments: None) == \
        "Your function returns None. Did you forget `return`?"
    assert told(name, lambda *arguments: "text").startswith("Not yet. For ")
    assert "TypeError" in told(name, lambda: 1)
    if name != "my_rescale":
        assert told(name, mutates).startswith("You changed the argument itself.")


KNOWN = ("There are exercises for my_normalize, my_accuracy, my_mask, my_quantize, my_rescale, "
         "my_shared, my_sums.")


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
    assert after("my_rescale", change) == \
        f"Not yet. For 450451, 16099809, 36 it should return 106 (int); yours returns {got}."


def test_equal_numbers_of_another_kind_are_told_apart():
    wanted = "it should return [12, -50, 2, 0, 127, -128] (torch.int8, shape (6,)); yours returns "
    assert wanted + "array([  12,  -50,    2,    0,  127, -128], dtype=int8) (numpy.ndarray)." in \
        after("my_quantize", lambda right: right.numpy())
    assert wanted + "[12, -50, 2, 0, 127, -128] (list)." in \
        after("my_quantize", lambda right: right.tolist())
    assert wanted + "[[12, -50, 2, 0, 127, -128]] (torch.int8, shape (1, 6))." in \
        after("my_quantize", lambda right: right[None])
    said = after("my_quantize", lambda right: right.clamp(-100, 100))  # of the right kind
    assert said.endswith("127, -128]; yours returns [12, -50, 2, 0, 100, -100].")


def test_my_accuracy_may_be_a_plain_number():
    for change in (torch.Tensor.item, torch.Tensor.double, lambda right: np.float32(right)):
        assert after("my_accuracy", change) == RIGHT
    for change, got in ((lambda right: str(right.item()), "(str)"),
                        (lambda right: right[None], "(torch.float32, shape (1,))")):
        said = after("my_accuracy", change)
        assert said.startswith("Not yet. For ") and said.endswith(f"{got}.")
        assert "it should return 0.666" in said and "(torch.float32, shape ()); yours" in said


def test_mistakes_in_my_accuracy_are_named_as_plain_numbers_too():
    for mistake, text in mistakes("my_accuracy"):
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
    assert told("my_rescale", lambda *_: 10**400).startswith("Not yet. For ")
    assert after("my_shared", torch.Tensor.to_sparse) == (
        "Not yet. Your function returns a sparse tensor (torch.sparse_coo). Return a plain one: "
        "finish with .to_dense().")


def test_sums_in_types_too_small_or_mixed():
    assert "int16" in told("my_sums", lambda p, w: w.to(torch.int16) @ p.to(torch.int16))
    assert "RuntimeError" in told("my_sums", lambda p, w: w @ p)

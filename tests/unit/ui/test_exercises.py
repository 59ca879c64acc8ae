"""Every solution, every starter and every named mistake goes through its check."""

import ast
import re
import sys

import numpy as np
import pytest
import torch

from mnist_compress.ui import exercises
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


@pytest.mark.parametrize(("name", "starter", "solution"), list(found()))
def test_the_notebooks_starter_and_solution(name, starter, solution):
    assert exercises.check(name, solution) == RIGHT
    told = exercises.check(name, starter)
    assert told == f"Not yet. {exercises.EXERCISES[name].mistakes[0][1]}" or \
        (told.startswith("Not yet. ") and any(told.endswith(text) for _, text in
                                             exercises.EXERCISES[name].mistakes))


def test_every_exercise_is_in_a_notebook():
    assert {param.values[0] for param in found()} == set(exercises.EXERCISES)


@pytest.mark.parametrize("name", exercises.EXERCISES)
def test_every_named_mistake_gets_its_own_message(name):
    mistakes = exercises.EXERCISES[name].mistakes
    assert len(mistakes) >= 4 and len({text for _, text in mistakes}) == len(mistakes)
    for mistake, text in mistakes:
        assert exercises.check(name, mistake) == f"Not yet. {text}"


@pytest.mark.parametrize("name", exercises.EXERCISES)
def test_what_can_go_wrong_with_any_function(name):
    def raises(*arguments):
        raise KeyError("oops")

    def mutates(*arguments):
        for argument in arguments:
            if isinstance(argument, torch.Tensor) and argument.ndim:
                argument.zero_()
        return exercises.EXERCISES[name].right(*arguments)

    assert "KeyError: 'oops'" in exercises.check(name, raises)
    assert exercises.check(name, lambda *arguments: None) == \
        "Your function returns None. Did you forget `return`?"
    assert "without brackets: got 3" in exercises.check(name, 3)
    assert exercises.check(name, lambda *arguments: "text").startswith("Not yet. For ")
    assert "TypeError" in exercises.check(name, lambda: 1)
    if name != "my_rescale":
        assert exercises.check(name, mutates).startswith("You changed the argument itself.")


def test_the_check_functions(model):
    checks = (exercises.check_normalize, exercises.check_accuracy, exercises.check_mask,
              exercises.check_quantize, exercises.check_rescale, exercises.check_shared,
              exercises.check_sums)
    for check, exercise in zip(checks, exercises.EXERCISES.values(), strict=True):
        assert check(exercise.right) == RIGHT


def after(name, change):
    """What is said of the right function whose results are changed in kind alone."""
    return exercises.check(name, lambda *case: change(exercises.EXERCISES[name].right(*case)))


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
    told = after("my_quantize", lambda right: right.clamp(-100, 100))  # of the right kind
    assert told.endswith("127, -128]; yours returns [12, -50, 2, 0, 100, -100].")


def test_my_accuracy_may_be_a_plain_number():
    for change in (torch.Tensor.item, torch.Tensor.double, lambda right: np.float32(right)):
        assert after("my_accuracy", change) == RIGHT
    for change, got in ((lambda right: str(right.item()), "(str)"),
                        (lambda right: right[None], "(torch.float32, shape (1,))")):
        told = after("my_accuracy", change)
        assert told.startswith("Not yet. For ") and told.endswith(f"{got}.")
        assert "it should return 0.666" in told and "(torch.float32, shape ()); yours" in told


def test_mistakes_in_my_accuracy_are_named_as_plain_numbers_too():
    for mistake, text in exercises.EXERCISES["my_accuracy"].mistakes:
        for change in (float, lambda number: np.float32(number)):
            told = exercises.check("my_accuracy", lambda *case, m=mistake, c=change: c(m(*case)))
            assert told == f"Not yet. {text}"
    count = exercises.check("my_accuracy", lambda logits, labels:
                            (logits.argmax(1) == labels).sum().item())
    assert count.startswith("Not yet. You counted the right answers.")
    assert exercises.check("my_accuracy", lambda *_: 0).startswith("Not yet. Your function always")
    assert exercises.check("my_accuracy", lambda logits, labels: 100 * (
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

    assert exercises.check("my_mask", stops) == \
        "Your code stopped at the line `sys.exit()` with SystemExit"
    assert exercises.check("my_mask", fails) == \
        "Your code stopped at the line `raise Mute` with Mute"
    with pytest.raises(KeyboardInterrupt):
        exercises.check("my_mask", interrupted)


def test_whatever_a_function_returns_becomes_a_hint():
    assert exercises.check("my_mask", Mute()).endswith("Mute.")
    assert exercises.check("my_mask", lambda *_: Mute()).endswith("Mute).")
    assert exercises.check("my_mask", lambda *_: torch.zeros(2, device="meta")).startswith("Not")
    assert exercises.check("my_accuracy", lambda *_: torch.zeros((), device="meta")).startswith(
        "Not yet. For ")
    assert exercises.check("my_rescale", lambda *_: 10**400).startswith("Not yet. For ")
    assert after("my_shared", torch.Tensor.to_sparse) == (
        "Not yet. Your function returns a sparse tensor (torch.sparse_coo). Return a plain one: "
        "finish with .to_dense().")


def test_an_unknown_exercise_is_refused():
    with pytest.raises(ValueError, match=r"no exercise 'x'; there are my_normalize, my_accuracy, "):
        exercises.check("x", len)

"""Every solution, every starter and every named mistake goes through its check."""

import ast
import re
import sys
from pathlib import Path

import pytest
import torch

from mnist_compress.ui import exercises

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
from notebooks import code_cells, paths, read

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
    checks = (exercises.check_normalise, exercises.check_accuracy, exercises.check_mask,
              exercises.check_quantize, exercises.check_rescale, exercises.check_shared,
              exercises.check_sums)
    for check, exercise in zip(checks, exercises.EXERCISES.values(), strict=True):
        assert check(exercise.right) == RIGHT

"""What a notebook promises is taught on its main path and checked; test digits are asked once.

promises.json: {notebook: [{promise, taught: a text of a cell before "Go deeper", check: an exercise
that the notebook hands out or a question that it asks}]}. A promise of two parts has two entries.
"""

import ast
import json
import re
from pathlib import Path

import pytest

from tools.notebooks import code_cells, main_path, paths, read

PROMISES = json.loads(Path(__file__).with_name("promises.json").read_text("utf-8"))
NOT_YET = {  # waits for its notebook to be rewritten; strict, as in test_form
    "promises": [],
    "test digits": [],
}


def each(what):
    """All notebooks, those of NOT_YET marked as failing."""
    late = pytest.mark.xfail(reason="waits for its notebook to be rewritten", strict=True)
    return pytest.mark.parametrize("path", [
        pytest.param(path, id=path.stem, marks=[late] if path.stem in NOT_YET[what] else [])
        for path in paths() if path.stem != "00_story" or what != "promises"])


def words(text):
    """The words of a text, in small letters."""
    return set(re.findall(r"\w+", text.lower()))


@each("promises")
def test_each_promise_is_taught_and_checked(path):
    notebook, kept = read(path), PROMISES[path.stem]
    promised = re.findall(r"^- (.*)$", notebook.cells[0].source, re.MULTILINE)
    assert 2 <= len(promised) <= 3
    for text in promised:
        parts = [one for one in kept if words(one["promise"]) <= words(text)]
        assert parts, text
        left = words(text).difference(*(words(one["promise"]) for one in parts))
        assert left <= {"and", "or", "when", "it", "is"}, left  # nothing promised but not kept
    code = "\n".join(cell.source for cell in code_cells(notebook))
    for one in kept:
        assert any(words(one["promise"]) <= words(text) for text in promised), one["promise"]
        assert any(one["taught"] in cell.source for cell in main_path(notebook)), one["taught"]
        name = one["check"]
        asked = re.search(rf'^quiz\(.*"{name}"', code, re.MULTILINE)
        assert asked or f"check({name})" in code, name


def uses(cell, name):
    """Whether a cell reads this name, and whether it sets it."""
    found = [type(node.ctx) for node in ast.walk(ast.parse(cell.source))
             if isinstance(node, ast.Name) and node.id == name]
    return ast.Load in found, ast.Store in found


@each("test digits")
def test_the_test_digits_are_asked_in_at_most_one_cell(path):
    asking = [cell.source for cell in code_cells(read(path)) if uses(cell, "test") == (True, False)]
    assert len(asking) <= 1, asking
    assert path.stem != "01_data" or not asking

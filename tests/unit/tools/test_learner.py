"""Learners work on copies of their own, which no later edition overwrites."""

import json
import shutil

import nbformat
import pytest

from tools import learner
from tools.notebooks import FOLDER, code_cells, read


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course with two notebooks."""
    (tmp_path / "notebooks").mkdir()
    for name in ("00_story", "03_pruning"):
        shutil.copy(FOLDER / f"{name}.ipynb", tmp_path / "notebooks")
    monkeypatch.setattr(learner, "ROOT", tmp_path)
    return tmp_path


def change(path, words, output=False):
    """Write into the first markdown cell of a notebook, or an output into its first code cell."""
    notebook = json.loads(path.read_text("utf-8"))
    if output:
        cell = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": words}]
    else:
        notebook["cells"][0]["source"] = words
    path.write_text(json.dumps(notebook), "utf-8")


def test_copies_have_all_cells_and_no_outputs(course):
    folder = learner.update()
    assert sorted(path.name for path in folder.iterdir()) == ["00_story.ipynb", "03_pruning.ipynb"]
    for path in folder.iterdir():
        copy, original = read(path), read(FOLDER / path.name)
        nbformat.validate(copy)
        assert [cell.source for cell in copy.cells] == [cell.source for cell in original.cells]
        assert [cell.metadata for cell in copy.cells] == [c.metadata for c in original.cells]
        assert not any(cell.outputs or cell.execution_count for cell in code_cells(copy))


@pytest.mark.parametrize("what", ["words", "output", "damage", None])
def test_a_newer_edition_never_overwrites_what_the_learner_did(course, capsys, what):
    mine = learner.update() / "03_pruning.ipynb"
    if what == "damage":
        mine.write_text("{")
    elif what:
        change(mine, "# Mine", what == "output")
    kept = mine.read_bytes()
    learner.update()  # the same edition
    if what != "damage":
        assert mine.read_bytes() == kept and not capsys.readouterr().out
    change(course / "notebooks" / "03_pruning.ipynb", "# What is new?")
    learner.update()
    learner.update()  # says it once
    others = list(mine.parent.glob("03_pruning-*.ipynb"))
    if what:
        assert mine.read_bytes() == kept
        new = [path for path in others if read(path).cells[0].source == "# What is new?"]
        assert len(new) == 1
        assert capsys.readouterr().out.count(f"the new one is {new[0].name}.") == 1
    else:
        assert read(mine).cells[0].source == "# What is new?" and not others


def test_a_course_that_cannot_be_written_has_its_copies_in_the_users_folder(
        course, monkeypatch, tmp_path):
    monkeypatch.setattr(learner.os, "access", lambda path, mode: False)
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: tmp_path / "data" / name)
    assert learner.update() == tmp_path / "data" / "mnist_compress" / "learn"
    (course / "learn").mkdir()  # whoever set the course up for all has it
    assert learner.folder() == tmp_path / "data" / "mnist_compress" / "learn"
    monkeypatch.undo()
    assert learner.folder() in (course / "learn", learner.ROOT / "learn")

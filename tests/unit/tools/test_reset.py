"""Reset brings a notebook back and keeps the learner's copy."""

import shutil

import pytest

from tools import learner, reset
from tools.notebooks import FOLDER


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A course with one notebook; its learner's folder."""
    (tmp_path / "notebooks").mkdir()
    shutil.copy(FOLDER / "03_pruning.ipynb", tmp_path / "notebooks")
    for module in (reset, learner):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    return tmp_path / "learn"


def test_reset_keeps_the_learners_copy(folder, capsys):
    path = folder / "03_pruning.ipynb"
    assert reset.main("03") == 0
    original = path.read_text("utf-8")
    assert reset.main("03") == 0 and "as shipped already" in capsys.readouterr().out
    for count in (1, 2):
        path.write_text(f"mine {count}")
        assert reset.main("03") == 0
        assert path.read_text("utf-8") == original
        assert (folder / f"my-{count}-03_pruning.ipynb").read_text() == f"mine {count}"
    assert reset.main("3") == "Say which one: make reset NOTEBOOK=03. There are 03; got '3'."
    assert "got ''" in reset.main()

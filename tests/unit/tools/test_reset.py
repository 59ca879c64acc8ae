"""Reset brings a notebook back and keeps the learner's copy."""

import subprocess

import pytest

from tools import reset


@pytest.mark.parametrize("inside", [".", "courses/small"])
def test_reset_keeps_the_learners_copy(tmp_path, monkeypatch, capsys, inside):
    """Also where the course is a folder of a larger repository."""
    root = tmp_path / inside
    folder = root / "notebooks"
    folder.mkdir(parents=True)
    path = folder / "03_pruning.ipynb"
    path.write_text("as shipped")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "all"]):
        subprocess.run([*git, *command], check=True)
    monkeypatch.setattr(reset, "ROOT", root)
    assert reset.main("03") == 0 and "as shipped already" in capsys.readouterr().out
    for count in (1, 2):
        path.write_text(f"mine {count}")
        assert reset.main("03") == 0
        assert path.read_text() == "as shipped"
        assert (folder / f"my-{count}-03_pruning.ipynb").read_text() == f"mine {count}"
    assert reset.main("3") == "Say which one: make reset NOTEBOOK=03. There are 03; got '3'."


def test_reset_without_git_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(reset, "ROOT", tmp_path)
    assert "Unpack the course once more" in reset.main("03")

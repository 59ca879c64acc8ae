"""The tools behind the make targets: what they refuse, mend and keep."""

import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[1] / "tools"
from tools import check, lab, notebooks, reset, setup


@pytest.mark.parametrize("version, fine", [
    ((3, 10, 9), False), ((3, 11, 0), True), ((3, 13, 5), True), ((3, 14, 0), True),
    ((3, 14, 1), False), ((3, 14, 2), True), ((3, 15, 0), False)])
def test_setup_names_the_pythons_it_takes(version, fine):
    told = setup.problem("install", version=version)
    assert told is None if fine else (
        told.startswith(f"This is Python {'.'.join(map(str, version))}; the course needs 3.11 to "
                        "3.14") and "make PYTHON=" in told)


def test_setup_needs_the_venv_module(monkeypatch):
    find = setup.importlib.util.find_spec
    monkeypatch.setattr(setup.importlib.util, "find_spec",
                        lambda name: None if name == "ensurepip" else find(name))
    assert "apt install python3.11-venv" in setup.problem("install", version=(3, 11, 2))


def test_setup_refuses_what_it_does_not_know(tmp_path):
    assert setup.main("instal") == "The action is one of install, wheels; got 'instal'."
    assert setup.main() == "The action is one of install, wheels; got ''."
    assert "no folder" in setup.problem("install", wheels=str(tmp_path / "none"))
    assert "no wheels in the folder" in setup.problem("install", wheels=str(tmp_path))
    (tmp_path / "a-1-py3-none-any.whl").write_bytes(bytes(2_000_000))
    assert setup.problem("install", wheels=str(tmp_path)) is None
    assert setup.sizes(wheels=str(tmp_path)) == (0.0, pytest.approx(0.0042))


def test_an_environment_without_pip_is_made_anew(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "v")], check=True)
    for _ in range(2):
        pip = setup.make_venv(tmp_path / "v")
        assert subprocess.run([*pip, "--version"], capture_output=True, check=True).stdout
        (tmp_path / "v" / "kept").touch(exist_ok=True)
    assert (tmp_path / "v" / "kept").exists()  # a sound one is left alone


@pytest.mark.parametrize("port", ["0", "-5", "99999", "eight", ""])
def test_lab_refuses_a_port_that_cannot_be(port, capsys):
    assert lab.main(port) == 2
    assert f"got {port!r}" in capsys.readouterr().out


def test_names_that_match_nothing_are_refused(capsys):
    assert [path.name[:2] for path in notebooks.paths("03", "05")] == ["03", "05"]
    with pytest.raises(SystemExit, match="got 3"):
        notebooks.paths("3")
    assert check.main("unitt") == 2
    assert "parts are lint, unit, notebooks, browser; got unitt" in capsys.readouterr().out


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

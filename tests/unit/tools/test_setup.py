"""Which Pythons and folders the set-up takes, and what it mends."""

import subprocess
import sys

import pytest

from tools import ROOT, setup


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


@pytest.mark.parametrize("command, told", [
    (["tools.setup", "instal"], "The action is one of install, wheels; got 'instal'."),
    (["tools.reset", "3"], "Say which one: make reset NOTEBOOK=03.")])
def test_set_up_and_reset_run_before_anything_is_installed(command, told):
    done = subprocess.run([sys.executable, "-S", "-m", *command], cwd=ROOT, check=False,
                          capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith(told)

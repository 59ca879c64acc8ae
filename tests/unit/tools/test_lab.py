"""Jupyter's own loaders find the settings of the course, and `make lab` adds one."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
from jupyter_server.extension.config import ExtensionConfigManager
from jupyterlab_server.settings_utils import _get_overrides

from tools import ROOT, lab

INSTALLED = ROOT / "tools" / "jupyter" / "installed"
NEWS = "@jupyterlab/apputils-extension:notification"
KERNELS = "@jupyterlab/notebook-extension:tracker"
WIDGETS = "@jupyter-widgets/jupyterlab-manager:plugin"


@pytest.fixture
def overrides(monkeypatch, tmp_path):
    """What JupyterLab finds where the configuration is in these folders."""
    def found(*folders):
        monkeypatch.setattr("jupyter_server.services.config.manager.jupyter_config_path",
                            lambda: [str(tmp_path), *map(str, folders)])
        settings, error = _get_overrides(str(tmp_path))
        assert not error
        return settings
    return found


def test_news_and_updates_are_off_and_kernels_end_with_their_notebook(overrides):
    settings = overrides(INSTALLED)
    assert settings[NEWS] == {"fetchNews": "false", "checkForUpdates": False}
    assert settings[KERNELS] == {"kernelShutdown": True}
    assert WIDGETS not in settings  # what is committed stays free of their state


def test_widgets_keep_what_they_showed_in_a_learners_copy(overrides):
    settings = overrides(lab.SETTINGS, INSTALLED)
    assert settings[WIDGETS] == {"saveState": True}
    assert settings[KERNELS] == {"kernelShutdown": True}


def test_the_server_finds_what_sends_answers_at_once():
    manager = ExtensionConfigManager(read_config_path=[str(INSTALLED)])
    assert manager.get_jpserver_extensions() == {"mnist_compress.ui.server": True}


@pytest.mark.parametrize("port", ["0", "-5", "99999", "eight", ""])
def test_lab_refuses_a_port_that_cannot_be(port, capsys):
    assert lab.main(port) == 2
    assert f"got {port!r}" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_ctrl_c_asks_and_waits_for_the_answer(tmp_path):
    import pty

    mine, theirs = pty.openpty()
    code = ("from pathlib import Path; from tools import lab; "
            f"lab.learner.folder = lambda: Path({str(tmp_path / 'learn')!r}); "
            "lab.main('38765', '--no-browser')")
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdin=theirs, stdout=theirs,
                               stderr=theirs, start_new_session=True,
                               env={**os.environ, "JUPYTER_RUNTIME_DIR": str(tmp_path / "run")})
    os.close(theirs)
    try:
        said = until(mine, r"lab/tree/00_story\.ipynb")
        os.killpg(process.pid, signal.SIGINT)
        said += until(mine, r"Shut ?down this Jupyter server \(y/\[n\]\)\?")
        time.sleep(1)  # today's answer is not here yet
        assert process.poll() is None
        os.write(mine, b"y\n")
        until(mine, r"[Ss]hutting down")
        assert process.wait(20) == 0
        assert "Traceback" not in said
        assert (tmp_path / "learn" / "00_story.ipynb").is_file()
    finally:
        process.kill()
        os.close(mine)


def until(terminal, pattern, seconds=40):
    """What a terminal says until a pattern is found in it."""
    import select

    said, end = "", time.monotonic() + seconds
    while not re.search(pattern, said):
        assert select.select([terminal], [], [], end - time.monotonic())[0], said
        said += os.read(terminal, 4096).decode()
    return said

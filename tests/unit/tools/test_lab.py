"""What `make lab` writes for JupyterLab is what Jupyter's own loaders read."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from jupyter_server.serverapp import ServerApp
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from traitlets.config.loader import PyFileConfigLoader

from tools import ROOT, lab
from tools.lab import SETTINGS, write_settings


@pytest.fixture
def config(tmp_path):
    write_settings(tmp_path)
    return tmp_path


def test_news_and_updates_are_off_and_kernels_end_with_their_notebook(config):
    path = config / "labconfig" / "default_setting_overrides.json"
    assert json.loads(path.read_text()) == SETTINGS
    assert SETTINGS["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
    assert SETTINGS["@jupyterlab/notebook-extension:tracker"]["kernelShutdown"] is True
    assert SETTINGS["@jupyter-widgets/jupyterlab-manager:plugin"]["saveState"] is True


def test_small_answers_are_sent_at_once(config, monkeypatch):
    found = PyFileConfigLoader("jupyter_server_config.py", path=str(config)).load_config()
    server = ServerApp(config=found)
    quick = server.kernel_websocket_connection_class
    assert issubclass(quick, ZMQChannelsWebsocketConnection)

    asked = []

    class Handler:
        set_nodelay = staticmethod(asked.append)

    monkeypatch.setattr(ZMQChannelsWebsocketConnection, "connect", lambda self: "connected")
    monkeypatch.setattr(quick, "websocket_handler", Handler, raising=False)
    assert quick.__new__(quick).connect() == "connected"
    assert asked == [True]


@pytest.mark.parametrize("port", ["0", "-5", "99999", "eight", ""])
def test_lab_refuses_a_port_that_cannot_be(port, capsys):
    assert lab.main(port) == 2
    assert f"got {port!r}" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_ctrl_c_asks_and_waits_for_the_answer(tmp_path):
    import pty

    mine, theirs = pty.openpty()
    code = ("from pathlib import Path; from tools import lab; lab.write_settings = lambda _: None; "
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

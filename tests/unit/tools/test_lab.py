"""What `make lab` writes for JupyterLab is what Jupyter's own loaders read."""

import json

import pytest
from jupyter_server.serverapp import ServerApp
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from traitlets.config.loader import PyFileConfigLoader

from tools import lab
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

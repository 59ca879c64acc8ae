"""Open JupyterLab on the learner's notebooks: no news, no update checks, kernels end with them."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

from tools import ROOT, learner

SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension:tracker": {"kernelShutdown": True},
    # reopened, widgets show what they last showed; what `make execute` writes is free of it
    "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},
}
# Without this, a small answer waits until the browser's system has confirmed the one before, which
# Linux puts off for 40 ms (Nagle's algorithm and delayed acknowledgements).
SERVER = '''
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class QuickConnection(ZMQChannelsWebsocketConnection):
    def connect(self):
        self.websocket_handler.set_nodelay(True)
        return super().connect()


c.ServerApp.kernel_websocket_connection_class = QuickConnection
'''
OPTIONS = (
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
)


def has_desktop():
    """Whether a browser window could open here."""
    if sys.platform in ("darwin", "win32"):
        return not os.environ.get("SSH_CONNECTION")
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def write_settings(config):
    """Write the defaults that JupyterLab reads from a Jupyter configuration folder."""
    path = Path(config, "labconfig", "default_setting_overrides.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(SETTINGS, indent=1))
    Path(config, "jupyter_server_config.py").write_text(SERVER.lstrip())


def main(port="8888", *options):
    """Start JupyterLab; further options go to it as they are."""
    if not (port.isdigit() and 0 < int(port) < 65536):
        print(f"A port is a whole number from 1 to 65535; got {port!r}. Say make lab PORT=8888.")
        return 2
    write_settings(Path(sys.prefix, "etc", "jupyter"))
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={learner.update()}",
               "--LabApp.default_url=/lab/tree/00_story.ipynb", f"--port={port}", *OPTIONS]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    if not has_desktop():
        command.append("--no-browser")
        print("There is no desktop here: open the address below in a browser.", flush=True)
    os.chdir(ROOT)
    if sys.platform != "win32":  # JupyterLab takes this process over, so Ctrl-C reaches it alone
        os.execv(command[0], [*command, *options])
    with contextlib.suppress(KeyboardInterrupt):  # it asks, and ends its kernels by itself
        return subprocess.run([*command, *options], check=False).returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

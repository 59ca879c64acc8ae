"""Open JupyterLab on the learner's notebooks, with the settings of tools/jupyter/learner on top."""

import contextlib
import os
import subprocess
import sys

from tools import ROOT, learner

# Only where a learner's copies are opened: a widget that is seen again shows what it last showed.
SETTINGS = ROOT / "tools" / "jupyter" / "learner"
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


def main(port="8888", *options):
    """Start JupyterLab; further options go to it as they are."""
    if not (port.isdigit() and 0 < int(port) < 65536):
        print(f"A port is a whole number from 1 to 65535; got {port!r}. Say make lab PORT=8888.")
        return 2
    more = os.environ.get("JUPYTER_CONFIG_PATH")
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join([str(SETTINGS), *([more] if more else [])])
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

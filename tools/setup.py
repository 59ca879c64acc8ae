"""Create .venv and install the course into it, or collect its wheels. Standard library only."""

import hashlib
import importlib.util
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path
from urllib.parse import unquote

from tools import ROOT

VERSIONS = (3, 11), (3, 14)
REFUSED = (3, 14, 1)  # by torchvision and networkx
ACTIONS = {"lab": ".[chip]", "test": ".[test]", "wheels": ".[chip,build]"}  # and what they install
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CARDS = "/dev/nvidiactl", "/dev/nvidia0", "/usr/lib/wsl/lib/libcuda.so.1"  # signs of one on Linux
PATIENCE = 5.0  # seconds to wait for PyTorch's index
# (download, on disk) in GB. PyPI's torch for Linux brings the CUDA libraries along.
WITH_CUDA, CPU_ONLY, TEST_TOOLS = (3.1, 6.3), (0.5, 1.7), (0.1, 0.4)
UNPACKED = 2.1  # times the size of the wheels


def problem(action, wheels="", version=sys.version_info[:3], root=ROOT):
    """Why this cannot work, or None."""
    low, high = (".".join(map(str, each)) for each in VERSIONS)
    if action not in ACTIONS:
        return f"The action is one of {', '.join(ACTIONS)}; got {action!r}."
    if not VERSIONS[0] <= version[:2] <= VERSIONS[1] or version == REFUSED:
        but = f", but not {'.'.join(map(str, REFUSED))}" if version == REFUSED else ""
        return (f"This is Python {'.'.join(map(str, version))}; the course needs {low} to {high}"
                f"{but}. Choose another one with make PYTHON=/path/to/python3.")
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        return ("This Python has no venv module. On Debian and Ubuntu: "
                f"apt install python3.{version[1]}-venv")
    if os.name == "posix" and ":" in str(root):
        return (f"The path {root} has a colon, which Python's environments cannot have. "
                "Rename or move this folder, then run make again.")
    if wheels and not Path(wheels).is_dir():
        return f"There is no folder {wheels!r}. Make one with make wheels where there is a network."
    if wheels and not any(Path(wheels).glob("*.whl")):
        return f"There are no wheels in the folder {wheels!r}. Make them with make wheels."
    return None


def choose_index(system=sys.platform, seconds=PATIENCE):
    """(wheel index for PyTorch or "" for PyPI, why): its CPU build on Linux without a card."""
    if system != "linux":
        return "", ""
    if any(os.path.exists(sign) for sign in CARDS):
        return "", "There is a graphics card: PyTorch comes with its CUDA libraries."
    pages = []

    def ask():
        request = urllib.request.Request(f"{CPU_INDEX}/torch/", headers={"Accept": "text/html"})
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            pages.append(unquote(answer.read(1 << 24).decode()))

    asking = threading.Thread(target=_quietly, args=(ask,), daemon=True)  # names may hang as well
    asking.start()
    asking.join(seconds)
    pin = re.search(r"^torch==(\S+)", (ROOT / "constraints.txt").read_text("utf-8"), re.M)[1]
    minor = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    wheel = rf"torch-{re.escape(pin)}\+cpu-{minor}-{minor}-\w*{platform.machine()}"
    if pages and re.search(wheel, pages[0]):
        return CPU_INDEX, "There is no graphics card: PyTorch comes as its CPU build."
    return "", (f"There is no graphics card, but {CPU_INDEX} "
                f"{'has no fitting PyTorch' if pages else 'does not answer'}. "
                "PyTorch comes from PyPI, with CUDA libraries that stay unused.")


def _quietly(ask):
    try:
        ask()
    except Exception:  # whatever goes wrong there, PyPI is left
        return


def sizes(action="lab", index="", wheels=""):
    """(download, on disk) in GB, about."""
    if wheels:
        return 0.0, UNPACKED * sum(file.stat().st_size for file in Path(wheels).iterdir()) / 1e9
    download, disk = WITH_CUDA if sys.platform == "linux" and not index else CPU_ONLY
    more = TEST_TOOLS if action == "test" else (0.0, 0.0)
    return download + more[0], disk + more[1]


def stamp(action):
    """What the environment is made for: the folder it lies in (.venv may be a link), versions."""
    texts = b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))
    root = str((ROOT / ".venv").resolve().parent)
    return {"root": root, "versions": hashlib.sha256(texts).hexdigest(), "for": action}


def stamped(folder):
    """What `stamp` said when the environment was made, or {}."""
    try:
        return dict(json.loads(Path(folder, ".ready").read_text("utf-8")))
    except (OSError, ValueError):
        return {}


def ready(action):
    """Whether nothing is left to do for `lab` or `test`, as the environment's own Python asks."""
    return stamped(ROOT / ".venv") in (stamp(action), stamp("test"))


def main(action="", index="auto", wheels=""):
    """`action`: one of ACTIONS; `index`: a wheel index, "" for none; `wheels`: a local folder."""
    if action == "ready":
        return int(not ready(index))
    if wrong := problem(action, wheels):
        return wrong
    if index == "auto":
        index, why = ("", "") if wheels else choose_index()
        print(why, end="\n" if why else "", flush=True)
    folder = ROOT / ("wheels" if action == "wheels" else ".venv")
    download, disk = sizes(action, index, wheels)
    source = f"the folder {wheels}" if wheels else f"the network (about {download:g} GB)"
    needs = download if action == "wheels" else disk
    print(f"Installing into {folder.name} from {source}; about {needs:.1f} GB on disk.", flush=True)
    here = sum(path.lstat().st_size for path in folder.rglob("*")) / 1e9 if folder.is_dir() else 0
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < max(needs - here, 0.1):
        return f"There are only {free:.1f} GB free here."
    pip = [*make_venv(ROOT / ".venv"), "--disable-pip-version-check"]
    extra = ["--extra-index-url", index] if index else []
    if wheels:
        extra = ["--no-index", "--find-links", wheels]
    what = ACTIONS[action]
    if action == "wheels":
        run(*pip, "download", "-q", "-d", "wheels", "-c", "constraints.txt", *extra, what)
        print("Copy this folder to each machine, then: make lab WHEELS=wheels")
        return None
    if stamped(folder).get("for") == "test":  # what is there stays up to date as a whole
        action, what = "test", ACTIONS["test"]
    run(*pip, "install", "-q", "-c", "constraints.txt", *extra, "-e", what)
    Path(folder, ".ready").write_text(json.dumps(stamp(action)), "utf-8")
    return None


def make_venv(folder):
    """The command for pip in the environment `folder`, made anew unless its pip works.

    An interrupted set-up can leave an environment without pip, which no second try would mend. One
    whose folder was moved or copied names its old place in many files.
    """
    python = Path(folder, "Scripts" if sys.platform == "win32" else "bin", "python")
    pip = [str(python), "-m", "pip"]
    root = str(folder.resolve().parent)
    moved = stamped(folder).get("root", root) != root
    if moved:
        print("This folder was moved or copied since it was set up; it is set up again.")
    try:
        works = not subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode
    except OSError:
        works = False
    if moved or not works:
        run(sys.executable, "-m", "venv", "--clear", str(folder))
    return pip


def run(*command):
    """Run a command in the project's folder and stop with its exit code if it fails.

    It is in a group of its own, so that Ctrl-C ends it without what it would say of that.
    """
    here = {**os.environ, "PIP_USER": "0"}  # whatever a pip.conf says
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=ROOT, env=here, stderr=said, start_new_session=True)
        try:
            code = process.wait()
        except KeyboardInterrupt:
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGINT)
            else:
                process.terminate()
            process.wait()
            sys.exit("\nStopped. Nothing is lost; run make again to go on.")
        said.seek(0)
        print(said.read().decode(errors="replace"), end="", file=sys.stderr)
    if code:
        print(f"\nThis failed: {' '.join(map(str, command))}\n"
              "Nothing is lost; run make again to go on.", file=sys.stderr)
        sys.exit(code)


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("\nStopped. Run make again to go on.")

"""Create .venv and install the course into it, or collect its wheels. Standard library only."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from tools import ROOT

VERSIONS = (3, 11), (3, 14)
REFUSED = (3, 14, 1)  # by torchvision and networkx
ACTIONS = ("install", "wheels")
# (download, on disk) in GB. PyPI's torch for Linux brings the CUDA libraries along.
WITH_CUDA, CPU_ONLY = (3.1, 7.0), (0.6, 2.5)
UNPACKED = 2.1  # times the size of the wheels


def problem(action, wheels="", version=sys.version_info[:3]):
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
    if wheels and not Path(wheels).is_dir():
        return f"There is no folder {wheels!r}. Make one with make wheels where there is a network."
    if wheels and not any(Path(wheels).glob("*.whl")):
        return f"There are no wheels in the folder {wheels!r}. Make them with make wheels."
    return None


def sizes(index="", wheels=""):
    """(download, on disk) in GB, about."""
    if wheels:
        return 0.0, UNPACKED * sum(file.stat().st_size for file in Path(wheels).iterdir()) / 1e9
    return WITH_CUDA if sys.platform == "linux" and not index else CPU_ONLY


def main(action="", index="", wheels=""):
    """`action` is install or wheels; `index` an extra wheel index; `wheels` a local folder."""
    if wrong := problem(action, wheels):
        return wrong
    download, disk = sizes(index, wheels)
    free = shutil.disk_usage(ROOT).free / 1e9
    source = f"the folder {wheels}" if wheels else f"the network (about {download:g} GB)"
    where = ".venv" if action == "install" else "wheels"
    needs = disk if action == "install" else download
    print(f"Installing into {where} from {source}; about {needs:.1f} GB on disk.", flush=True)
    if sys.platform == "linux" and not (index or wheels):
        print("Without a graphics card, the CPU-only build is a quarter of that:\n"
              f"  make {'lab' if action == 'install' else 'wheels'} "
              "TORCH_INDEX=https://download.pytorch.org/whl/cpu", flush=True)
    if free < needs:
        return f"There are only {free:.1f} GB free here."
    pip = [*make_venv(ROOT / ".venv"), "--disable-pip-version-check"]
    extra = ["--extra-index-url", index] if index else []
    if wheels:
        extra = ["--no-index", "--find-links", wheels]
    if action == "wheels":
        run(*pip, "download", "-q", "-d", "wheels", "-c", "constraints.txt", *extra, ".[test]")
        print("Copy this folder to each machine, then: make lab WHEELS=wheels")
    else:
        run(*pip, "install", "-q", "-c", "constraints.txt", *extra, "-e", ".[test]")
    return None


def make_venv(folder):
    """The command for pip in the environment `folder`, made anew unless its pip works.

    An interrupted set-up can leave an environment without pip, which no second try would mend.
    """
    python = Path(folder, "Scripts" if sys.platform == "win32" else "bin", "python")
    pip = [str(python), "-m", "pip"]
    try:
        works = not subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode
    except OSError:
        works = False
    if not works:
        run(sys.executable, "-m", "venv", "--clear", str(folder))
    return pip


def run(*command):
    """Run a command in the project's folder and stop with its exit code if it fails."""
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if code:
        print(f"\nThis failed: {' '.join(map(str, command))}\n"
              "Nothing is lost; run make again to go on.", file=sys.stderr)
        sys.exit(code)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

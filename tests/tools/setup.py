"""Create .venv and install the course into it, or collect its wheels. Standard library only."""

import importlib.util
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = (3, 11), (3, 14)
# (download, on disk) in GB. PyPI's torch for Linux brings the CUDA libraries along.
WITH_CUDA, CPU_ONLY = (3.0, 6.5), (0.5, 2.0)


def main(action, index="", wheels=""):
    """`action` is install or wheels; `index` an extra wheel index; `wheels` a local folder."""
    low, high = (".".join(map(str, version)) for version in VERSIONS)
    if not VERSIONS[0] <= sys.version_info[:2] <= VERSIONS[1]:
        return (f"This is Python {platform.python_version()}; the course needs {low} to {high}. "
                "Choose another one with make PYTHON=/path/to/python3.")
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        return ("This Python has no venv module. On Debian and Ubuntu: "
                f"apt install python3.{sys.version_info[1]}-venv")
    if wheels and not Path(wheels).is_dir():
        return f"There is no folder {wheels!r}. Make one with make wheels where there is a network."
    download, disk = WITH_CUDA if sys.platform == "linux" and not index else CPU_ONLY
    free = shutil.disk_usage(ROOT).free / 1e9
    source = f"the folder {wheels}" if wheels else f"the network (about {download:g} GB)"
    where = ".venv" if action == "install" else "wheels"
    needs = disk if action == "install" else download
    print(f"Installing into {where} from {source}; about {needs:g} GB on disk.", flush=True)
    if sys.platform == "linux" and not (index or wheels):
        print("Without a graphics card, the CPU-only build is a quarter of that:\n"
              f"  make {'lab' if action == 'install' else 'wheels'} "
              "TORCH_INDEX=https://download.pytorch.org/whl/cpu", flush=True)
    if free < needs:
        return f"There are only {free:.1f} GB free here."
    python = Path(".venv", "Scripts" if sys.platform == "win32" else "bin", "python")
    if not (ROOT / python).exists():
        run(sys.executable, "-m", "venv", ".venv")
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    extra = ["--extra-index-url", index] if index else []
    if wheels:
        extra = ["--no-index", "--find-links", wheels]
    if action == "wheels":
        run(*pip, "download", "-q", "-d", "wheels", "-c", "constraints.txt", *extra, ".[test]")
        print("Copy this folder to each machine, then: make lab WHEELS=wheels")
    else:
        run(*pip, "install", "-q", "-c", "constraints.txt", *extra, "-e", ".[test]")


def run(*command):
    """Run a command in the project's folder and stop with its exit code if it fails."""
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if code:
        print(f"\nThis failed: {' '.join(map(str, command))}\n"
              "Nothing is lost; run make again to go on.", file=sys.stderr)
        sys.exit(code)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""Has every dependency a wheel on every platform that README promises? Asks the package index."""

import os
import subprocess
import sys

from tools import ROOT

PLATFORMS = {  # our name: uv's
    "Linux x86-64": "x86_64-manylinux_2_28",
    "Linux ARM": "aarch64-manylinux_2_28",
    "macOS ARM": "aarch64-apple-darwin",
    "Windows x86-64": "x86_64-pc-windows-msvc",
}
VERSIONS = "3.11", "3.14"  # those at the ends
MACOS = "14.0"


def missing(platform, version):
    """What uv says is missing there, or no text."""
    done = subprocess.run(
        [sys.executable, "-m", "uv", "pip", "compile", "-q", "--only-binary", ":all:",
         "-c", "constraints.txt", "--extra", "chip", "--python-platform", platform,
         "--python-version", version, "pyproject.toml"], cwd=ROOT, capture_output=True, text=True,
        check=False, env=os.environ | {"MACOSX_DEPLOYMENT_TARGET": MACOS})
    return done.stderr if done.returncode else ""


def main():
    """Print what each platform lacks; how many lack something."""
    wrong = 0
    for name, platform in PLATFORMS.items():
        for version in VERSIONS:
            said = missing(platform, version)
            print(f"{name}, Python {version}: {said or 'all wheels are there'}", flush=True)
            wrong += bool(said)
    return wrong


if __name__ == "__main__":
    sys.exit(main())

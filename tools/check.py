"""All checks of `make test`, one after the other: lint, unit, notebooks, browser.

REQUIRE_BROWSER=1 makes a missing Chromium a failure. Parts can be chosen, as in
python -m tools.check unit browser
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from tools import ROOT
from tools.notebooks import CELL_SECONDS, code_cells, paths, read

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def python(*arguments, env=None, show=True):
    """Run a Python module in the project's folder: (exit code, output), shown as it comes."""
    command = [sys.executable, "-m", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, text=True, env={**os.environ, **(env or {})},
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    lines = []
    for line in process.stdout:
        lines.append(line)
        if show:
            print(line, end="", flush=True)
    return process.wait(), "".join(lines)


def validate(path, env=None):
    """Strict nbval on one notebook with a state folder of its own; every code cell must pass.

    Shows what pytest said at the end, as two notebooks may run at once.
    """
    with tempfile.TemporaryDirectory() as state:
        code, text = python(
            "pytest", "-q", "-p", "no:cacheprovider", "--no-header", "--nbval",
            "--nbval-current-env", f"--nbval-cell-timeout={CELL_SECONDS}", str(path),
            env={"MNIST_COMPRESS_STATE": state, **(env or {})}, show=False)
    print(f"{path.name}\n{text}", end="", flush=True)
    passed = re.search(r"(\d+) passed", text)
    wanted = len(code_cells(read(path)))
    if not code and (not passed or int(passed[1]) != wanted):
        print(f"{path.name}: {wanted} code cells, but {passed and passed[1]} passed")
        return 1
    return code


def lint():
    return max(python("ruff", "check", ".")[0], python("mypy")[0])


def unit(*options, **env):
    return python("pytest", "tests/unit", "-q", "-n", "2", "--dist", "worksteal",
                  *options, env={"OMP_NUM_THREADS": "1", **env})[0]


def all_ran(result):
    """The exit code of a pytest run (exit code, output) in which no test may be skipped."""
    code, text = result
    if not code and re.search(r"\d+ skipped", text):
        print("Tests were skipped where none may be.")
        return 1
    return code


def form():
    """What notebooks are made of, and what their texts promise."""
    return all_ran(python("pytest", "tests/notebooks", "-q", "-s"))


def notebooks():
    """Two at a time; the last ones take longest, so they come first."""
    with ThreadPoolExecutor(2) as pool:
        checks = [pool.submit(validate, path) for path in paths()[::-1]] + [pool.submit(form)]
        return max(check.result() for check in checks)


def browser():
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found and os.environ.get("REQUIRE_BROWSER") != "1":
        print("Chromium was not found, so the browser tests did not run. "
              "On Debian and Ubuntu: apt install chromium")
        return 0
    # half of the time goes into waiting for servers and kernels, so two at once
    return all_ran(python("pytest", "tests/browser", "-q", "-n", "2",
                          env={"CHROMIUM": found or "", "OMP_NUM_THREADS": "1"}))


PARTS = {"lint": lint, "unit": unit, "notebooks": notebooks, "browser": browser}


def main(*names):
    """Run the parts; all of them, even after a failure, so that one run tells everything."""
    if wrong := [name for name in names if name not in PARTS]:
        print(f"parts are {', '.join(PARTS)}; got {' '.join(wrong)}")
        return 2
    failed, began = [], time.monotonic()
    for name in names or PARTS:
        start = time.monotonic()
        print(f"\n== {name}", flush=True)
        if PARTS[name]():
            failed.append(name)
        print(f"== {name}: {time.monotonic() - start:.0f} s", flush=True)
    total = f"{(time.monotonic() - began) / 60:.1f} minutes"
    print(f"\nFAILED: {', '.join(failed)} ({total})" if failed else f"\nAll passed in {total}.")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

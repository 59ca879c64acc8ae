"""Bring back a notebook as the course ships it; the learner's copy stays beside it."""

import subprocess
import sys
from pathlib import Path

from tools import ROOT


def git(*arguments):
    """The output of a git command in the project, as bytes; None if it fails or git is missing."""
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return None if done.returncode else done.stdout


def main(number="", *more):
    """`number` is the first two digits of the notebook's name."""
    listed = (git("ls-tree", "--name-only", "HEAD", "notebooks/") or b"").decode().split()
    names = [name for name in listed if name.endswith(".ipynb")]
    if not names:
        return ("The original notebooks come out of git, and this folder is no clone. Unpack the "
                "course once more beside this one and copy the notebook from there.")
    chosen = [name for name in names if number and Path(name).name.startswith(f"{number}_")]
    if more or len(chosen) != 1:
        numbers = ", ".join(Path(name).name[:2] for name in names)
        return f"Say which one: make reset NOTEBOOK=03. There are {numbers}; got {number!r}."
    path, original = ROOT / chosen[0], git("show", f"HEAD:./{chosen[0]}")
    if original is None:
        return f"git could not read {chosen[0]}; nothing was changed."
    if path.exists():
        if path.read_bytes() == original:
            print(f"{path.name} is as shipped already.")
            return 0
        copies = (path.with_name(f"my-{count}-{path.name}") for count in range(1, 10**6))
        mine = next(copy for copy in copies if not copy.exists())
        path.rename(mine)
        print(f"Your notebook is kept as notebooks/{mine.name}.")
    path.write_bytes(original)
    print(f"{path.name} is as shipped again. In JupyterLab: File, Reload Notebook from Disk.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

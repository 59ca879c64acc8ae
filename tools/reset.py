"""Bring back a notebook of the learner's as the course ships it; the old one stays beside it."""

import sys

from tools import ROOT, learner


def main(number="", *more):
    """`number` is the first two digits of the notebook's name."""
    shipped = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    chosen = [path for path in shipped if number and path.name.startswith(f"{number}_")]
    if more or len(chosen) != 1:
        numbers = ", ".join(path.name[:2] for path in shipped)
        return f"Say which one: make reset NOTEBOOK=03. There are {numbers}; got {number!r}."
    path = learner.folder() / chosen[0].name
    original = learner.blank(chosen[0])[0]
    if path.exists():
        if path.read_text("utf-8") == original:
            print(f"{path.name} is as shipped already.")
            return 0
        copies = (path.with_name(f"my-{count}-{path.name}") for count in range(1, 10**6))
        mine = next(copy for copy in copies if not copy.exists())
        path.rename(mine)
        print(f"Your notebook is kept as {path.parent.name}/{mine.name}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(original, "utf-8")
    print(f"{path.name} is as shipped again. In JupyterLab: File, Reload Notebook from Disk.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""The learner's own copies of the notebooks, without outputs; standard library only.

They lie in `learn/`, or in the user's data folder where the course's cannot be written. A copy says
which edition it was made from, so that a later one never overwrites what a learner did.
"""

import hashlib
import json
import os

from tools import ROOT


def folder():
    """Where the copies are."""
    there = ROOT / "learn"
    if os.access(there if there.is_dir() else ROOT, os.W_OK):
        return there
    from platformdirs import user_data_path  # not there before the set-up

    return user_data_path("mnist_compress") / "learn"


def blank(path):
    """A notebook without outputs, as text, and its edition: a hash of what its cells say."""
    notebook = json.loads(path.read_text("utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    edition = _said(notebook)
    notebook["metadata"]["mnist_compress"] = edition
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", edition


def update():
    """Make the copies that are missing or that nobody has touched; a newer edition of another one
    is put beside it. Returns the folder."""
    there = folder()
    there.mkdir(parents=True, exist_ok=True)
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        text, edition = blank(path)
        mine = there / path.name
        if not mine.exists() or _untouched(mine):
            mine.write_text(text, "utf-8")
        elif _made_from(mine) != edition:
            beside = there / f"{path.stem}-{edition[:6]}.ipynb"
            if not beside.exists():
                beside.write_text(text, "utf-8")
                print(f"There is a newer {path.name}. Yours stays as it is, the new one is "
                      f"{beside.name}.")
    return there


def _said(notebook):
    parts = [[cell["cell_type"], "".join(cell["source"])] for cell in notebook["cells"]]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _read(path):
    try:
        notebook = json.loads(path.read_text("utf-8"))
        return notebook, notebook["metadata"].get("mnist_compress"), _said(notebook)
    except (ValueError, KeyError, TypeError, AttributeError):  # whatever a learner made of it
        return {}, None, ""


def _made_from(path):
    return _read(path)[1]


def _untouched(path):
    notebook, edition, said = _read(path)
    return bool(edition) and edition == said and not any(
        cell.get("outputs") for cell in notebook["cells"])


if __name__ == "__main__":
    print(f"Your notebooks are in {update()}")

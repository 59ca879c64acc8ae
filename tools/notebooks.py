"""Run notebooks and compare what they print: shared by execute, check, drift and the tests."""

import os
import re
import tempfile

import nbformat
from nbclient import NotebookClient
from nbval.plugin import get_sanitize_patterns

from tools import ROOT

FOLDER = ROOT / "notebooks"
CELL_SECONDS = 60
LEFT_OUT = get_sanitize_patterns((ROOT / "tests/notebooks/sanitize.cfg").read_text("utf-8"))
COMPARED = ("text/plain", "text/html", "text/latex", "text/markdown")  # as nbval does


def paths(*numbers):
    """The course's notebooks in order; `numbers` such as "03" choose some.

    SystemExit for a number that none of them has.
    """
    found = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
    known = [path.name[:2] for path in found]
    if wrong := [number for number in numbers if number not in known]:
        raise SystemExit(f"notebooks are numbered {', '.join(known)}; got {' '.join(wrong)}")
    return [path for path in found if not numbers or path.name[:2] in numbers]


def read(path):
    """One notebook."""
    return nbformat.read(path, 4)


def code_cells(notebook):
    """The cells that hold code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def main_path(notebook):
    """The cells before "Go deeper"."""
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown" and re.match(r"#+ Go deeper", cell.source):
            return notebook.cells[:place]
    return notebook.cells


def count_words(cells):
    """Words in markdown, folded blocks left out."""
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return len(re.findall(r"\w+", re.sub(r"(?s)<details.*?</details>", "", text)))


def execute(notebook, state=None, env=None):
    """Run all cells in a fresh kernel with a fresh state folder; the outputs go into `notebook`."""
    with tempfile.TemporaryDirectory() as folder:
        kernel_env = {**os.environ, "MNIST_COMPRESS_STATE": state or folder, **(env or {})}
        client = NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3",
                                store_widget_state=False, coalesce_streams=True,
                                resources={"metadata": {"path": str(FOLDER)}})
        client.execute(env=kernel_env)
    return notebook


def outputs(cell):
    """What nbval compares in a cell: a list of (kind, text), streams joined, no picture's bytes."""
    if "nbval-ignore-output" in cell.metadata.get("tags", []):
        return []
    found = {}
    for output in cell.outputs:
        if output.output_type == "stream":
            found.setdefault(output.name, []).append(output.text)
        elif output.output_type == "error":
            found.setdefault("error", []).append(f"{output.ename}: {output.evalue}")
        else:
            for kind in COMPARED:
                if kind in output.data:
                    found.setdefault(kind, []).append(output.data[kind])
    return [(kind, _sanitized("".join(found[kind]))) for kind in sorted(found)]


def _sanitized(text):
    for pattern, replacement in LEFT_OUT:
        text = re.sub(pattern, replacement, text)
    return text

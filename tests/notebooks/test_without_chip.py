"""Notebook 09 where its extra is not installed: recorded figures, and no cell that fails."""

import os

from tools.notebooks import code_cells, execute, paths, read

HIDDEN = '''
import importlib.util

found = importlib.util.find_spec


def find_spec(name, package=None):
    return None if name in ("ziglang", "unicorn", "elftools") else found(name, package)


importlib.util.find_spec = find_spec
'''


def tables(cells):
    """What is in the tables of these cells, as text."""
    data = [output.get("data", {}) for cell in cells for output in cell.outputs]
    return [found["text/plain"] for found in data if "<table" in found.get("text/html", "")]


def test_without_the_extra_figures_are_recorded(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(HIDDEN)
    places = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    stored, notebook = (read(*paths("09")) for _ in range(2))
    cells = code_cells(execute(notebook, env={"PYTHONPATH": os.pathsep.join(places)}))
    text = "".join(str(output.get("text", "")) + str(output.get("data", {}).get("text/plain", ""))
                   for cell in cells for output in cell.outputs)
    assert tables(cells) == tables(code_cells(stored))  # what is recorded is what is built
    assert len(tables(cells)) == 5
    assert text.count("Recorded figures: the extra that builds and runs programs is not here") >= 4
    assert "was built here" not in text and "nan" not in text
    assert "while ((code = weights[at++])" in text  # the C file
    assert "The pad needs the extra" in text
    assert "ImportError: the compiler and the emulator are an extra: pip install" in text

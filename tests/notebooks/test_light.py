"""Notebook 01 loads what it needs, to its last cell: no training, no measures, no entropy coder."""

import subprocess
import sys

from tools.notebooks import code_cells, paths, read

RUN = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in {cells!r}:
    shell.run_cell(cell).raise_error()
print("loaded", *sys.modules)
"""


def test_the_first_notebook_loads_little(tmp_path, monkeypatch):
    monkeypatch.setenv("MNIST_COMPRESS_STATE", str(tmp_path))
    cells = [cell.source for cell in code_cells(read(paths("01")[0]))]
    said = subprocess.run([sys.executable, "-c", RUN.format(cells=cells)], capture_output=True,
                          text=True, check=True).stdout
    loaded = said.splitlines()[-1].split()
    ours = {name.removeprefix("mnist_compress.") for name in loaded if "mnist_compress." in name}
    assert {name.split(".")[0] for name in ours} == {"official", "data", "model", "stages", "ui"}
    assert {"ui.exercises", "ui.guesses", "ui.plots", "ui.quizwidget"} <= ours
    assert not {"ui.drawpad", "ui.evidence", "ui.explorers", "ui.smallest", "ui.tables"} & ours
    assert not {"constriction", "onnx", "onnxruntime", "torchao"} & set(loaded)

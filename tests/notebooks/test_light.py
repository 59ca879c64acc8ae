"""What notebooks load: 01 no training, no measures, no entropy coder, and pictures when it draws;
most do without PyTorch's compiler.
"""

import re
import subprocess
import sys

import pytest

from tools.notebooks import code_cells, paths, read

RUN = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in {cells!r}:
    shell.run_cell(cell).raise_error()
print("loaded", *sys.modules)
"""
TRY_ALL = """
from mnist_compress.ui.exercises import _load, exercise_notebooks
for name in exercise_notebooks():
    exercise = _load(name)[0]
    [exercise.outcome(case) for case in exercise.cases]
from mnist_compress.ui.evidence import training
training._missing_line()
"""


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    """The modules that cells load in a process of their own."""
    monkeypatch.setenv("MNIST_COMPRESS_STATE", str(tmp_path))

    def run(cells):
        said = subprocess.run([sys.executable, "-c", RUN.format(cells=cells)], capture_output=True,
                              text=True, check=True).stdout
        return set(said.splitlines()[-1].split())

    return run


def sources(number):
    return [cell.source for cell in code_cells(read(paths(number)[0]))]


def test_the_first_notebook_loads_little(loaded):
    found = loaded(sources("01"))
    ours = {name.removeprefix("mnist_compress.") for name in found if "mnist_compress." in name}
    assert {name.split(".")[0] for name in ours} == {"arguments", "official", "data", "model",
                                                     "stages", "ui"}
    assert {"ui.exercises", "ui.guesses", "ui.plots", "ui.quizwidget"} <= ours
    assert not {"ui.drawpad", "ui.evidence", "ui.explorers", "ui.smallest", "ui.tables"} & ours
    assert not {"constriction", "onnx", "onnxruntime", "pandas", "scipy", "torchao"} & found


def test_the_first_cell_loads_no_pictures(loaded):
    assert "matplotlib" not in loaded(sources("01")[:1])


def test_exercises_and_their_training_do_without_the_compiler(loaded):
    found = loaded([TRY_ALL])
    assert "mnist_compress.ui.exercises.deployment" in found
    assert not {"torch._dynamo", "sympy", "torchao", "onnx", "pandas"} & found


@pytest.mark.parametrize("number", ["00", "01", "02", "03", "05", "06"])
def test_no_cell_asks_for_the_compiler(number):
    for source in sources(number):
        assert not re.search(r"optim\.\w+\(|torch\.compile|torchao|onnx", source)

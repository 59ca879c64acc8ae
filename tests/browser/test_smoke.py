"""Every notebook runs in JupyterLab without an error, a warning or a request to the outside."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
from notebooks import code_cells, paths, read


@pytest.mark.parametrize("path", paths(), ids=lambda path: path.stem)
def test_run_all(open_notebook, path):
    notebook = open_notebook(path.stem)
    notebook.run_all()
    notebook.picture(f"{path.stem}-light")
    assert notebook.page.locator(".jp-CodeCell").count() == len(code_cells(read(path)))
    assert notebook.red() == []
    assert notebook.errors == []
    assert notebook.outside == []


def test_restart_and_run_above_then_go_on(open_notebook):
    notebook = open_notebook("04_quantization")
    notebook.run_all()
    notebook.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    notebook.page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex = 16")
    notebook.idle()
    notebook.command("notebook:run-all-above")
    notebook.command("notebook:run-all-below")
    notebook.page.wait_for_timeout(500)
    notebook.idle()
    assert notebook.red() == []


def test_dark_theme(open_notebook):
    notebook = open_notebook("03_pruning")
    notebook.command("apputils:change-theme", theme="JupyterLab Dark")
    try:
        notebook.page.wait_for_selector('body[data-jp-theme-light="false"]', state="attached")
        notebook.run_all()
        notebook.picture("03_pruning-dark")
        assert notebook.red() == []
    finally:
        notebook.command("apputils:change-theme", theme="JupyterLab Light")

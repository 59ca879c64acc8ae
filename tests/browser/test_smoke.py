"""Every notebook runs in JupyterLab without an error, a warning or a request to the outside,
and all that it shows is accessible."""

import urllib.error
import urllib.request

import pytest

from tests.browser.test_quiz import complaints
from tools.notebooks import code_cells, paths, read


@pytest.mark.parametrize("path", paths()[::-1], ids=lambda path: path.stem)
def test_run_all(open_notebook, path):
    notebook = open_notebook(path.stem)
    notebook.run_all()
    notebook.picture(f"{path.stem}-light")
    assert notebook.page.locator(".jp-CodeCell").count() == len(code_cells(read(path)))
    assert notebook.red() == []
    assert notebook.errors == []
    assert notebook.outside == []
    assert complaints(notebook.page, ".jp-OutputArea") == []
    if path.stem == "03_pruning":
        in_the_dark(notebook)
    if path.stem == "01_data":
        restart_and_go_on(notebook)


def test_the_server_lets_nobody_in_without_its_token(lab):
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{lab}/api/contents", timeout=20)


def in_the_dark(notebook):
    """The same notebook in JupyterLab's dark theme, to look at."""
    notebook.command("apputils:change-theme", theme="JupyterLab Dark")
    try:
        notebook.page.wait_for_selector('body[data-jp-theme-light="false"]', state="attached")
        notebook.page.wait_for_selector("#jupyterlab-splash", state="detached")
        notebook.picture("03_pruning-dark")
        assert (notebook.red(), notebook.errors, notebook.outside) == ([], [], [])
        assert complaints(notebook.page, ".jp-OutputArea") == []
    finally:
        notebook.command("apputils:change-theme", theme="JupyterLab Light")


def restart_and_go_on(notebook):
    """Restart the kernel, run all above the cell in the middle, then the rest."""
    notebook.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    notebook.page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex = 16")
    notebook.idle()
    notebook.command("notebook:run-all-above")
    notebook.command("notebook:run-all-below")
    notebook.idle()
    assert (notebook.red(), notebook.errors, notebook.outside) == ([], [], [])

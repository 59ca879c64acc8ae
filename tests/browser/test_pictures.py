"""Pictures and sliders in JupyterLab at 1024 pixels, in the dark and at 200 %."""

from tests.browser.test_quiz import complaints

CELLS = [
    "import torch\n"
    "from mnist_compress import pruning, trace\n"
    "from mnist_compress.ui import *\n"
    "torch.set_num_threads(1)\n"
    "run = trace.run_pipeline()",
    "explore_flatten(run.train.images[700])",
    "show_network(run.model, run.validation[750])",
    "explore_epochs(run.train, run.history)",
    "show_confusion(run.validation.labels, run.validation.labels)",
    "show_changes(run.model, pruning.prune(run.model, 0.9), run.validation)",
    "stage_cards(run)",
    "show_trace(run.models, run.validation[750])",
]
TOO_WIDE = """() => [...document.querySelectorAll(".jp-OutputArea-output")].filter(
    (output) => output.scrollWidth > output.clientWidth + 1).map((output) => output.innerText)"""


def test_they_fit_and_are_accessible(open_cells):
    notebook = open_cells("pictures", CELLS, viewport={"width": 1024, "height": 800})
    notebook.run_all()
    page = notebook.page

    def sound():
        page.wait_for_timeout(500)
        assert complaints(page, ".jp-OutputArea") == []
        assert page.evaluate(TOO_WIDE) == []

    sound()
    page.set_viewport_size({"width": 512, "height": 700})  # 1024 pixels at 200 %
    sound()
    page.set_viewport_size({"width": 1024, "height": 800})
    notebook.command("apputils:change-theme", theme="JupyterLab Dark")
    try:
        page.wait_for_selector('body[data-jp-theme-light="false"]', state="attached")
        page.wait_for_selector("#jupyterlab-splash", state="detached")
        sound()
    finally:
        notebook.command("apputils:change-theme", theme="JupyterLab Light")
    assert (notebook.red(), notebook.errors, notebook.outside) == ([], [], [])

"""The explorers in JupyterLab: slider by keyboard and mouse, two views, errors, themes."""

import re

import pytest

from tests.browser.test_quiz import complaints, count

from .conftest import ARTIFACTS, say_the_same, tabs, write_cells

CELLS = [
    "import torch\n"
    "from mnist_compress.data import load_sample\n"
    "from mnist_compress.training import trained_model\n"
    "from mnist_compress.ui import explore_pruning, explore_quantization\n"
    "torch.set_num_threads(1)\n"
    "train, test, _ = load_sample()",
    "zeros = explore_pruning(trained_model(), train, test)\nzeros",
    "display(zeros)",
    "steps = explore_quantization(trained_model(), test)\nsteps",
]


class View:
    """The explorer of one cell of an open notebook."""

    def __init__(self, notebook, cell):
        self.notebook, self.page = notebook, notebook.page
        self.box = notebook.cell(cell).locator(".mc")
        self.slider = self.box.get_by_role("slider")
        self.picture = self.box.locator("img")

    def says(self, text):
        """Wait until sentence and picture are those of this text; return the sentence."""
        return self.page.wait_for_function(
            """([box, text]) => {
                const said = box.querySelector("[role=status]").textContent;
                const picture = box.querySelector("img");
                return said.includes(text) && picture.alt === said && picture.naturalWidth > 0
                    && said; }""", arg=[self.box.element_handle(), text],
            timeout=20_000).json_value()

    def source(self):
        return self.picture.get_attribute("src")


@pytest.fixture(scope="module")
def notebook(lab, lab_home, chromium):
    """One notebook with two explorers, the first of them in two views."""
    write_cells(lab_home, "explorers", CELLS)
    with tabs(lab, chromium) as open_one:
        notebook = open_one("explorers")
        notebook.run_all()
        yield notebook


@pytest.fixture(autouse=True)
def sound(notebook):
    """Afterwards nothing must have gone wrong, and no letter have made a cell."""
    ARTIFACTS.mkdir(exist_ok=True)
    before = count(notebook)
    yield
    assert (notebook.red(), notebook.errors, notebook.outside) == ([], [], [])
    assert count(notebook) == before


def test_slider_by_keyboard_alone(notebook):
    view, page = View(notebook, "zeros = explore"), notebook.page
    start, picture = view.says("At 90 % zeros"), view.source()
    assert view.slider.get_attribute("aria-valuetext") == "90 %"
    view.slider.focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowLeft", "ArrowLeft", "ArrowDown"):
        page.keyboard.press(key)
    assert view.says("At 89 % zeros") != start
    assert view.source() != picture and view.slider.get_attribute("aria-valuetext") == "89 %"
    page.keyboard.press("End")
    view.says("At 99 % zeros")
    page.keyboard.press("Home")
    assert "0 % zeros" in view.says("At 0 % zeros")
    for key in "abxyzmrj1dd":  # commands of JupyterLab; `sound` counts the cells
        page.keyboard.press(key)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    assert view.box.get_by_role("radio", name="each layer alone").is_checked()
    page.keyboard.press("Shift+Tab")
    for _ in range(2):
        page.keyboard.press("PageUp")
    value = view.slider.get_attribute("aria-valuetext")
    assert value != "0 %"
    view.says(f"At {value} zeros")
    view.box.screenshot(path=ARTIFACTS / "explorer-pruning-light.png")


def test_mouse_and_a_hurried_drag(notebook):
    view = View(notebook, "zeros = explore")
    view.slider.scroll_into_view_if_needed()
    box = view.slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    notebook.page.mouse.move(box["x"] + 3, middle)
    notebook.page.mouse.down()
    notebook.page.mouse.move(box["x"] + box["width"] / 2, middle, steps=40)
    notebook.page.mouse.up()
    value = view.slider.get_attribute("aria-valuetext")
    assert 40 <= int(value.split()[0]) <= 60
    view.says(f"At {value} zeros")  # the newest value wins, whatever was skipped


def test_two_views_are_in_step(notebook):
    view, other = View(notebook, "zeros = explore"), View(notebook, "display(zeros)")
    view.slider.fill("70")
    other.box.get_by_role("radio", name="both layers together").check()
    say_the_same(view, other, "At 70 % zeros")
    other.slider.focus()
    notebook.page.keyboard.press("ArrowRight")
    say_the_same(view, other, "At 71 % zeros")
    assert view.slider.input_value() == other.slider.input_value() == "71"


def test_a_call_moves_the_sliders_and_an_error_is_shown(notebook):
    view = View(notebook, "steps = explore")
    view.says("With 3 bits, symmetric")

    def in_kernel(code):
        notebook.page.evaluate("""code => window.jupyterapp.shell.currentWidget.sessionContext
            .session.kernel.requestExecute({code}).done""", code)

    in_kernel("_ = steps.set(bits=5, scheme='affine')")
    view.says("With 5 bits, affine")
    assert view.slider.get_attribute("aria-valuetext") == "5"
    assert view.box.get_by_role("radio", name="affine").is_checked()
    in_kernel("kept, steps._show = steps._show, lambda axes, **values: 1 / 0")
    view.slider.focus()
    notebook.page.keyboard.press("ArrowLeft")
    alert = view.box.get_by_role("alert")
    alert.wait_for(timeout=20_000)
    assert alert.inner_text() == "ZeroDivisionError: division by zero"
    assert view.slider.get_attribute("aria-valuetext") == "5"  # as picture and sentence
    in_kernel("steps._show = kept")
    notebook.page.keyboard.press("ArrowLeft")
    view.says("With 4 bits, affine")
    alert.wait_for(state="hidden", timeout=20_000)
    view.box.screenshot(path=ARTIFACTS / "explorer-quantization-light.png")


def test_themes_and_a_narrow_page(notebook):
    page, view = notebook.page, View(notebook, "steps = explore")
    assert complaints(page, ".mc") == []
    notebook.command("apputils:change-theme", theme="JupyterLab Dark")
    try:
        page.wait_for_selector('body[data-jp-theme-light="false"]', state="attached")
        page.wait_for_selector("#jupyterlab-splash", state="detached")
        assert complaints(page, ".mc") == []
        view.box.screenshot(path=ARTIFACTS / "explorer-quantization-dark.png")
        page.set_viewport_size({"width": 420, "height": 900})
        view.slider.focus()
        page.keyboard.press("Home")
        view.says("With 2 bits")
        assert view.box.evaluate("box => box.scrollWidth - box.clientWidth") <= 0
        assert view.box.evaluate("""box => Math.min(...[...box.querySelectorAll("*")].map(
            one => parseFloat(getComputedStyle(one).fontSize)))""") >= 12
        view.box.screenshot(path=ARTIFACTS / "explorer-quantization-narrow.png")
    finally:
        page.set_viewport_size({"width": 1200, "height": 900})
        notebook.command("apputils:change-theme", theme="JupyterLab Light")
        page.wait_for_selector('body[data-jp-theme-light="true"]', state="attached")
        page.wait_for_selector("#jupyterlab-splash", state="detached")


def test_the_sentence_is_read_once(notebook):
    cell = notebook.cell("steps = explore")
    said = View(notebook, "steps = explore").box.get_by_role("status").inner_text()
    assert re.match(r"With \d bits", said)
    assert cell.locator(".jp-OutputArea").inner_text().count(said) == 1

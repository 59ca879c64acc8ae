"""The draw pad in JupyterLab: mouse, finger, pen, keys; two views; themes; errors."""

import re
from itertools import pairwise

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from .conftest import ARTIFACTS, say_the_same, tabs, write_cells

CELLS = [
    "import torch\n"
    "from mnist_compress.data import load_sample\n"
    "from mnist_compress.pruning import prune\n"
    "from mnist_compress.quantization import quantize_model\n"
    "from mnist_compress.training import trained_model\n"
    "from mnist_compress.ui import DrawPad\n"
    "torch.set_num_threads(1)\n"
    "digits, _, test = load_sample()\n"
    "model, pruned = trained_model(), prune(trained_model(), 0.3)\n"
    "models = {'float': model, 'pruned': pruned, 'int8': quantize_model(pruned, digits)}",
    "pad = DrawPad(models, test[::300])\npad",
    "display(pad)",
]
STROKES = {  # on a unit square, as people write them
    "0": [(.5, .15), (.32, .3), (.3, .6), (.45, .85), (.65, .75), (.7, .4), (.5, .15)],
    "1": [(.52, .12), (.48, .88)],
}


class Pad:
    """The pad in one cell of an open notebook."""

    def __init__(self, notebook, cell="pad = DrawPad"):
        self.notebook, self.page = notebook, notebook.page
        self.box = notebook.cell(cell).locator(".mc")
        self.paper = self.box.get_by_role("application", name="Draw here")
        self.seen = self.box.get_by_role("application", name="What the network")
        self.status = self.box.get_by_role("status")
        self.number = self.box.get_by_role("spinbutton")

    def reads(self, digit):
        """Wait until all three networks say that the whole drawing is this digit: on the way to it
        they may have read others."""
        told = re.compile(rf"^Your drawing: (\w+ says {digit} .*){{3}}")
        expect(self.status).to_have_text(told, timeout=20_000)

    def says(self, text):
        """Wait until the status sentence holds this text, and return all of it as it is then."""
        return self.page.wait_for_function(
            "([status, text]) => status.textContent.includes(text) && status.innerText",
            arg=[self.status.element_handle(), text], timeout=20_000).json_value()

    def points(self, digit, size=1):
        """The places on the page where a stroke turns; around the middle, `size` times as large."""
        self.paper.click(trial=True, timeout=20_000)  # JupyterLab covers all while a theme loads
        box = self.paper.bounding_box()
        return [(box["x"] + (.5 + size * (x - .5)) * box["width"],
                 box["y"] + (.5 + size * (y - .5)) * box["height"]) for x, y in STROKES[digit]]

    def draw(self, digit, size=1):
        """One stroke with the mouse."""
        first, *others = self.points(digit, size)
        self.page.mouse.move(*first)
        self.page.mouse.down()
        for place in others:
            self.page.mouse.move(*place, steps=5)
        self.page.mouse.up()

    def ink(self, canvas):
        """The sum of all ink in a canvas, 1 for a black pixel."""
        return canvas.evaluate("""canvas => canvas.getContext("2d").getImageData(
            0, 0, canvas.width, canvas.height).data.reduce(
                (sum, value, at) => at % 4 === 3 ? sum + value / 255 : sum, 0)""")

    def pixels(self):
        """What the network sees, (784,) int64."""
        return np.array(self.seen.evaluate("""canvas => [...canvas.getContext("2d").getImageData(
            0, 0, 28, 28).data].filter((value, at) => at % 4 === 3)"""))

    def clear(self):
        """Press the button with the mouse and wait for the answer."""
        self.box.get_by_role("button", name="Clear").click()
        self.says("There is no ink yet")

    def unsound(self):
        """What axe finds in the pad that is serious or critical."""
        found = Axe().run(self.page, context=".jp-CodeCell .mc").response
        assert len(found["passes"]) > 10
        return [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]
                if one["impact"] in ("serious", "critical")]

    def in_kernel(self, code):
        """Run a line in the notebook's kernel."""
        self.page.evaluate("""code => window.jupyterapp.shell.currentWidget.sessionContext.session
            .kernel.requestExecute({code}).done""", code)

    def focus_by_tab(self, role):
        """Press Tab until an element of this role in the pad has the focus."""
        for _ in range(20):
            self.page.keyboard.press("Tab")
            if self.box.evaluate("""(box, role) => box.contains(document.activeElement)
                    && (document.activeElement.getAttribute("role") ?? document.activeElement.type)
                    === role""", role):
                return
        raise AssertionError(f"Tab never reached {role}")

    def picture(self, name):
        ARTIFACTS.mkdir(exist_ok=True)
        size = self.page.viewport_size
        self.page.set_viewport_size({**size, "height": 1500})
        self.box.scroll_into_view_if_needed()
        self.page.wait_for_timeout(100)
        self.box.screenshot(path=ARTIFACTS / f"drawpad-{name}.png")
        self.page.set_viewport_size(size)


@pytest.fixture(scope="module")
def opened(lab, lab_home, chromium):
    """One notebook with two views of one pad, for all tests of this file."""
    write_cells(lab_home, "drawpad", CELLS)
    with tabs(lab, chromium) as open_one:
        notebook = open_one("drawpad", has_touch=True)
        notebook.run_all()
        yield notebook


@pytest.fixture
def pad(opened):
    """The first view, with nothing drawn; afterwards nothing must have gone wrong."""
    pad = Pad(opened)
    cells = pad.page.locator(".jp-Cell").count()
    pad.clear()
    yield pad
    assert (opened.red(), opened.errors, opened.outside) == ([], [], [])
    assert pad.page.locator(".jp-Cell").count() == cells


def test_mouse_draws_and_all_three_read_it(pad):
    for digit in "10":
        pad.clear()
        assert pad.ink(pad.paper) == pad.ink(pad.seen) == 0
        pad.draw(digit)
        pad.reads(digit)
        row = pad.box.get_by_role("row", name=f"{digit} ").first
        assert row.locator(".mc-pad-best").count() == 3
        assert pad.box.locator(".mc-pad-best").count() == 3
    pad.box.locator("summary").click()
    assert pad.box.get_by_role("cell", name="quantization applied").is_visible()
    pad.picture("light")
    pad.box.locator("summary").click()


def test_a_small_drawing_looks_like_a_large_one(pad):
    for digit in "10":
        found = []
        for size in (1, 0.5, 0.3):
            pad.clear()
            pad.draw(digit, size)
            pad.says("Your drawing")
            found.append(pad.pixels())
        for small in found[1:]:  # 784 pixels of 0..255; one of the pad is three of a small drawing
            assert np.corrcoef(found[0], small)[0, 1] > 0.9
            assert small.sum() == pytest.approx(found[0].sum(), rel=0.1)


def test_keys_draw(pad):
    press = pad.page.keyboard.press
    pad.paper.focus()
    for key in [*["ArrowUp"] * 9, " ", *["ArrowDown"] * 18, " ", "ArrowLeft"]:
        press(key)
    pad.reads(1)
    press("Delete")
    pad.says("There is no ink yet")
    assert pad.ink(pad.paper) == 0


def test_two_views_are_in_step(pad):
    other = Pad(pad.notebook, "display(pad)")
    pad.draw("1")
    pad.reads(1)
    say_the_same(pad, other, "Your drawing")
    assert other.ink(other.paper) == pytest.approx(pad.ink(pad.paper), rel=0.02)
    assert other.ink(other.seen) == pad.ink(pad.seen) > 0
    other.box.get_by_role("button", name="Next").click()
    say_the_same(pad, other, "Picture 0, a 0")
    other.box.get_by_role("button", name="Next").click()
    pad.says("Picture 1, a 1")
    assert pad.ink(pad.paper) == other.ink(other.paper) == 0
    assert pad.number.input_value() == other.number.input_value() == "1"


def test_what_goes_wrong_in_the_kernel_is_shown(pad):
    pad.in_kernel("kept = models.pop('int8')")
    pad.draw("1")
    alert = pad.box.get_by_role("alert")
    alert.wait_for(timeout=20_000)
    assert alert.inner_text() == ("models must have the names 'float' and 'int8'; got "
                                  "['float', 'pruned']")
    assert pad.status.inner_text() == "" and pad.box.locator(".mc-pad-best").count() == 0
    pad.picture("problem")
    pad.in_kernel("models['int8'] = kept")
    pad.clear()
    alert.wait_for(state="hidden", timeout=20_000)


def test_keyboard_alone(pad):
    page = pad.page
    pad.box.get_by_role("button", name="Clear").focus()
    pad.focus_by_tab("number")
    for digit in "12":
        page.keyboard.press("ArrowUp")
        assert pad.says(f"Picture {digit}, a {digit}: ").count(f"says {digit} ") == 3
    page.keyboard.press("Control+A")
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    still = pad.says("Picture 7, a 7: ")
    for _ in range(2):
        page.keyboard.press("Shift+Tab")
    assert pad.seen.evaluate("seen => seen === document.activeElement")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    pad.says("Picture 7, a 7, moved 1 right and 1 down: ")
    pad.picture("keys")
    for key in "abxyzmrj1dd":  # commands of JupyterLab; the fixture counts the cells
        page.keyboard.press(key)
    page.keyboard.press("Home")
    assert pad.says("Picture 7, a 7: ") == still
    assert pad.seen.evaluate("seen => seen === document.activeElement")


def test_a_number_that_no_test_digit_has_is_refused(pad):
    pad.number.fill("12")
    pad.number.press("Enter")
    assert pad.number.evaluate("number => number.validity.rangeOverflow")
    assert pad.status.inner_text().startswith("There is no ink yet")
    pad.number.fill("3")
    pad.number.press("Enter")
    pad.says("Picture 3, a 3: ")


def test_finger_and_pen(pad):
    wire = pad.page.context.new_cdp_session(pad.page)
    kinds = pad.paper.evaluate_handle("""canvas => { const kinds = new Set();
        for (const kind of ["pointerdown", "pointermove", "pointerup"])
            canvas.addEventListener(kind, event => kinds.add(`${event.pointerType} ${kind}`));
        return kinds; }""")

    def between(places):
        for (x, y), (to_x, to_y) in pairwise(places):
            for part in range(1, 6):
                yield x + (to_x - x) * part / 5, y + (to_y - y) * part / 5

    def touch(kind, *places):
        wire.send("Input.dispatchTouchEvent", {
            "type": kind, "touchPoints": [{"x": x, "y": y} for x, y in places]})

    def pen(kind, place, buttons):
        wire.send("Input.dispatchMouseEvent", {
            "type": kind, "x": place[0], "y": place[1], "button": "left", "buttons": buttons,
            "clickCount": 1, "pointerType": "pen"})

    notebook = pad.page.locator(".jp-NotebookPanel .jp-WindowedPanel-outer")
    places = pad.points("1")
    scrolled = notebook.evaluate("box => box.scrollTop")
    touch("touchStart", places[0])
    for place in between(places):
        touch("touchMove", place)
    touch("touchEnd")
    pad.reads(1)
    assert notebook.evaluate("box => box.scrollTop") == scrolled  # it drew, it did not scroll

    pad.clear()
    places = pad.points("0")
    pen("mousePressed", places[0], 1)
    for place in between(places):
        pen("mouseMoved", place, 1)
    pen("mouseReleased", places[-1], 0)
    pad.reads(0)
    assert kinds.evaluate("kinds => [...kinds].filter(kind => !kind.startsWith('mouse'))") == [
        f"{kind} pointer{what}" for kind in ("touch", "pen") for what in ("down", "move", "up")]


def test_light_dark_and_narrow(pad):
    page = pad.page
    assert pad.unsound() == []
    pad.notebook.command("apputils:change-theme", theme="JupyterLab Dark")
    try:
        page.wait_for_selector('body[data-jp-theme-light="false"]', state="attached")
        pad.draw("1")
        pad.says("Your drawing")
        pad.box.locator("summary").click()
        assert pad.unsound() == []
        pad.picture("dark")
        page.set_viewport_size({"width": 400, "height": 900})
        pad.clear()
        pad.draw("1")
        pad.reads(1)
        pad.box.locator("summary").click()
        pad.box.locator("summary").click()
        pad.picture("narrow")
        assert pad.box.evaluate("box => box.scrollWidth - box.clientWidth") <= 0
        assert pad.box.evaluate("""box => Math.min(...[...box.querySelectorAll("*")].map(
            one => parseFloat(getComputedStyle(one).fontSize)))""") >= 12
    finally:
        page.set_viewport_size({"width": 1200, "height": 900})
        pad.notebook.command("apputils:change-theme", theme="JupyterLab Light")
        page.wait_for_selector('body[data-jp-theme-light="true"]', state="attached")

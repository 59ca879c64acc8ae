"""Practice that outlives its kernel, its file and its day: widgets without a kernel, a reopened
notebook, answers that cannot be saved, cards by keyboard, a heading to read again."""

import json
import re
import shutil

import pytest
from playwright.sync_api import expect

from mnist_compress.ui.questions import ask

from .conftest import ARTIFACTS, Notebook
from .test_quiz import complaints, field_of, kept

LOST = "The kernel does not answer: run this cell again to go on."
ALL_KINDS = """
from mnist_compress.data import load_sample
from mnist_compress.quantization import quantize_model
from mnist_compress.training import trained_model
from mnist_compress.ui import DrawPad, cards, explore_quantization, guess_box, quiz
model, digits = trained_model(), load_sample()[1]
models = {'float': model, 'int8': quantize_model(model, digits)}
"""
WIDGETS = ["quiz('scale')", "guess_box('03-bytes')", "cards('luck')",
           "explore_quantization(model, digits)", "DrawPad(models, digits)"]


@pytest.fixture(autouse=True)
def fresh(lab_home):
    """Nothing is guessed or answered yet."""
    ARTIFACTS.mkdir(exist_ok=True)
    shutil.rmtree(lab_home / "state", ignore_errors=True)


def restart(notebook):
    notebook.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    notebook.page.wait_for_timeout(500)
    notebook.idle()


def test_without_their_kernel_all_widgets_are_read_only(open_cells):
    notebook = open_cells("restarted", [ALL_KINDS, *WIDGETS],
                          viewport={"width": 1200, "height": 3000})
    notebook.run_all()
    page = notebook.page
    page.locator(".mc").nth(4).wait_for(timeout=20_000)
    page.wait_for_timeout(1500)
    assert page.get_by_text(LOST).count() == 0
    restart(notebook)
    field_of(page, "scale").get_by_text(f"a) {ask('scale').options[0].text}").click()
    page.get_by_role("button", name="Commit my guess").click()
    page.get_by_role("button", name=re.compile("^Pruning changes")).click()
    page.get_by_role("slider").first.press("ArrowRight")
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text(LOST)).to_have_count(5, timeout=2_000)
    for control in page.locator(".mc :is(button, input)").all():
        assert control.is_disabled()
    assert complaints(page, ".mc") == []
    assert notebook.errors == [] and notebook.red() == []
    notebook.run_all()
    expect(page.get_by_text(LOST)).to_have_count(0)
    field_of(page, "scale").get_by_text(f"c) {ask('scale').options[2].text}").click()
    page.get_by_text("c is right.").wait_for()


def test_while_the_kernel_works_widgets_wait(open_cells, lab_home):
    notebook = open_cells("busy", ["from mnist_compress.ui import quiz\nimport time",
                                   "quiz('scale')", "time.sleep(3)"])
    notebook.run_all()
    page, cell = notebook.page, notebook.cell("time.sleep(3)")
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    field_of(page, "scale").get_by_text(f"c) {ask('scale').options[2].text}").click()
    page.wait_for_timeout(2000)
    assert page.get_by_text(LOST).count() == 0
    notebook.idle()
    page.wait_for_timeout(500)
    assert page.get_by_text(LOST).count() == 0
    assert [letter for letter, _ in kept(lab_home)["scale"]] == ["c"]


def test_a_reopened_notebook_shows_what_was_there_and_takes_nothing(open_cells, lab, chromium,
                                                                    lab_home):
    notebook = open_cells("reopened", ["from mnist_compress.ui import quiz", "quiz('scale')"])
    notebook.run_all()
    page = notebook.page
    field_of(page, "scale").get_by_text(f"a) {ask('scale').options[0].text}").click()
    page.get_by_text("a is not it").wait_for()
    notebook.idle()
    page.wait_for_timeout(300)
    notebook.command("docmanager:save")
    page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.goto("about:blank")
    stored = json.loads((lab_home / "notebooks" / "reopened.ipynb").read_text("utf-8"))
    assert "widgets" in stored["metadata"]  # in a learner's copy; tests of form look at ours

    again = Notebook(page, lab, "reopened")
    page.get_by_text("a is not it").wait_for(timeout=20_000)
    page.get_by_text(LOST).wait_for(timeout=3_000)
    assert field_of(page, "scale").get_by_role("radio", checked=True).count() == 1
    assert page.get_by_text("model not found").count() == 0
    again.run_all()
    expect(page.get_by_text(LOST)).to_have_count(0)
    field_of(page, "scale").get_by_text(f"c) {ask('scale').options[2].text}").click()
    page.get_by_text("1 right").or_(page.get_by_text("c is right.")).first.wait_for()
    page.wait_for_timeout(500)
    assert [letter for letter, _ in kept(lab_home)["scale"]] == ["a", "c"]


def test_what_cannot_be_saved_is_said_in_the_widget_and_saved_later(open_cells, lab_home):
    notebook = open_cells("unsaved", [
        "import os\nfrom mnist_compress.ui import quiz, state\nreplace = os.replace",
        "def refuse(*_):\n    raise PermissionError(13, 'Permission denied')\n"
        "state.os.replace = refuse", "quiz('scale')", "state.os.replace = replace"])
    for text in ("import os", "def refuse", "quiz('scale')"):
        notebook.cell(text).locator(".cm-content").click()
        notebook.page.keyboard.press("Control+Enter")
    notebook.idle()
    page, field = notebook.page, field_of(notebook.page, "scale")
    field.get_by_text(f"a) {ask('scale').options[0].text}").click()
    alert = page.get_by_role("alert").filter(has_text="Cannot use the folder")
    alert.wait_for(timeout=20_000)
    assert "(Permission denied): guesses and answers last until" in alert.inner_text()
    notebook.cell("state.os.replace = replace").locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    notebook.idle()
    field.get_by_text(f"c) {ask('scale').options[2].text}").click()
    expect(alert).to_have_count(0, timeout=20_000)
    assert [letter for letter, _ in kept(lab_home)["scale"]] == ["a", "c"]


def fits_and_is_accessible(page, picture):
    """Cards at three widths, the last of which is the first at 200 %."""
    for width in (1366, 1024, 683):
        page.set_viewport_size({"width": width, "height": 768})
        assert page.evaluate("document.querySelector('.mc').scrollWidth <= "
                             "document.querySelector('.mc').clientWidth")
        assert complaints(page, ".mc") == []
        page.screenshot(path=ARTIFACTS / f"{picture}-{width}.png")


def test_cards_by_keyboard(open_cells, lab_home):
    cells = ["from mnist_compress.ui import cards", "cards('scale', 'luck')"]
    notebook = open_cells("cards", cells)
    notebook.run_all()
    page = notebook.page
    front = page.get_by_role("button", name=ask("scale").question)
    front.wait_for(timeout=20_000)
    assert page.get_by_text("0.1234 / 0.01 = 12.34").count() == 0
    front.focus()
    page.keyboard.press("Enter")
    page.get_by_text("0.1234 / 0.01 = 12.34").wait_for()
    page.keyboard.press("Enter")  # once more by mistake: no card is judged unread
    assert page.get_by_text("Card 1 of 2").is_visible()
    fits_and_is_accessible(page, "cards")
    page.keyboard.press("Tab")
    page.keyboard.press(" ")  # I knew it
    page.get_by_text("Card 2 of 2").wait_for()
    page.keyboard.press(" ")
    page.get_by_text("McNemar").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # I did not
    page.get_by_text("You knew 1 of 2. The next card is due in 1 day.").wait_for()
    state = json.loads((lab_home / "state" / "state.json").read_text("utf-8"))
    assert {name: made[0][0] for name, made in state["cards"].items()} == {
        "scale": "knew", "luck": "not"}
    fits_and_is_accessible(page, "cards-done")
    assert notebook.errors == [] and notebook.red() == []


def test_a_heading_to_read_again_opens(open_cells):
    notebook = open_cells("again", ["from mnist_compress.ui import answer, quiz, report",
                                    "quiz('scale')", "answer('csr', 'a'); report()"])
    notebook.run_all()
    page, question = notebook.page, ask("scale")
    field_of(page, "scale").get_by_text(f"a) {question.options[0].text}").click()
    for link, name in ((page.locator(".mc-feedback a"), "scale"),
                       (page.locator(".jp-RenderedHTML a:visible").last, "csr")):
        link.click()
        page.locator(f".lm-TabBar-tabLabel:has-text('{ask(name).notebook}')").first.wait_for(
            timeout=30_000)
        heading = ask(name).read_again.partition("#")[2]
        page.locator(".jp-MarkdownCell h2:visible", has_text=heading).first.wait_for(
            timeout=30_000)
        notebook.command("application:activate-previous-tab")


def test_code_that_is_handed_out_shows_two_cases(open_cells):
    notebook = open_cells("handed", [
        "import torch\nfrom mnist_compress.ui import check",
        "def my_int8(values, seen):\n    scale = seen.max() / 127\n"
        "    return (values / scale).round().to(torch.int8).clamp(-127, 127)\n\ncheck(my_int8)"])
    notebook.run_all()
    output = notebook.cell("def my_int8").locator(".jp-OutputArea-output").last
    expect(output.locator("p")).to_have_text("Not yet. This is the code that was handed out.")
    assert output.locator("li").count() == 2

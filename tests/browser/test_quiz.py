"""The quiz and the guess box in JupyterLab: by mouse, by keyboard alone, in two tabs, after a
restart, in dark theme; and what a screen reader would complain about."""

import json
import re
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from mnist_compress.ui.evidence import show_me
from mnist_compress.ui.questions import ask

from .conftest import ARTIFACTS, Notebook

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}


def complaints(page, selector):
    """Serious and critical findings of axe-core about the parts that match."""
    found = Axe().run(page, context=selector, options=RULES).response["violations"]
    return [(each["id"], each["nodes"][0]["html"][:200]) for each in found
            if each["impact"] in ("serious", "critical")]


def count(notebook):
    return notebook.page.locator(".jp-CodeCell, .jp-MarkdownCell").count()


def run(notebook, cell):
    """Run one cell and wait for its number.

    Its old number goes first: a cell that was stored as the sixth may well be the sixth again.
    """
    prompt = cell.locator(".jp-InputPrompt").first
    cell.locator(".cm-content").click()
    notebook.command("notebook:clear-cell-output")
    expect(prompt).to_have_text("[ ]:", timeout=20_000)
    cell.locator(".cm-content").click()
    notebook.page.keyboard.press("Control+Enter")
    expect(prompt).to_have_text(re.compile(r"\[\d+\]"), timeout=20_000)
    notebook.idle()


def run_up_to(notebook, text):
    """Run all cells above the first whose source holds this text."""
    place = notebook.page.evaluate("""text => window.jupyterapp.shell.currentWidget.content.widgets
        .findIndex(cell => cell.model.sharedModel.source.includes(text))""", text)
    assert place > 0
    notebook.page.evaluate(
        f"window.jupyterapp.shell.currentWidget.content.activeCellIndex = {place}")
    notebook.command("notebook:run-all-above")


def field_of(page, name):
    """The fieldset of the question with this id, in every view of it."""
    return page.get_by_role("group", name=re.compile(re.escape(ask(name).question[:40])))


def told(name, letter):
    """How the feedback for an answer begins, as a page shows it."""
    return ask(name).feedback(letter).replace("\xa0", " ")[:40]


def test_by_mouse_in_two_tabs_and_in_the_dark(open_cells, lab, chromium):
    notebook = open_cells("mouse", ["from mnist_compress.ui import quiz, report\n"
                                    "quiz('data-value', 'pixel-150', 'flatten')", "report()"])
    notebook.run_all()  # a notebook with cells not run here is not trusted in the second tab
    page, question = notebook.page, ask("pixel-150")
    right = next(letter for letter in "abcd" if question.option(letter).correct)
    wrong, other = [letter for letter in "abcd" if letter != right][:2]
    field = field_of(page, "pixel-150")
    field.get_by_text(question.option(wrong).text).click()
    status = field.get_by_role("status")
    expect(status).to_contain_text(f"{wrong} is not it ({question.option(wrong).misconception})")
    field.get_by_role("button", name="Try again").click()
    assert field.get_by_role("radio", checked=True).count() == 0
    place = "abcd".index(right)  # looked at with a key, then clicked: that is an answer
    field.get_by_role("radio").nth(place - 1).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Control+ArrowDown")
    assert field.get_by_role("radio").nth(place).is_checked()
    expect(status).to_have_text("")
    field.get_by_text(question.option(right).text).click()
    expect(status).to_contain_text(told("pixel-150", right))
    score = "1 right, 1 of 3 answered; 0 right at the first try."
    page.get_by_text(score).wait_for(timeout=20_000)
    field.get_by_role("button", name="Show me").click()
    expect(status).to_contain_text(show_me("pixel-150").replace("\xa0", " ")[:40], timeout=20_000)
    field.get_by_role("button", name="Show me").click()  # again: it stands there already
    expect(field.get_by_role("button", name="Show me")).to_have_text("Show me")
    report = notebook.cell("report()")
    run(notebook, report)
    output = report.locator(".jp-OutputArea-output").first.inner_text()
    assert "Right at try 2" in output and question.option(wrong).misconception in output
    assert complaints(page, ".mc") == []

    notebook.command("docmanager:save")
    page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    second = Notebook(chromium.new_page(), lab, "mouse")  # the same kernel
    there = field_of(second.page, "pixel-150")
    there.get_by_text(f"{right} is right.").wait_for(timeout=20_000)
    there.get_by_text(question.option(other).text).click()
    field.get_by_text(f"{other} is not it").wait_for(timeout=20_000)
    second.page.close()

    notebook.command("apputils:change-theme", theme="JupyterLab Dark")
    try:
        page.wait_for_selector('body[data-jp-theme-light="false"]', state="attached")
        field.scroll_into_view_if_needed()
        page.screenshot(path=ARTIFACTS / "quiz-dark.png")
        assert complaints(page, ".mc") == []
    finally:
        notebook.command("apputils:change-theme", theme="JupyterLab Light")
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    field.scroll_into_view_if_needed()
    page.screenshot(path=ARTIFACTS / "quiz-light.png")
    assert notebook.red() == [] and notebook.errors == [] and notebook.outside == []


def test_by_keyboard_alone_and_after_a_restart(open_cells, lab_home):
    notebook = open_cells("keyboard", ["from mnist_compress.ui import quiz", "quiz('prune-what')",
                                       "'the end'"])
    notebook.run_all()
    page, before = notebook.page, count(notebook)
    field = field_of(page, "prune-what")
    radios = field.get_by_role("radio")
    radios.first.focus()
    for key in ("a", "b", "x", "d", "d", "m"):
        page.keyboard.press(key)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    assert radios.nth(1).is_checked()
    assert field.get_by_role("status").inner_text().strip() == ""  # looking is no answer
    page.keyboard.press("Enter")
    field.get_by_text("b is right.").wait_for(timeout=20_000)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(field.get_by_role("status")).to_contain_text("30,490", timeout=20_000)
    page.keyboard.press("Tab")
    page.keyboard.press(" ")
    assert field.get_by_role("radio", checked=True).count() == 0
    page.keyboard.press("ArrowUp")
    page.keyboard.press(" ")
    field.get_by_text("d is not it").wait_for(timeout=20_000)
    assert count(notebook) == before

    deadline = time.monotonic() + 20  # the page answers at once, the kernel a little later
    while [letter for letter, _ in kept(lab_home).get("prune-what", ())] != ["b", "d"]:
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)
    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    notebook.idle()
    run_up_to(notebook, "the end")
    notebook.idle()
    field.get_by_text("d is not it").wait_for(timeout=20_000)  # the answer outlived the kernel
    assert notebook.red() == [] and notebook.errors == []


def kept(home):
    """The answers in the state file."""
    return json.loads((home / "state" / "state.json").read_text("utf-8"))["answers"]


def test_guess_box_by_keyboard(open_notebook):
    notebook = open_notebook("01_data")
    page = notebook.page
    run_up_to(notebook, "reveal(")
    field = page.get_by_role("spinbutton")
    field.wait_for(timeout=30_000)
    notebook.idle()
    before = count(notebook)
    field.focus()
    for key in ("a", "b", "4", "2", "Enter"):
        page.keyboard.press(key)
    page.get_by_text("Your guess: 42 %.").wait_for(timeout=20_000)
    page.screenshot(path=ARTIFACTS / "guess-light.png")
    assert complaints(page, ".mc") == []
    cell = notebook.cell("reveal(")
    run(notebook, cell)
    assert "Your guess, 42 %" in cell.inner_text().replace("\xa0", " ")
    assert count(notebook) == before and notebook.red() == [] and notebook.errors == []


def test_no_two_views_share_a_name_for_their_radios(open_cells):
    notebook = open_cells("radios", [
        "from mnist_compress.ui import answer, quiz\nanswer('prune-what', 'b')",
        "first = quiz('prune-what', 'flatten')\nfirst", "display(first)", "quiz('prune-what')",
        "from mnist_compress.data import load_sample\n"
        "from mnist_compress.training import trained_model\n"
        "from mnist_compress.ui import explore_quantization\n"
        "for _ in range(2):\n"
        "    display(explore_quantization(trained_model(), load_sample()[1]))"])
    notebook.run_all()
    page = notebook.page
    page.locator(".mc-ex-choice input").nth(3).wait_for(timeout=20_000)
    groups = page.locator("fieldset:has(input[type=radio]):not(:has(fieldset))").evaluate_all(
        "sets => sets.map(set => [...new Set([...set.querySelectorAll('input')].map("
        "radio => radio.name))])")
    names = [name for group in groups for name in group]
    assert len(groups) >= 7 and len(names) == len(set(names)) == len(groups)
    chosen = field_of(page, "prune-what").get_by_role("radio", checked=True)
    assert chosen.count() == 3  # the answer given before, in each view
    assert page.get_by_role("alert").all_inner_texts() == [""] * page.get_by_role("alert").count()
    assert notebook.red() == [] and notebook.errors == []


@pytest.fixture(autouse=True)
def fresh(lab_home):
    """Nothing is guessed, measured or answered yet: another test may have run the same notebook."""
    ARTIFACTS.mkdir(exist_ok=True)
    (lab_home / "state" / "state.json").unlink(missing_ok=True)

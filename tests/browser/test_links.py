"""Links that a learner clicks in JupyterLab: the next notebook, and a page that a notebook made."""

from playwright.sync_api import expect

from mnist_compress import deploy, pretrained


def test_a_page_that_a_notebook_made_opens_and_reads(open_notebook, lab_home):
    notebook = open_notebook("08_deployment")
    folder = lab_home / "notebooks" / "device"
    folder.mkdir(exist_ok=True)
    deploy.export_page(pretrained.load("perceptron"), folder / "digits.html")
    notebook.page.get_by_role("link", name="your page").click()
    frame = notebook.page.frame_locator(".jp-HTMLViewer iframe")
    expect(frame.get_by_role("status")).to_have_text("?")
    paper = frame.locator("canvas").first.bounding_box()
    middle = paper["x"] + paper["width"] / 2
    notebook.page.mouse.move(middle, paper["y"] + 0.2 * paper["height"])
    notebook.page.mouse.down()
    notebook.page.mouse.move(middle, paper["y"] + 0.8 * paper["height"], steps=10)
    notebook.page.mouse.up()
    expect(frame.get_by_role("status")).to_contain_text("1")
    expect(frame.locator("body")).not_to_contain_text("It needs JavaScript")
    notebook.command("application:close")


def test_next_opens_the_next_notebook(open_notebook):
    notebook = open_notebook("01_data")
    notebook.page.get_by_role("link", name="Can a network learn to read from 1000 digits?").click()
    tab = notebook.page.locator(".lm-DockPanel-tabBar .lm-mod-current")
    expect(tab).to_have_text("02_training.ipynb")
    notebook.page.wait_for_function(
        "window.jupyterapp.shell.currentWidget.sessionContext?.session?.kernel?.status === 'idle'")
    notebook.command("docmanager:save")  # the kernel's version is news, and closing would ask
    notebook.page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    notebook.command("application:close")
    expect(tab).to_have_text("01_data.ipynb")

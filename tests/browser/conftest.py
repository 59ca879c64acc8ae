"""A real JupyterLab on loopback and a real Chromium, for the browser tests."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import sync_playwright
from xdist.scheduler import LoadScopeScheduling

from tools import ROOT
from tools.check import BROWSERS
from tools.lab import OPTIONS, SETTINGS

ARTIFACTS = ROOT / "tests" / "artifacts"
TOKEN = secrets.token_hex()  # nobody else on this machine gets into the server
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]


class Scheduler(LoadScopeScheduling):
    """The tests of a file stay together, which share pages and servers; each notebook of the smoke
    test is for whoever is free. The files with most tests come first.

    (pytest-xdist's own groups are lost on pytest 9.2, without a word.)
    """

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        return nodeid if file.endswith("test_smoke.py") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return Scheduler(config, log)


@contextmanager
def serve(home):
    """The address of a JupyterLab over copies of the notebooks, in home/notebooks."""
    home = Path(home)
    shutil.copytree(ROOT / "notebooks", home / "notebooks",
                    ignore=shutil.ignore_patterns(".*", "my-*"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = SETTINGS, SETTINGS.with_name("installed")
    env = {**os.environ, "HOME": str(home), "JUPYTER_CONFIG_DIR": str(home / "config"),
           "JUPYTER_CONFIG_PATH": os.pathsep.join(map(str, settings)),
           "JUPYTER_TOKEN": TOKEN, "MNIST_COMPRESS_STATE": str(home / "state")}
    command = [sys.executable, "-m", "jupyterlab", "--ip=127.0.0.1", f"--port={port}",
               "--no-browser", "--ServerApp.port_retries=0",
               "--LabApp.expose_app_in_browser=True", "--allow-root", *OPTIONS,
               f"--ServerApp.root_dir={home / 'notebooks'}"]
    with open(home / "log", "wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=5)
                    break
                except OSError:
                    if time.monotonic() > deadline or process.poll() is not None:
                        raise RuntimeError((home / "log").read_text()) from None
                    time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


@contextmanager
def launch(path):
    """The Chromium at this path."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def find_chromium():
    """Its path, from CHROMIUM or the path; or None."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="session")
def lab_home(tmp_path_factory):
    """The folder of the one JupyterLab of a test run."""
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="session")
def lab(lab_home):
    """The address of a JupyterLab over copies of the notebooks, with a state folder of its own."""
    with serve(lab_home) as address:
        yield address


@pytest.fixture(scope="session")
def chromium():
    """Chromium from CHROMIUM or the path; without it these tests fail where they are required."""
    path = find_chromium()
    if not path:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("Chromium is required here and was not found")
        pytest.skip("Chromium was not found")
    with launch(path) as browser:
        yield browser


class Notebook:
    """One notebook in a browser tab."""

    def __init__(self, page, base, name):
        self.page, self.errors, self.outside = page, [], []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._watch(request.url, base))
        page.goto(f"{base}/lab/tree/{name}.ipynb?reset&token={TOKEN}")
        page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell", timeout=60_000)
        self.idle()
        page.evaluate("""async () => {
            const widget = window.jupyterapp.shell.currentWidget;
            await widget.context.ready;
            await widget.sessionContext.ready;
            await widget.sessionContext.session.kernel.info;
            window.jupyterapp.shell.collapseLeft(); }""")

    def _watch(self, url, base):
        if not url.startswith((base, base.replace("http", "ws"), "data:", "blob:")):
            self.outside.append(url)

    def idle(self):
        """Wait until the kernel has nothing to do."""
        self.page.wait_for_selector(
            '.jp-NotebookPanel-toolbar .jp-Notebook-ExecutionIndicator[data-status="idle"]',
            timeout=90_000)

    def command(self, name, **arguments):
        """Run a JupyterLab command."""
        self.page.evaluate("([name, args]) => window.jupyterapp.commands.execute(name, args)",
                           [name, arguments])

    def run_all(self):
        """Clear all outputs, run all cells and wait until the last one has a number."""
        self.command("notebook:clear-all-cell-outputs")
        self.command("notebook:run-all-cells")
        self.page.wait_for_function("""() => {
            const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
            return prompts.length && prompts.every(p => /\\[\\d+\\]:/.test(p.textContent)); }""",
                                    timeout=120_000)
        self.idle()

    def cell(self, text):
        """The first code cell that holds `text`."""
        return self.page.locator(".jp-CodeCell", has_text=text).first

    def red(self):
        """Texts of error and stderr outputs."""
        return self.page.locator(
            '.jp-OutputArea-output[data-mime-type$="stderr"], '
            '.jp-OutputArea-output[data-mime-type$="error"]').all_inner_texts()

    def picture(self, name):
        """Keep a screenshot of every screenful of the notebook."""
        ARTIFACTS.mkdir(exist_ok=True)
        box = "document.querySelector('.jp-NotebookPanel .jp-WindowedPanel-outer')"
        height = self.page.evaluate(f"{box}.scrollHeight")
        for place, top in enumerate(range(0, height, 2800), 1):
            self.page.set_viewport_size({"width": 1000, "height": 2900})
            self.page.evaluate(f"{box}.scrollTop = {top}")
            self.page.wait_for_timeout(200)
            self.page.screenshot(path=ARTIFACTS / f"{name}-{place}.png")
        self.page.set_viewport_size({"width": 1200, "height": 900})


@contextmanager
def tabs(lab, chromium):
    """A function that opens notebooks; tabs and kernels are closed at the end."""
    opened = []

    def open_one(name, **options):
        page = chromium.new_page(**{"viewport": {"width": 1200, "height": 900}, **options})
        opened.append(Notebook(page, lab, name))
        return opened[-1]

    yield open_one
    for notebook in opened:
        notebook.page.evaluate(
            "window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        notebook.page.close()


def say_the_same(first, second, text):
    """Wait until two views of a widget say the same sentence, which holds this text."""
    first.page.wait_for_function(
        """([first, second, text]) => {
            const [said, also] = [first, second].map(
                box => box.querySelector("[role=status]").textContent);
            return said.includes(text) && said === also; }""",
        arg=[first.box.element_handle(), second.box.element_handle(), text], timeout=20_000)


def write_cells(home, name, sources):
    """Put a notebook with these code cells among those that JupyterLab serves."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    notebook.metadata.kernelspec = {
        "display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(notebook, Path(home, "notebooks", f"{name}.ipynb"))


@pytest.fixture
def open_notebook(lab, chromium):
    """open_notebook("01_data") -> `Notebook`; tabs and kernels are closed after the test.

    Further options are Playwright's for a new page, such as has_touch=True.
    """
    with tabs(lab, chromium) as open_one:
        yield open_one


@pytest.fixture
def open_cells(lab_home, open_notebook):
    """open_cells("name", ["1 + 1", ...]) -> a `Notebook` of these cells, not run yet."""
    def open_new(name, sources, **options):
        write_cells(lab_home, name, sources)
        return open_notebook(name, **options)

    return open_new

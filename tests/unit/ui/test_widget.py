"""What widgets share: a problem is shown, and their JavaScript runs joined as well as alone."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mnist_compress.ui import quiz, widget
from mnist_compress.ui.state import load_state
from mnist_compress.ui.widget import CourseWidget, shown, source

FOLDER = Path(widget.__file__).parent
OWN = sorted(path.name for path in FOLDER.glob("*.js") if path.name != "widget.js")


def defined(path):
    """The names that a JavaScript module exports, as Node sees them."""
    code = (f"import({json.dumps(path.as_uri())})"
            ".then(all => console.log(Object.keys(all).sort().join()))")
    run = subprocess.run(["node", "-e", code], capture_output=True, text=True, check=True)
    return run.stdout.strip().split(",")


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node")
def test_javascript_runs_joined_as_well_as_alone(tmp_path):
    for path in FOLDER.glob("*.js"):
        (tmp_path / path.name).with_suffix(".mjs").write_text(
            path.read_text("utf-8").replace('"./widget.js"', '"./widget.mjs"'), "utf-8")
    helpers = defined(tmp_path / "widget.mjs")
    assert helpers == ["follow", "frame", "make", "marked", "post", "radioGroup", "send"]
    for name in OWN:
        assert defined((tmp_path / name).with_suffix(".mjs")) == ["default"]
        (tmp_path / name).with_suffix(".joined.mjs").write_text(source("widget.js", name), "utf-8")
        assert defined((tmp_path / name).with_suffix(".joined.mjs")) == ["default", *helpers]


@pytest.mark.parametrize("name", OWN)
def test_each_file_imports_what_it_uses(name):
    text = (FOLDER / name).read_text("utf-8")
    helpers = re.findall(r"^export function (\w+)", (FOLDER / "widget.js").read_text("utf-8"), re.M)
    used = {helper for helper in helpers if re.search(rf"(?<!\w)(?<!\w\.){helper}\(", text)}
    (imported,) = re.findall(r'^import \{(.*)\} from "\./widget\.js";$', text, re.M)
    assert set(imported.split(", ")) == used
    assert "import " not in source("widget.js", name) and "import " not in source("widget.css")


class Failing(CourseWidget):
    """Takes even numbers only."""

    _esm = ""

    @shown
    def take(self, number):
        if number % 2:
            raise ValueError(f"even numbers only; got {number}")
        if number > 9:
            print("a large number")

    def twin(self):
        return {"text/plain": "a twin"}


def test_a_problem_is_shown_until_it_is_mended():
    one = Failing()
    one.take(3)
    assert one.problem == "even numbers only; got 3"
    one.take(4)
    assert one.problem == ""
    one.take(10)
    assert one.problem == "a large number"
    assert one._repr_mimebundle_()[0]["text/plain"] == "a twin"


def test_what_is_not_saved_is_said_in_the_widget_until_it_is(folder, monkeypatch):
    one = quiz("scale")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(PermissionError(13, "No")))
        for place in (0, 1):
            one.chosen = {"scale": place}
            assert one.problem.startswith(f"Cannot use the folder {folder} (No): guesses and")
    one.chosen = {"scale": 2}
    assert one.problem == "" and [letter for letter, _ in load_state()["answers"]["scale"]] == [
        "a", "b", "c"]


def test_a_damaged_file_is_said_in_the_widget(folder):
    one = quiz("scale")
    folder.mkdir(parents=True)
    (folder / "state.json").write_text("{")
    one.chosen = {"scale": 2}
    assert one.problem.endswith("cannot be read; kept as state.damaged-1.json.")


def test_the_page_is_told_that_the_kernel_is_there():
    one, sent = quiz("scale"), []
    one.send = sent.append
    one._handle_custom_msg({"ping": True}, [])
    assert sent == [{"pong": True}] and one.problem == ""

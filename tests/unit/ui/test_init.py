"""mnist_compress.ui hands out each name from its module, and loads that module no sooner."""

import subprocess
import sys
from pathlib import Path

import pytest

from mnist_compress import ui


def test_every_name_is_there_and_no_module_hides_it():
    for name in ui.__all__:
        assert callable(getattr(ui, name)), name
        assert not Path(ui.__file__).with_name(f"{name}.py").exists(), name
    assert dir(ui) == sorted(ui.__all__)


def test_another_name_is_told_which_there_are():
    with pytest.raises(AttributeError, match=r"mnist_compress\.ui has no 'chek'; it has .*check"):
        ui.chek  # noqa: B018
    with pytest.raises(ImportError, match="chek"):
        from mnist_compress.ui import chek  # noqa: F401


@pytest.mark.parametrize(("names", "modules"), [
    ("forget", "ui.state"),
    ("check, guess_box, quiz, reveal",
     "arguments ui.state ui.exercises ui.guesses ui.questions ui.quizwidget ui.widget")])
def test_only_what_is_needed_is_loaded(names, modules):
    code = (f"import sys\nfrom mnist_compress.ui import {names}\n"
            "print(*(name for name in sys.modules if name.startswith('mnist_compress.')))")
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                            check=True).stdout.split()
    assert set(loaded) == {"mnist_compress.ui", *(f"mnist_compress.{m}" for m in modules.split())}

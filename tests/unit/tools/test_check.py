"""The checks of `make test`: their parts, and what counts as passed."""

import pytest
from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook

from tools import check


def test_parts_that_do_not_exist_are_refused(capsys):
    assert check.main("unitt") == 2
    assert "parts are lint, unit, notebooks, browser; got unitt" in capsys.readouterr().out


def test_every_part_runs_even_after_a_failure(monkeypatch, capsys):
    monkeypatch.setattr(check, "PARTS", {"one": lambda: 1, "two": lambda: 0})
    assert check.main() == 1
    told = capsys.readouterr().out
    assert "== two" in told and "FAILED: one (" in told
    assert check.main("two") == 0 and "All passed" in capsys.readouterr().out


def test_what_a_tool_prints_is_shown_and_kept(capfd):
    code, text = check.python("platform", env={"PYTHONUTF8": "1"})
    assert code == 0 and text.strip() and capfd.readouterr().out == text


@pytest.mark.parametrize("said, code", [
    ("2 passed in 1.0s", 0), ("1 passed, 1 skipped in 1.0s", 1), ("2 skipped in 0.1s", 1)])
def test_each_code_cell_must_have_passed(tmp_path, monkeypatch, said, code):
    path = tmp_path / "01_a.ipynb"
    write(new_notebook(cells=[new_code_cell("1"), new_code_cell("2")]), path)
    monkeypatch.setattr(check, "python", lambda *arguments, **options: (0, said))
    assert check.validate(path) == code


@pytest.mark.parametrize("result, code", [
    ((0, "5 passed, 2 xfailed"), 0), ((0, "5 passed, 1 skipped"), 1), ((2, "1 failed"), 2)])
def test_no_test_may_be_skipped_where_all_can_run(result, code):
    assert check.all_ran(result) == code

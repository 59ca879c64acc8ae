"""Guesses and answers survive restarts, damage and folders that cannot be written."""

import json
import os
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest

from mnist_compress.ui import state
from mnist_compress.ui.state import (
    GUESSES,
    calibration_report,
    forget,
    guess,
    load_state,
    remember,
    reveal,
    save_state,
)

EMPTY = {"guesses": {}, "truths": {}, "answers": {}}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Use a fresh folder, named by the environment variable, not yet made."""
    monkeypatch.setattr(state, "_in_memory", {})
    monkeypatch.setenv("MNIST_COMPRESS_STATE", str(tmp_path / "deep" / "state"))
    return tmp_path / "deep" / "state"


def test_what_is_saved_is_read_back(folder):
    assert load_state() == EMPTY
    assert not folder.exists()  # reading alone leaves nothing behind
    saved = {"guesses": {"03-bytes": 70.0}, "truths": {}, "answers": {"q": "b"}}
    save_state(saved)
    assert load_state() == saved
    assert json.loads((folder / "state.json").read_text()) == saved
    remember("answers", "r", "c")
    assert load_state()["answers"] == {"q": "b", "r": "c"}
    assert os.listdir(folder) == ["state.json"]  # no temporary file stays


def test_without_the_variable_it_is_a_hidden_folder_here(tmp_path, monkeypatch):
    for value in (None, ""):
        monkeypatch.chdir(tmp_path)
        (monkeypatch.delenv if value is None else monkeypatch.setenv)(
            "MNIST_COMPRESS_STATE", *([] if value is None else [value])
        )
        remember("answers", "q", "b")
        assert (tmp_path / ".mnist_compress" / "state.json").exists()
        (tmp_path / ".mnist_compress" / "state.json").unlink()


def test_an_interrupted_write_leaves_the_old_state(folder, monkeypatch):
    remember("answers", "q", "b")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        remember("answers", "q", "c")
    assert load_state()["answers"] == {"q": "b"}
    assert os.listdir(folder) == ["state.json"]  # neither a half-written file nor a lock


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(folder, monkeypatch, capsys):
    remember("answers", "q", "b")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    remember("answers", "q", "c")
    assert "(Permission denied)" in capsys.readouterr().out
    assert os.listdir(folder) == ["state.json"]


WRITER = """
import sys
from mnist_compress.ui.state import remember
print("ready", flush=True)
sys.stdin.readline()
for n in range(200):
    remember("answers", f"{sys.argv[1]}-{n}", "a")
"""


def test_kernels_that_write_at_once_lose_nothing(folder):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, name], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True) for name in "xy"]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        assert writer.communicate(timeout=60)[0] == "" and writer.returncode == 0
    assert len(load_state()["answers"]) == 400
    assert os.listdir(folder) == ["state.json"]


@pytest.mark.parametrize("age", [state.STALE + 1, -3600])  # left behind, then a clock set back
def test_the_lock_of_a_dead_kernel_is_taken_over(folder, age):
    folder.mkdir(parents=True)
    lock = folder / "state.lock"
    lock.touch()
    os.utime(lock, (time.time() - age,) * 2)
    start = time.monotonic()
    remember("answers", "q", "b")
    forget()
    assert time.monotonic() - start < 1
    assert load_state()["answers"] == {"q": "b"} and not lock.exists()


def test_a_lock_is_waited_for_but_not_for_ever(folder, monkeypatch):
    monkeypatch.setattr(state, "STALE", 0.1)
    folder.mkdir(parents=True)
    lock = folder / "state.lock"
    lock.touch()
    start = time.monotonic()
    remember("answers", "q", "b")
    assert 0.05 < time.monotonic() - start < 2

    def taken(*_):
        raise FileExistsError(17, "File exists")

    monkeypatch.setattr(os, "open", taken)
    remember("answers", "q", "c")
    assert load_state()["answers"] == {"q": "c"}


def test_a_folder_that_is_a_file_is_told_at_once(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("MNIST_COMPRESS_STATE", str(tmp_path / "file"))
    start = time.monotonic()
    remember("answers", "q", "b")
    assert time.monotonic() - start < 1
    assert capsys.readouterr().out.count("Cannot use the folder") == 1
    assert load_state()["answers"] == {"q": "b"}


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("MNIST_COMPRESS_STATE", "~/x")
    monkeypatch.chdir(tmp_path)
    remember("answers", "q", "b")
    assert os.listdir(tmp_path / "home" / "x") == ["state.json"]
    assert os.listdir(tmp_path) == ["home"]


DAMAGED = [
    b"",
    b"{",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b"[1, 2]",
    b"null",
    b'{"cells": [], "nbformat": 4}',
    b'{"guesses": {}, "truths": {}}',
    b'{"guesses": [["03-bytes", 1]], "truths": {}, "answers": {}}',
    b'{"guesses": {"03-bytes": "many"}, "truths": {}, "answers": {}}',
    b'{"guesses": {"03-bytes": NaN}, "truths": {}, "answers": {}}',
    b'{"guesses": {"03-bytes": 1' + b"0" * 400 + b'}, "truths": {}, "answers": {}}',
    b'{"guesses": {"03-bytes": true}, "truths": {}, "answers": {}}',
    b'{"guesses": {"03-bytes": -1}, "truths": {}, "answers": {}}',
    b'{"guesses": {}, "truths": {"03-bytes": false}, "answers": {}}',
    b'{"guesses": {}, "truths": {}, "answers": {"q": 3}}',
]


@pytest.mark.parametrize("content", DAMAGED, ids=lambda content: repr(content[:40]))
def test_a_damaged_or_foreign_file_is_set_aside(folder, capsys, content):
    folder.mkdir(parents=True)
    for n in (1, 2):
        (folder / "state.json").write_bytes(content)
        assert load_state() == EMPTY
        assert (folder / f"state.damaged-{n}.json").read_bytes() == content
        message = f"cannot be read; kept as state.damaged-{n}.json."
        assert message in capsys.readouterr().out
        remember("answers", "q", "b")  # and work goes on
        assert load_state()["answers"] == {"q": "b"}
    assert capsys.readouterr().out == ""


def test_an_unusable_folder_is_told_once_and_the_state_kept(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("MNIST_COMPRESS_STATE", str(tmp_path / "file"))
    assert guess("03-bytes", 70) == guess("03-bytes", 70) == "Your guess: 70 KB."
    remember("answers", "q", "b")
    load_state()["answers"]["q"] = "a change of a copy"
    assert load_state() == {"guesses": {"03-bytes": 70.0}, "truths": {}, "answers": {"q": "b"}}
    printed = capsys.readouterr().out
    assert printed.count("Cannot use the folder") == printed.count("\n") == 1
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_told_once(folder, monkeypatch, capsys):
    def refuse(*_args, **_more):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    for letter in "abc":
        remember("answers", "q", letter)
    assert load_state()["answers"] == {"q": "c"}
    assert capsys.readouterr().out.count("(Permission denied): guesses and answers last") == 1


def test_what_cannot_be_read_back_is_refused():
    with pytest.raises(ValueError, match=r"sections guesses, truths, answers; got .*marks"):
        remember("marks", "q", "b")
    with pytest.raises(ValueError, match="cannot keep nan as '02-accuracy' among the truths"):
        reveal("02-accuracy", float("nan"))
    with pytest.raises(ValueError, match="cannot keep 3 as 'q' among the answers"):
        remember("answers", "q", 3)
    assert load_state() == EMPTY


def test_without_a_guess_cells_say_so_each_time():
    for _ in range(2):
        assert guess("03-bytes") == (
            "No guess yet. To commit one, write guess_box('03-bytes', 0) with your own number (KB) "
            "in place of 0."
        )
        assert reveal("03-bytes", 409.309) == (
            "Measured: 409.3 KB. There is no guess to compare it with."
        )
    assert calibration_report() == (
        "No guess has met its measurement yet, so there is nothing to compare."
    )


def test_the_first_guess_counts():
    for _ in range(2):
        assert guess("03-bytes", 280) == "Your guess: 280 KB."
    for _ in range(2):
        assert guess("03-bytes", 400) == "Your first guess counts: 280 KB."
    assert guess("03-bytes") == "Your guess: 280 KB."
    for _ in range(2):
        assert reveal("03-bytes", 409) == ("Measured: 409 KB. Your guess, 280 KB: 129 KB too low.")
    assert guess("03-bytes", 280) == "Your guess: 280 KB."


def test_a_guess_after_the_answer_does_not_count_until_all_is_forgotten():
    reveal("02-accuracy", 87.5)
    remember("answers", "q", "b")
    for _ in range(2):
        assert "does not count; forget() starts afresh." in guess("02-accuracy", 87)
    assert load_state()["guesses"] == {}
    forget()
    assert load_state() == {**EMPTY, "answers": {"q": "b"}}
    assert guess("02-accuracy", 87) == "Your guess: 87 %."


@pytest.mark.parametrize("key", GUESSES)
def test_the_tolerance_is_inclusive(key):
    _, unit, tolerance, _ = GUESSES[key]
    off = "points" if unit == "%" else unit
    guess(key, 50)
    assert reveal(key, 50 + tolerance).endswith(f": right, give or take {tolerance} {off}.")
    assert reveal(key, 50 - tolerance).endswith(f": right, give or take {tolerance} {off}.")
    assert reveal(key, 49 - tolerance).endswith(f": {tolerance + 1} {off} too high.")
    assert reveal(key, 51 + tolerance).endswith(f": {tolerance + 1} {off} too low.")


def test_the_report_tells_right_from_wrong_by_topic():
    for key, value in {"02-accuracy": 88, "03-sparsity": 70, "03-bytes": 280}.items():
        guess(key, value)
    guess("05-agree", 3500)  # never measured, so not in the report
    reveal("01-zeros", 81)  # never guessed
    for key, value in {"02-accuracy": 87.5, "03-sparsity": 60, "03-bytes": 409}.items():
        reveal(key, value)
    guess("04-bytes", 26)
    first, *rows = calibration_report().splitlines()
    assert first == "You were right about accuracy; wrong about bytes (2 of 3 guesses hit)."
    assert rows[0] == "- accuracy on the test digits: guessed 88 %, measured 87.5 %"
    assert [row.split("guessed ")[1] for row in rows[1:]] == [
        "280 KB, measured 409 KB",
        "70 %, measured 60 %",
    ]
    reveal("04-bytes", 25.9)
    assert calibration_report().startswith(
        "You were right about accuracy; partly right about bytes (3 of 4 guesses hit)."
    )


@pytest.mark.parametrize("bad", ["70", -1, float("nan"), float("inf"), True, [70], ...])
def test_bad_guesses_are_quoted(bad):
    with pytest.raises(ValueError, match="a guess is a number, 0 or more; got ") as error:
        guess("03-bytes", bad)
    assert str(error.value).endswith(repr(bad))
    assert load_state() == EMPTY


def test_any_real_number_is_a_guess():
    for _ in range(2):
        assert guess("03-bytes", Fraction(1, 3)) == "Your guess: 0.3 KB."
    assert load_state()["guesses"] == {"03-bytes": 1 / 3}


def test_unknown_guesses_are_refused():
    for call in (lambda: guess("3-bytes"), lambda: reveal("3-bytes", 1)):
        with pytest.raises(ValueError, match=r"no guess '3-bytes'; there are 01-zeros, 02-acc"):
            call()


def test_a_cell_shows_a_sentence_without_quotation_marks():
    formatters = pytest.importorskip("IPython.core.formatters")
    shown = formatters.PlainTextFormatter()(guess("03-bytes", 70))
    assert shown == "Your guess: 70 KB."

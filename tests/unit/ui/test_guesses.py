"""A guess counts once and before its measurement; the report sorts guesses by topic."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from mnist_compress.ui.guesses import GUESSES, guess_box, guess_report, reveal
from mnist_compress.ui.guesses import _guess as guess
from mnist_compress.ui.state import attempt, forget, load_state

from .conftest import NOW

EMPTY = {"guesses": {}, "truths": {}, "answers": {}, "cards": {}, "exercises": {},
         "projects": {}}


def test_without_a_guess_cells_say_so_each_time():
    for _ in range(2):
        assert guess("03-bytes") == (
            "No guess yet. To commit one, write guess_box('03-bytes', 0) with your own number (KB) "
            "in place of 0."
        )
        assert reveal("03-bytes", 409.309) == (
            "Measured: 409.3 KB. There is no guess to compare it with."
        )
    assert guess_report() == (
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
    attempt("answers", "q", "b")
    for _ in range(2):
        assert "does not count; forget('02-accuracy') starts afresh." in guess("02-accuracy", 87)
    assert load_state()["guesses"] == {}
    forget()
    assert load_state() == {**EMPTY, "answers": {"q": [["b", NOW]]}}
    assert guess("02-accuracy", 87) == "Your guess: 87 %."


@pytest.mark.parametrize("key", GUESSES)
def test_the_tolerance_is_inclusive(key):
    _, unit, tolerance, _ = GUESSES[key]
    off, guessed = "points" if unit == "%" else unit, max(50, tolerance + 1)
    guess(key, guessed)
    for truth in (guessed + tolerance, guessed - tolerance):
        assert reveal(key, truth).endswith(f": right, give or take {tolerance} {off}.")
    assert reveal(key, guessed - tolerance - 1).endswith(f": {tolerance + 1} {off} too high.")
    assert reveal(key, guessed + tolerance + 1).endswith(f": {tolerance + 1} {off} too low.")


def test_the_report_tells_right_from_wrong_by_topic():
    for key, value in {"02-accuracy": 88, "03-sparsity": 70, "03-bytes": 280}.items():
        guess(key, value)
    guess("05-agree", 3500)  # never measured, so not in the report
    reveal("01-zeros", 81)  # never guessed
    for key, value in {"02-accuracy": 87.5, "03-sparsity": 60, "03-bytes": 409}.items():
        reveal(key, value)
    guess("04-bytes", 26)
    picture = guess_report()
    assert picture.png().startswith(b"\x89PNG") and len(picture.figure.axes[0].collections) == 6
    assert [text.get_text() for text in picture.figure.axes[0].texts] == [
        "88 % → 87.5 %", "70 % → 60 %", "280 KB → 409 KB"]
    first, *rows = picture.sentence.splitlines()
    assert first == "You were right about accuracy; wrong about bytes (2 of 3 guesses hit)."
    assert rows[0] == "- accuracy: accuracy on the test digits: guessed 88 %, measured 87.5 %"
    assert [row.split("guessed ")[1] for row in rows[1:]] == [
        "70 %, measured 60 %",
        "280 KB, measured 409 KB",
    ]
    reveal("04-bytes", 25.9)
    assert guess_report().sentence.startswith(
        "You were right about accuracy; partly right about bytes (3 of 4 guesses hit)."
    )


@pytest.mark.parametrize("bad", ["70", -1, float("nan"), float("inf"), 1e12, True, [70], ...])
def test_bad_guesses_are_quoted(bad):
    with pytest.raises(ValueError, match="a guess must be a finite number at least 0 ") as error:
        guess("03-bytes", bad)
    assert str(error.value).endswith(f"; got {bad!r}")
    assert load_state() == EMPTY


@pytest.mark.parametrize("number", [Fraction(1, 3), np.float64(1 / 3), np.array([1 / 3]),
                                    torch.tensor(1 / 3, dtype=torch.double)])
def test_any_real_number_is_a_guess(number):
    for _ in range(2):
        assert guess("03-bytes", number) == "Your guess: 0.3 KB."
    assert load_state()["guesses"] == {"03-bytes": 1 / 3}


def test_unknown_guesses_are_refused():
    for call in (lambda: guess("3-bytes"), lambda: reveal("3-bytes", 1)):
        with pytest.raises(ValueError, match=r"no guess '3-bytes'; there are 00-right, 00-bytes"):
            call()


def test_a_cell_shows_a_sentence_without_quotation_marks():
    formatters = pytest.importorskip("IPython.core.formatters")
    shown = formatters.PlainTextFormatter()(guess("03-bytes", 70))
    assert shown == "Your guess: 70 KB."


def test_guess_box_commits_the_first_guess():
    box = guess_box("03-bytes")
    assert box.twin()["text/plain"] == guess("03-bytes") and box.sentence == "No guess yet."
    box.guessed = 300
    assert box.sentence == "Your guess: 300 KB." == box.twin()["text/plain"]
    box.guessed = 409
    assert box.sentence == "Your first guess counts: 300 KB."
    assert load_state()["guesses"] == {"03-bytes": 300}


def test_guess_box_can_be_forgotten_and_asked_again():
    guess("04-bytes", 30)
    box = guess_box("03-bytes")
    box.guessed = 300
    box.guessed = None
    assert box.sentence == "No guess yet." and load_state()["guesses"] == {"04-bytes": 30}
    reveal("03-bytes", 409)
    box.guessed = 300
    assert "does not count" in box.sentence
    box.guessed = None
    box.guessed = 310
    assert box.sentence == "Your guess: 310 KB." and load_state()["truths"] == {}
    assert guess_box("03-bytes").guessed == 310


@pytest.mark.parametrize("typed", [-1, "many", True, 1e13])
def test_guess_box_says_what_a_guess_is(typed):
    box = guess_box("03-bytes")
    box.guessed = typed
    assert box.problem.startswith("a guess must be a finite number at least 0 ")
    assert not load_state()["guesses"]


def test_guess_box_after_the_answer_and_as_a_plain_call():
    reveal("03-bytes", 409)
    box = guess_box("03-bytes")
    box.guessed = 409
    assert "does not count" in box.sentence
    assert guess_box("04-bytes", 30) == "Your guess: 30 %."
    with pytest.raises(ValueError, match="there is no guess '99'"):
        guess_box("99")

"""The quiz to click on, its evidence and the box for guesses, without a browser."""

import json
import re

import numpy as np
import pytest
import torch

from mnist_compress.ui.evidence import _EVIDENCE, show_me
from mnist_compress.ui.questions import LETTERS, answer, load_questions, report
from mnist_compress.ui.quizwidget import Quiz, quiz
from mnist_compress.ui.state import load_state, remember

ALL = [question.number for question in load_questions()]


def place(number, right=True):
    """Where a right or a wrong option of the question stands."""
    return [o.correct for o in load_questions()[number - 1].options].index(right)


def click(widget, number, where):
    widget.chosen = {**widget.chosen, f"{number}": where}


def test_an_answer_is_counted_kept_and_reported(folder):
    widget = quiz(2, 3, 4)
    click(widget, 2, place(2))
    click(widget, 3, place(3, False))
    assert widget.score == "1 right, 2 of 3 answered."
    kept = json.loads((folder / "state.json").read_text())["answers"]
    assert kept == {load_questions()[1].id: LETTERS[place(2)],
                    load_questions()[2].id: LETTERS[place(3, False)]}
    assert report().startswith("1 right, 1 wrong, 14 of 16 still open.")


def test_the_last_answer_counts_and_try_again_keeps_it():
    widget = quiz(1)
    click(widget, 1, place(1, False))
    widget.chosen = {}
    assert widget.score == "0 right, 0 of 1 answered."
    assert len(load_state()["answers"]) == 1
    click(widget, 1, place(1))
    assert widget.score == "1 right, 1 of 1 answered."
    assert answer(1).startswith(f"{LETTERS[place(1)]} is right.")


def test_a_new_widget_shows_earlier_answers(folder):
    answer(5, "c")
    remember("answers", load_questions()[5].id, "z")  # from another edition of the quiz
    kept = (folder / "state.json").stat().st_mtime_ns
    widget = quiz(5, 6)
    assert widget.chosen == {"5": 2} and widget.problem == ""
    assert widget.score.endswith("1 of 2 answered.")
    assert (folder / "state.json").stat().st_mtime_ns == kept  # looking is no answer
    click(widget, 6, place(6))
    assert widget.problem == "" and load_state()["answers"][load_questions()[4].id] == "c"


def test_numbers_of_every_kind_ask():
    assert quiz(np.int64(2), torch.tensor(3)).questions == quiz(2, 3).questions


@pytest.mark.parametrize("number", ALL)
def test_feedback_is_that_of_the_plain_call(number):
    options = quiz(number).questions[0]["options"]
    for letter, option in zip(LETTERS, options, strict=True):
        assert option["feedback"] == answer(number, letter)
    assert sum(option["right"] for option in options) == 1


@pytest.mark.parametrize("chosen", [{"1": 4}, {"1": "a"}, {"7": 0}, {"1": -1}])
def test_what_cannot_be_an_answer_is_said_in_the_widget(chosen):
    widget = quiz(1)
    widget.chosen = chosen
    assert "got" in widget.problem and not load_state()["answers"]
    widget.chosen = {"1": 0}
    assert widget.problem == ""


def test_show_me_by_message_and_its_errors():
    widget = quiz(8, 12)
    widget._message(widget, {"show": 8}, [])
    assert widget.evidence == {"8": show_me(8)} and "30,490" in widget.evidence["8"]
    widget._message(widget, {"show": 9}, [])
    assert widget.problem == "ValueError: this quiz asks 8, 12; got '9'"


DECIDES = {  # number: what its computation must say for the right option to follow
    1: r"30,490 are zero, 71,142 kept", 2: r"uint8, from 0 to 255", 3: r"150 into 0\.588",
    4: r"784 numbers; .* the same\. .*True", 5: r"\(128, 784\)", 6: r"9\d\.\d% .* 8\d\.\d%",
    7: r"keeps -0\.9, 0\.5\.", 8: r"= 30,490 zeros", 9: r"dense ([\d,]+) bytes, .* \1 bytes",
    10: r"60% zeros: 4\d\d,\d+; 70% zeros: 3\d\d,\d+", 11: r"half the units [\d,]+ micro",
    12: r"says 12\.", 13: r"\[0, 0\] .* \[127, -95\]", 14: r"-766 in int16 and 64,770",
    15: r"2[5-7]% of the bytes", 16: r"p = 1\.00, 19 against 4 would have p = 0\.003",
    17: r"= 3 bits for a 1, .*0\.544 a bit.* 0\.5[45] a bit\.", 18: r", and 2\*\*53 \+ 1 is "
        r"9,007,199,254,740,992: .* [0-9]\.\d% of that"}


@pytest.mark.parametrize("number", ALL)
def test_evidence_decides(number):
    assert re.search(DECIDES[number], show_me(number)), show_me(number)


def test_every_question_has_its_computation():
    assert {question.show_me for question in load_questions()} == set(_EVIDENCE)


def test_the_static_twin_is_the_same_in_every_run():
    first, again = quiz(2, 3), quiz(2, 3)
    click(first, 2, 0)
    (data, _), (other, _) = first._repr_mimebundle_(), again._repr_mimebundle_()
    assert data["text/plain"] == other["text/plain"] and data["text/html"] == other["text/html"]
    assert data["text/html"].count("<details>") == 2 and 'answer(3, "a")' in data["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in data


@pytest.mark.parametrize("numbers", [(), (0,), (19,), ("1",), (True,)])
def test_bad_numbers(numbers):
    with pytest.raises(ValueError, match="number"):
        Quiz(*numbers)

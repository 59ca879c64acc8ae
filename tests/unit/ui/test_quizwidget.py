"""The quiz to click on, its evidence and the box for guesses, without a browser."""

import json
import re

import pytest

from mnist_compress.ui.evidence import show_me
from mnist_compress.ui.questions import LETTERS, answer, ask, load_questions, report
from mnist_compress.ui.quizwidget import Quiz, quiz
from mnist_compress.ui.state import attempt, load_state

from .conftest import NOW

ALL = list(load_questions())


def place(name, right=True):
    """Where a right or a wrong option of the question stands."""
    return [o.correct for o in ask(name).options].index(right)


def click(widget, name, where):
    widget.chosen = {**widget.chosen, name: where}


def test_an_answer_is_counted_kept_and_reported(folder):
    widget = quiz("data-value", "pixel-150", "flatten")
    click(widget, "data-value", place("data-value"))
    click(widget, "pixel-150", place("pixel-150", False))
    assert widget.score == "1 right, 2 of 3 answered; 1 right at the first try."
    kept = json.loads((folder / "state.json").read_text())["answers"]
    assert kept == {"data-value": [[LETTERS[place("data-value")], NOW]],
                    "pixel-150": [[LETTERS[place("pixel-150", False)], NOW]]}
    assert report().startswith("1 right at the first try, 0 later, 1 not yet, ")


def test_the_first_answer_is_kept_and_every_other_one():
    widget = quiz("prune-what")
    click(widget, "prune-what", place("prune-what", False))
    widget.chosen = {}
    assert widget.score == "0 right, 0 of 1 answered; 0 right at the first try."
    assert len(load_state()["answers"]["prune-what"]) == 1
    click(widget, "prune-what", place("prune-what"))
    assert widget.score == "1 right, 1 of 1 answered; 0 right at the first try."
    assert [letter for letter, _ in load_state()["answers"]["prune-what"]] == [
        LETTERS[place("prune-what", False)], LETTERS[place("prune-what")]]
    assert answer("prune-what").startswith(LETTERS[place("prune-what")] + " is right.")


def test_a_new_widget_shows_earlier_answers(folder):
    answer("weight-shape", "c")
    attempt("answers", "train-rows", "z")  # from another edition of the quiz
    kept = (folder / "state.json").stat().st_mtime_ns
    widget = quiz("weight-shape", "train-rows")
    assert widget.chosen == {"weight-shape": 2} and widget.problem == ""
    assert widget.score.startswith("0 right, 1 of 2 answered;")
    assert (folder / "state.json").stat().st_mtime_ns == kept  # looking is no answer
    click(widget, "train-rows", place("train-rows"))
    assert widget.problem == "" and load_state()["answers"]["weight-shape"] == [["c", NOW]]


@pytest.mark.parametrize("name", ALL)
def test_feedback_is_that_of_the_plain_call(name):
    options = quiz(name).questions[0]["options"]
    for letter, option in zip(LETTERS, options, strict=True):
        assert option["feedback"] == answer(name, letter)
    assert sum(option["right"] for option in options) == 1


@pytest.mark.parametrize("chosen", [
    {"prune-what": 4}, {"prune-what": "a"}, {"scale": 0}, {"prune-what": -1}])
def test_what_cannot_be_an_answer_is_said_in_the_widget(chosen):
    widget = quiz("prune-what")
    widget.chosen = chosen
    assert "got" in widget.problem and not load_state()["answers"]
    widget.chosen = {"prune-what": 0}
    assert widget.problem == ""


def test_show_me_by_message_and_its_errors():
    widget = quiz("count-zeros", "scale")
    widget._message(widget, {"show": "count-zeros"}, [])
    assert widget.evidence == {"count-zeros": show_me("count-zeros")}
    assert "30,490" in widget.evidence["count-zeros"]
    widget._message(widget, {"show": "csr"}, [])
    assert widget.problem == "this quiz asks count-zeros, scale; got 'csr'"


DECIDES = {  # id: what its computation must say for the right option to follow
    "prune-what": r"30,490 are zero, 71,142 kept",
    "data-value": r"uint8, from 0 to 255",
    "pixel-150": r"150 into 0\.588",
    "flatten": r"784 numbers; .* the same\. .*True",
    "weight-shape": r"\(128, 784\)",
    "train-rows": r"9\d\.\d% .* 8\d\.\d%",
    "signed": r"keeps -0\.9, 0\.5\.",
    "count-zeros": r"= 30,490 zeros",
    "same-size": r"dense ([\d,]+) bytes, .* \1 bytes",
    "csr": r"60% zeros: 4\d\d,\d+; 70% zeros: 3\d\d,\d+",
    "neurons": r"101,632 dense, 101,632 with half .* 50,816 with half of the units",
    "scale": r"says 12\.",
    "per-channel": r"\[0, 0\] .* \[127, -95\]",
    "accumulator": r"-766 in int16 and 64,770",
    "int8-speed": r"2[5-7]% of the bytes.* torch\.int8 and multiplied as torch\.float32",
    "luck": r"p = 1\.00, 19 against 4 would have p = 0\.003",
    "information": r"= 3 bits for a 1, .*0\.544 a bit.* 0\.5[45] a bit\.",
    "exact-floats": r", and 2\*\*53 \+ 1 is "
        r"9,007,199,254,740,992: .* [0-9]\.\d% of that"}


@pytest.mark.parametrize("name", ALL)
def test_evidence_decides(name):
    if not ask(name).show_me:
        with pytest.raises(ValueError, match="no computation decides"):
            show_me(name)
        return
    said = show_me(name)
    assert re.search(DECIDES.get(name, r"\w+.*[.]$"), said), said
    assert said == show_me(name)  # no clock, no luck


def test_the_static_twin_is_the_same_in_every_run():
    first, again = quiz("data-value", "pixel-150"), quiz("data-value", "pixel-150")
    click(first, "data-value", 0)
    (data, _), (other, _) = first._repr_mimebundle_(), again._repr_mimebundle_()
    assert data["text/plain"] == other["text/plain"] and data["text/html"] == other["text/html"]
    assert data["text/html"].count("<details>") == 2
    assert 'answer("pixel-150", "a")' in data["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in data


@pytest.mark.parametrize("names", [(), (0,), ("scales",), ("scale", ["luck"])])
def test_bad_names(names):
    with pytest.raises(ValueError, match="question"):
        Quiz(*names)

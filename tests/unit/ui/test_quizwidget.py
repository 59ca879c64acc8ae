"""The quiz to click on and its evidence, without a browser.

With EVIDENCE_TWICE=1, computations that take seconds are made twice too.
"""

import json
import os
import re

import pytest

from mnist_compress.ui.evidence import show_me
from mnist_compress.ui.questions import LETTERS, answer, ask, load_questions, report
from mnist_compress.ui.quizwidget import quiz
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
    {"prune-what": 4}, {"prune-what": "a"}, {"scala": 0}])
def test_what_cannot_be_an_answer_is_said_in_the_widget(chosen):
    widget = quiz("prune-what")
    widget.chosen = chosen
    assert widget.problem and not load_state()["answers"]
    widget.chosen = {"prune-what": 0}
    assert widget.problem == ""


def test_show_me_by_message_and_its_errors():
    widget = quiz("count-zeros", "scale")
    widget._message(widget, {"show": "count-zeros"}, [])
    assert widget.evidence == {"count-zeros": show_me("count-zeros")}
    assert "30,490" in widget.evidence["count-zeros"]
    widget._message(widget, {"show": "csv"}, [])
    assert widget.problem.startswith("there is no question 'csv'")


DECIDES = {  # id: what its computation must say for the right option to follow
    "story-bytes": r"dense 409,353, in int8 105,329; 30% zeros 409,353, in int8 105,329\.",
    "story-claim": r"101,632 in float32, 101,632 in int8, 101,632 with 30 % zeros\.",
    "prune-what": r"30,490 are zero, 71,142 kept",
    "data-value": r"uint8, from 0 to 255",
    "pixel-150": r"150 into 0\.588",
    "flatten": r"784 numbers; .* the same\. .*True",
    "stage-table": r"28\) torch\.uint8 392,000 .*; .* torch\.float32 1,568,000 "
        r".*784\) torch\.float32 1,568,000",
    "dead-pixel": r"^Of 175 pixels .*, 0 had .* of (\d+) pixels .*, \1 had\.$",
    "weight-shape": r"\(128, 784\)",
    "loop-line": r"without step, 0 of 4 .* 4 have .* zero_grad, 4 of 4",
    "trace-epoch": r"3, loss 0\.31, .* 87\.5 %; .* 4, loss 0\.25, .* 85\.9 %; .* 5, .* 89\.\d %",
    "seed-luck": r"seeds 3, 6: batches of 16: 86\.2, 88\.5\.",
    "train-rows": r"9\d\.\d% .* 8\d\.\d%",
    "signed": r"keeps -0\.9, 0\.5\.",
    "count-zeros": r"= 30,490 zeros",
    "same-size": r"0% cut, ([\d,]+) bytes, 0 zeros .* 30% cut, \1 bytes, 30,490 zeros .* 60% cut, "
        r"\1 bytes, 60,979 zeros .*: layers\.0\.weight, layers\.0\.bias, layers\.1\.weight, "
        r"layers\.1\.bias\.$",
    "csr": r"take 406,528 bytes; .* 66% .*, 414,660 bytes; 67% .*, 402,468 bytes",
    "neurons": r"dense 101,632; .* zero 101,632; .* removed 50,816\.",
    "zeros-back": r"Adam leaves 26% zeros, .* step 90%",
    "one-seed": r"6: 88\.5 / 88\.1 / 87\.2 / .* 5: 86\.3 / 85\.7 / 87\.4 / .* 7: 87\.3 / "
        r"86\.9 / 87\.8 / ",
    "one-class": r"27 of 3,000 are 0\.9%, 27 of 300 are 9%\.",
    "scale": r"says 12\.",
    "per-channel": r"\[0, 0\] .* \[127, -95\]",
    "stage-change": r"data: 1000 x 28 x 28 uint8, 784,000 bytes; Preproc.*: 1000 x 28 x 28 "
        r"float32, 3,136,000 bytes; .*: 1000 x 784 float32, 3,136,000 bytes",
    "stage-bytes": r"training: (409,353) bytes; Model pruning: \1 .* quantization: 105,329 bytes",
    "trace-layer": r": 81 steps are 1\.78, 80 would be 1\.76 and 82 1\.8",
    "unit-output": r"accumulator 18,746, handed on 12\.",
    "accumulator": r"-766 in int16 and 64,770",
    "float-pixel": r"uint8, 0 to 255\. .*float32, 0\.0 to 1\.0, with \d{3} different",
    "clamped-weight": r"= 156\.25; quantize says 127\. Cast alone: -100\.",
    "many-products": r"^66,311 .* 2,147,481,735 in int32, one more to -",
    "epochs-more": r"8, .* 98\.0 and 87\.5 %; after epoch 12, .* 100\.0 and 87\.6 %",
    "fewer-products": r"60% of the weights zero 79,400; .* removed 31,760\.",
    "zeros-left": r"leaves 26% .* 22,400 of the first layer's 26,684 zeros .* has 31 zeros",
    "two-classes": r"27 fewer on the 8s, 9% of 300",
    "negative-sum": r"accumulator -700, handed on 0\.",
    "fixed-range": r"510 becomes 255, 900 becomes 255\.",
    "zeros-in-int8": r"int8 (105,329); 90% zeros .* int8 \1\.",
    "convolution": r"144 weights, 112,896 .*: 100,352 weights, 100,352 ",
    "two-batches": r"16: 86\.3, 88\.5, 87\.3, 87\.5, 89\.4; batches of 32: 84\.7, 86\.7, 85\.6, "
        r"85\.7, 87\.9; batches of 8: 84\.1, 88\.1, 86\.3, 88\.0, 88\.5\.",
    "another-table": r"5: \S+ / 71\.7 / 84\.3 / 85\.7; .* 82\.7 / 86\.9 / 85\.9; "
        r".* 78\.8 / 85\.4 / 86\.3; .* 80\.5 / 86\.0 / 86\.0; "
        r".* 83\.4 / 85\.4 / 86\.6\. .* with 1 of 5",
    "four-bits": r"^Step 0\.0251\. [1-9]\d*,\d{3} integers .* all to 0; .* 0\.0125 to 0\.0200",
    "control-two-bits": r"training 69\.0 %; .* rounded 52\.6 %; .* with rounding 84\.6 %",
    "which-claims": r"2[5-7]% of the bytes, .* 1,172 / 25 = 47\.",
    "who-decides": r"200 random .* (\S+) points on the half that chose it and (?!\1)-\S+ on .* in "
        r"[2-9]\d% of",
    "same-accuracy": r"87\.3 % .* 4\d\d go to the human; .* 85\.8 % .* 6\d\d go to the human",
    "int8-speed": r"2[5-7]% of the bytes.* torch\.int8 and multiplied as torch\.float32",
    "half-floats": r" 50%; [0-3] of 1,000 answers",
    "zero-point": r"scale 0\.0100, zero point -78\.",
    "calibration": r"255 stands for (5\.\d\d); on the 1s alone, for [0-4]\.",
    "integer-unit": r"accumulator 130, handed on 41\.",
    "kinds": r"no digit before.* 8\d\.\d % of",
    "few-bits": r"make (5|6)\d% of .*: the same integers: True",
    "qat-control": r"training 87\.2 %; .* rounded 86\.3 %; .* rounding 86\.1 %",
    "int8-when": r"float32: 100% of the bytes.* int8: 2[5-7]%",
    "luck": r"p = 1\.00, 20 against 3 would have p = 0\.0005",
    "information": r"= 3 bits for a 1, .*0\.544 a bit.* 0\.5[45] a bit\.",
    "which-format": r"^10,000 of 100,000 .* dense 100,\d{3}, bitmask .*smallest is bitmask\.$",
    "byte-parts": r"positions 231, signs 55, magnitudes 115, .* takes? is 27\.5;",
    "recipe-steps": r"costs a student 0\.00 .*, and [1-9]\.",
    "fair-ratio": r"156,880 / 2,761 = 57, and 1,066,440 / 2,761 = 386\.$",
    "two-runtimes": r": 0 of 10,000\. .* floats: [1-9]\d* of 1,000\.",
    "reduce-range": r"64: 32,640, .* reach 32,767\. .* fits is 64\.",
    "numpy-alone": r"answered 1 digit\. .*: numpy True, torch False, onnxruntime False\.",
    "page-alone": r": 0 places .* every request: True\.",
    "linear-only": r"0 Tensor .* 8 Tensor \(4,608 weights\), layer 13 Int8Tensor",
    "next-layer": r"10 x 144\.",
    "after-target": r"best of 25 networks: 96\.\d % .* half 95\.\d %\.$",
    "exact-floats": r", and 2\*\*53 \+ 1 is "
        r"9,007,199,254,740,992: .*, [0-9]\.\d% of that",
    "zeros-at-last": r"7\d\d,\d{3} instructions with the zeros .*, 1\d\d,\d{3} without them\.",
    "no-floats": r"101,632 products, 1\d\d instructions each in float32 and \d in int8\.$"}

LONG = {"after-target", "another-table", "epochs-more", "no-floats", "one-seed", "qat-control",
        "two-batches", "two-runtimes", "who-decides", "zeros-at-last"}


@pytest.mark.parametrize("name", ALL)
def test_evidence_decides(name):
    if not ask(name).show_me:
        with pytest.raises(ValueError, match="no computation decides"):
            show_me(name)
        return
    said = show_me(name)
    assert re.search(DECIDES.get(name, r"\w+.*[.]$"), said), said
    if name not in LONG or os.environ.get("EVIDENCE_TWICE") == "1":
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
        quiz(*names)

"""The tables of kinds and of rounding say what is counted here in plain Python."""

import pytest

from mnist_compress import quantization
from mnist_compress.measure import changed_answers
from mnist_compress.training import evaluate
from mnist_compress.ui.rounding import kinds_table, rounding_table, say_changes


@pytest.fixture
def coarse(model):
    return quantization.round_weights(model, 2)


def test_kinds(model, coarse, validation):
    table = kinds_table({"same": (model, "none", "floats"), "coarse": (coarse, "none", "floats")},
                        model, validation)
    answers = [evaluate(each, validation).predictions for each in (model, coarse)]
    changed = int((answers[0] != answers[1]).sum())
    assert changed > 0
    assert table.sentence == f"Answers changed: same 0, coarse {changed}."
    assert list(table.frame["answers changed"]) == ["0 of 1,000", f"{changed} of 1,000"]
    assert table.frame.loc["coarse", "right"] == f"{evaluate(coarse, validation).accuracy:.1%}"


def test_rounding(model, coarse, validation):
    high, low = (evaluate(each, validation).accuracy for each in (model, coarse))
    assert low < high
    table = rounding_table([(8, {"after": coarse, "control": model, "aware": model}),
                            (2, {"after": model, "control": coarse, "aware": model}),
                            (8, {"after": coarse, "control": coarse, "aware": model}),
                            (2, {"after": coarse, "control": model, "aware": coarse})], validation)
    assert table.sentence == (
        "Aware, at 8, 2 bits, is two points or more ahead of 'after' in 2, 0; "
        "of 'control' in 1, 1 of 2 seeds.")
    assert list(table.frame.index) == [8, 2]
    assert table.frame.loc[8].tolist() == [f"{low:.0%} to {low:.0%}", f"{low:.0%} to {high:.0%}",
                                           f"{high:.0%} to {high:.0%}"]
    assert table.frame.loc[2, "after"] == f"{low:.0%} to {high:.0%}"


def test_changes_are_a_paragraph(model, coarse, validation):
    plain = changed_answers(model, coarse, validation).sentence
    assert say_changes(model, coarse, validation) == plain
    named = say_changes(model, coarse, validation, "Against <all>")
    assert named == f"Against <all>: {plain}"
    assert named._repr_html_().startswith("<p>Against &lt;all&gt;: ")

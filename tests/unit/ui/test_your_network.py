"""Trials beside a target, the judgment of five seeds, and a release note that is read."""

import copy

import pytest
import torch

from mnist_compress.convolution import small_convolution
from mnist_compress.measure import by_digit, changed_answers, confidence
from mnist_compress.pretrained import checkpoint
from mnist_compress.training import evaluate
from mnist_compress.ui import Trials, check_decision, judge

TARGET = {"bytes": 60_000, "points": 1.0, "digit": 5.0, "seeds": 1}


@pytest.fixture(scope="module")
def pair(validation):
    some = validation[::20]
    return some.inputs.view(-1, 1, 28, 28), some.labels


def networks():
    dense = checkpoint("trained", small_convolution()).eval()
    other = copy.deepcopy(dense)
    with torch.no_grad():
        other[-1].bias[7] += 9
    return dense, other


def test_trials_show_what_each_network_costs(pair):
    (dense, other), trials = networks(), Trials(pair, TARGET)
    assert trials.add("float32", dense) is dense
    half = trials.add("half", copy.deepcopy(dense).half())
    assert half[0].weight.dtype == torch.float16
    trials.add("other", other, 70_000)
    trials.add("function", lambda inputs: dense(inputs).numpy(), 50_000)
    table = trials.table()
    lost = 100 * (evaluate(dense, pair).accuracy - evaluate(other, pair).accuracy)
    worst = 100 * (by_digit(dense, pair) - by_digit(other, pair)).max().item()
    row = table.frame.loc["other"]
    assert row["points"] == f"{-lost:+.1f}" and row["worst digit, points"] == f"{-worst:+.1f}"
    assert row["answers changed"] == len(changed_answers(dense, other, pair).places)
    assert row["within the target"] == "no" and row["bytes"] == "70,000"
    assert list(table.frame["within the target"]) == ["yes", "yes", "no", "yes"]
    assert table.sentence == "3 of 4 within the target; the smallest: half."
    assert repr(trials) == repr(table)
    trials.target = {**TARGET, "bytes": 10}
    assert trials.table().sentence == "None is within the target."


def test_a_network_that_is_added_again_is_measured_again(pair):
    (dense, other), trials = networks(), Trials(pair, TARGET)
    trials.add("float32", dense)
    trials.add("second", other)
    before = trials.table().frame.loc["second", "answers changed"]
    trials.add("second", dense)
    assert before > 0 == trials.table().frame.loc["second", "answers changed"]


def test_the_judgment_has_the_numbers_of_measure(pair):
    dense, other = networks()
    judgment = judge({5: (dense, dense), 6: (dense, other)}, pair, 1234, TARGET)
    column, old = judgment.frame["seed 6"], by_digit(dense, pair)
    changes = changed_answers(dense, other, pair)
    assert column["answers changed"] == f"{len(changes.places)}"
    assert column["3s, %"] == f"{100 * old[3]:.1f} → {100 * by_digit(other, pair)[3]:.1f}"
    assert column["mean top probability, %"] == \
        f"{100 * confidence(dense, pair):.1f} → {100 * confidence(other, pair):.1f}"
    low, high = changes.interval
    assert f"({low:+.1f} to {high:+.1f})" in column["points (95 % interval)"]
    assert judgment.frame.loc["points (95 % interval)", "seed 5"].startswith("+0.0 (")
    assert judgment.numbers["bytes"] == "1,234" and judgment.release
    assert not judge({5: (dense, dense)}, pair, 60_001, TARGET).release
    assert not judge({5: (dense, dense)}, pair, 1, {**TARGET, "seeds": 2}).release
    never = (pair[0], torch.where(pair[1] == 4, 5, pair[1]))  # no 4s
    assert judge({5: (dense, dense)}, never, 1, TARGET).release


def test_a_decision_names_what_it_rests_on(pair):
    dense, _ = networks()
    judgment = judge({5: (dense, dense), 6: (dense, dense)}, pair, 1234, TARGET)
    good = "Release: 1,234 bytes, within the target on 2 of 2 seeds, +0.0 to +0.0 points."
    assert check_decision(good, judgment).startswith("Right.")
    assert check_decision(good.replace("1,234", "1234").lower(), judgment).startswith("Right.")
    for wrong, told in [
            (good.replace("Release", "Keep"), "begin with Release: the target that you set"),
            (good.replace("1,234", "1,235"), "name the bytes (1,234)"),
            (good.replace("2 of 2", "both"), "name the seeds within the target (2 of 2)"),
            (good.replace("0.0", "0.3"), "name the points on the worst seed (+0.0)"),
            (good[:-1], "one sentence"), (good + " It is good.", "one sentence")]:
        assert told in check_decision(wrong, judgment), wrong
    for empty in ("", "  "):
        assert check_decision(empty, judgment).startswith("No decision yet. Begin with Release")
    late = judge({5: (dense, dense)}, pair, 99_999, TARGET)
    assert check_decision("Keep float: 99,999 bytes; 1 of 1 seeds, 0.0 to 0.0.",
                          late).startswith("Right.")

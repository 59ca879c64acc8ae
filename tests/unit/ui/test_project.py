"""The project: judged on validation digits, handed in once, a line that can be pasted."""

import re
from types import SimpleNamespace

import pytest
import torch

from mnist_compress.pruning import fine_tune, prune
from mnist_compress.quantization import quantize_model
from mnist_compress.training import evaluate
from mnist_compress.ui import project
from mnist_compress.ui.project import hand_in, try_out
from mnist_compress.ui.state import load_state


@pytest.fixture
def good(model, digits):
    return quantize_model(fine_tune(prune(model, 0.8), digits), digits, bits=4)


@pytest.fixture
def poor(model, digits):
    return quantize_model(prune(model, 0.95), digits, bits=2)


def right(network, digits):
    return int((evaluate(network, digits).predictions == digits.labels).sum())


def test_one_point_of_the_validation_digits_is_allowed(good, poor, model, validation, monkeypatch):
    least = right(model, validation) - 10
    said = try_out(good, model, validation)
    assert right(good, validation) >= least
    assert re.fullmatch(rf"[\d,]+ bytes\. {right(good, validation)} of 1,000 validation digits are "
                        rf"right; at least {least} are needed: within one point\.", said)
    assert "more than one point below." in try_out(poor, model, validation)
    for more, verdict in ((10, "within one point."), (11, "more than one point below.")):
        count = {id(good): 850, id(model): 850 + more}
        monkeypatch.setattr(project, "evaluate", lambda network, _, count=count: SimpleNamespace(
            correct=torch.ones(count[id(network)])))
        assert try_out(good, model, validation).endswith(verdict)


def test_other_codecs_make_other_files(good, model, validation):
    sizes = {codec: try_out(good, model, validation, codec) for codec in ("dense", "order0")}
    assert sizes["dense"] != sizes["order0"]
    with pytest.raises(ValueError, match=r"codec must be one of .* got 'zip'"):
        try_out(good, model, validation, "zip")


def test_a_line_is_kept_and_can_be_pasted(good, model, validation, test):
    said = hand_in("80 % zeros,  4 bits", good, model, validation, test)
    ((line, _),) = load_state()["projects"]["06-smallest"]
    chances = [f"{evaluate(network, test).accuracy:.1%}" for network in (good, model)]
    size = try_out(good, model, validation).partition(" bytes")[0]
    assert line == (f"{size} bytes; test {chances[0]} (dense {chances[1]}); validation "
                    f"{evaluate(good, validation).accuracy:.1%}; order0; 80 % zeros, 4 bits")
    assert said.endswith(f"\n- result: {line}") and "answers changed" in said
    assert hand_in("80 % zeros, 4 bits", good, model, validation, test) == said  # no second line
    again = hand_in("the same", good, model, validation, test, "dense")
    assert again.splitlines()[1:] == [
        f"- result: {line}", f"- look 2: {load_state()['projects']['06-smallest'][1][0]}",
        "The first line is your result. The others saw the test digits again, and may owe "
        "something to them."]


def test_what_is_not_good_enough_asks_no_test_digit(poor, model, validation):
    said = hand_in("too much", poor, model, validation, None)
    assert "Nothing was handed in; the test digits were not asked." in said
    assert load_state()["projects"] == {}


@pytest.mark.parametrize("empty", ["", "  "])
def test_without_a_recipe_nothing_is_handed_in(empty, good, model, validation):
    assert hand_in(empty, good, model, validation, None).startswith("Nothing was handed in. When")
    assert load_state()["projects"] == {}


@pytest.mark.parametrize("bad", ["x" * 61, "two\nlines", 5, None])
def test_bad_recipes_are_quoted(bad, good, model, validation, test):
    with pytest.raises(ValueError, match="recipe must be up to 60 characters in one") as e:
        hand_in(bad, good, model, validation, test)
    assert str(e.value).endswith(repr(bad))


def test_the_digits_that_choose_cannot_be_the_test(good, model, validation):
    with pytest.raises(ValueError, match="must be different digits; got the same for both"):
        hand_in("80 % sparse", good, model, validation, validation)
    assert load_state()["projects"] == {}


def test_a_float_network_is_refused(model, validation):
    with pytest.raises(ValueError, match="as quantize_model makes it; got DigitClassifier"):
        try_out(model, model, validation)

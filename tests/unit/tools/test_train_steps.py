"""The command that records what each step of the recipe gives."""

from dataclasses import replace

import pytest

from mnist_compress import pretrained
from mnist_compress.compress import Recipe
from tools import train_steps as command

from .test_train_pretrained import SHORT


def test_one_change_at_a_time():
    whole = Recipe()
    for change, (recipe, codec) in command.CHANGES.items():
        differs = {name for name in vars(whole) if getattr(recipe, name) != getattr(whole, name)}
        if change == "rounding after training":  # as many steps, but without rounding
            assert differs == {"prune_steps", "quantize_steps"}
            assert recipe.prune_steps + recipe.quantize_steps == (
                whole.prune_steps + whole.quantize_steps)
        elif change == "pruning by magnitude alone":
            assert differs == {"curvature", "rate_weight"}
        else:
            assert len(differs) + (codec != "context_mixing") + (change == "no distillation") == (
                change != "the whole recipe")


def test_its_lines_are_those_of_the_file(capsys, monkeypatch, digits, test):
    monkeypatch.setattr(command, "load_full", lambda *_, **__: (digits, test[::8]))
    monkeypatch.setattr(command, "CHANGES", {
        change: (replace(recipe, **{**SHORT, "copies": min(recipe.copies, 2)}), codec)
        for change, (recipe, codec) in command.CHANGES.items()})
    command.main(["--seeds", "5", "--changes", "the whole recipe", "no distillation",
                  "order0 in place of context mixing"])
    header, *lines = capsys.readouterr().out.splitlines()
    recorded = pretrained.path("thousand").with_name("steps.csv").read_text("utf-8").splitlines()
    assert header == recorded[0]
    whole, alone, order0 = (line.split(",") for line in lines)
    assert whole[2] != order0[2] and whole[3:] == order0[3:]  # the same network, other bytes
    assert alone[3] != whole[3]
    changes = {line.split(",")[0] for line in recorded[1:]}
    assert changes == set(pretrained.steps()) == set(command.CHANGES)


def test_an_unknown_change_is_refused():
    with pytest.raises(SystemExit):
        command.main(["--changes", "more luck"])

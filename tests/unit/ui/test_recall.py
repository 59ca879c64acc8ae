"""Cards come back after 1, 3, 7 and 21 days, and begin anew when they were not known."""

import pytest

from mnist_compress.ui import cards
from mnist_compress.ui.questions import answer, load_questions
from mnist_compress.ui.state import load_state

from .conftest import NOW

DAY = 86400
EMPTY = "No card is due. Questions come back as cards 1, 3, 7 and 21 days after you answered them."


def shown(*names):
    """The ids of the cards that are shown."""
    return [card["id"] for card in cards(*names).cards]


def say(name, known=True):
    widget = cards(name)
    assert name in [card["id"] for card in widget.cards]
    widget.known = {name: known}
    return widget


def test_nothing_is_due_in_the_beginning():
    assert cards().cards == [] and cards().sentence == EMPTY
    data = cards()._repr_mimebundle_()[0]
    assert data["text/plain"] == EMPTY and data["text/html"] == f"<p>{EMPTY}</p>"


def test_a_question_comes_back_a_day_after_its_answer_and_then_later_and_later(clock):
    answer("scale", "a")
    assert shown() == [] and cards().sentence == "No card is due. The next card is due in 1 day."
    for days in (1, 3, 7, 21, 21):
        clock.now += days * DAY - 1
        assert shown() == []
        clock.now += 1
        assert shown() == ["scale"]
        say("scale")
    say_not_at = clock.now + 21 * DAY
    clock.now = say_not_at
    say("scale", False)
    clock.now += DAY
    assert shown() == ["scale"]
    say("scale")
    clock.now += 2 * DAY
    assert shown() == []
    clock.now += DAY
    assert shown() == ["scale"]
    assert [text for text, _ in load_state()["cards"]["scale"]] == ["knew"] * 5 + ["not", "knew"]


def test_the_longest_due_come_first_and_not_too_many(clock):
    for name in ("luck", "csr", "scale", "flatten"):
        answer(name, "a")
        clock.now += 60
    clock.now += DAY
    assert shown() == ["luck", "csr", "scale"]
    widget = cards()
    widget.known = {"luck": True, "csr": True, "scale": False}
    assert widget.sentence == "You knew 2 of 3. More cards are due: run this cell again."


def test_a_date_in_the_future_makes_a_card_due_and_is_said(clock):
    clock.now += 9000 * DAY
    answer("scale", "c")
    clock.now -= 9000 * DAY
    widget = cards()
    assert [card["id"] for card in widget.cards] == ["scale"]
    assert "Some answers are dated in the future" in widget.sentence
    widget.known = {"scale": True}
    assert widget.sentence == "You knew 1 of 1. The next card is due in 3 days."


def test_named_cards_are_due_until_they_were_seen_once(clock):
    answer("scale", "c")
    assert shown("scale", "csr") == ["scale", "csr"]
    widget = cards("scale", "csr")
    widget.known = {"csr": False}
    widget.known = {"csr": False, "scale": True}
    assert widget.sentence == "You knew 1 of 2. The next card is due in 1 day."
    assert load_state()["cards"] == {"csr": [["not", NOW]], "scale": [["knew", NOW]]}
    assert shown("scale", "csr") == []
    clock.now += DAY
    assert shown("scale", "csr") == ["csr"]
    with pytest.raises(ValueError, match="there is no question 'csv'"):
        cards("csv")


@pytest.mark.parametrize("name", load_questions())
def test_a_card_has_the_question_and_its_answer(name):
    (card,) = cards(name).cards
    question = load_questions()[name]
    right = next(option for option in question.options if option.correct)
    assert card["front"] == (question.front or question.question)
    assert card["back"].startswith(f"{right.text}. {right.feedback} Read {question.notebook[:1]}")


def test_the_static_twin_folds_the_answers():
    data = cards("scale", "csr")._repr_mimebundle_()[0]
    assert data["text/html"].count("<details><summary>") == 2
    assert '<a href="04_quantization.ipynb#' in data["text/html"]
    again = cards("scale", "csr")._repr_mimebundle_()[0]
    assert all(data[kind] == again[kind] for kind in ("text/html", "text/plain"))

"""The key insight says what its figures say."""

import torch

from mnist_compress.measure import ChangedAnswers, FileRow
from mnist_compress.ui.exercises import check
from mnist_compress.ui.guesses import guess_box
from mnist_compress.ui.questions import answer, load_questions
from mnist_compress.ui.state import attempt, now
from mnist_compress.ui.story import key_insight, progress


def changed(lost, won, digits=3000):
    """What changed when so many answers became wrong and so many right."""
    before = (torch.arange(digits) < digits - won).long()
    after = (torch.arange(digits) >= lost).long()
    return ChangedAnswers(before, after, torch.ones(digits).long())


def test_three_lines():
    files = FileRow("before", 400_000, True), FileRow("after", 100_000, True)
    changes = {5: changed(6, 6), 6: changed(14, 3), 7: changed(0, 0)}
    smaller, good, faster = key_insight(*files, changes).splitlines()
    assert smaller == "Smaller: 400,000 bytes became 100,000, 25%."
    assert good == ("As good: of 3,000 test digits, 0 to 14 went from right to wrong and 0 to 6 "
                    "from wrong to right, -0.4 to +0.0 points. On 2 of 3 seeds that could be luck.")
    assert faster.startswith("Faster: where ") and "Recorded on one computer, in ONNX" in faster


def test_the_map_counts_what_is_done_and_says_where_to_go_on():
    assert "- 01_data: 0 of 5 questions, 0 of 2 exercises, 0 of 1 guesses" in progress()
    assert 'Go on with 00_story, "Stage 5: pruning".' in progress()

    def my_normalize(pixels):
        return pixels / 2

    check(my_normalize)
    assert "0 of 2 exercises" in progress()  # it was tried, and is wrong

    def my_normalize(pixels):
        return pixels / 255

    check(my_normalize)
    answer("data-value", "a")
    guess_box("01-zeros", 80)
    for name in ("prune-what", "story-bytes", "story-claim"):
        answer(name, "a")
    assert "- 01_data: 1 of 5 questions, 1 of 2 exercises, 1 of 1 guesses" in progress()
    assert ('Go on with 01_data, "Stage 2: preprocessing". Exercises there: `my_flatten`'
            in progress())


def test_the_map_marks_what_is_done_and_counts_cards(monkeypatch):
    for name in ("prune-what", "story-bytes", "story-claim"):
        answer(name, "a")
    assert "- 00_story: 3 of 3 questions, 0 of 2 guesses, 0 of 3 cards" in progress()
    guess_box("00-right", 800)
    guess_box("00-bytes", 400)
    assert "- 00_story, done: 3 of 3 questions, 2 of 2 guesses, 0 of 3 cards" in progress()
    attempt("cards", "story-bytes", "not")
    attempt("cards", "story-claim", "knew")
    assert "Cards that are due: 0." in progress() and "1 of 3 cards" in progress()
    later = now() + 2 * 86400
    monkeypatch.setattr("mnist_compress.ui.recall.now", lambda: later)
    assert "Cards that are due: 2." in progress()  # the known one comes a day later


def test_the_map_goes_on_in_the_quiz_itself_and_ends():
    for question in load_questions().values():
        if question.notebook < "06":
            answer(question.id, "a")
    assert "Go on with 06_quiz. Exercises there: `my_choice`" in progress()
    for name in load_questions():
        answer(name, "a")
    assert progress().endswith("All questions are answered.")

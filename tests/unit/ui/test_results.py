"""Pictures of what came out: their sentences and their bars against counts."""

import numpy as np
import pytest
import torch

from mnist_compress.data import Digits
from mnist_compress.measure.files import FileRow
from mnist_compress.pruning import prune
from mnist_compress.training import evaluate
from mnist_compress.ui import results


def test_the_network_with_its_answer(model, validation):
    digit = validation[750]
    picture = results.show_network(model, digit)
    hidden = model.activations(digit.inputs)[0][0]
    chances = torch.softmax(model(digit.inputs)[0], 0)
    assert picture.png().startswith(b"\x89PNG") and picture.sentence == (
        "784 pixels, 128 hidden units and 10 output units, joined by 100,352 and 1,280 weights. "
        f"For this 7, hidden unit {int(hidden.argmax())} has most, {hidden.max():.2f}, and the "
        f"answer is {int(chances.argmax())}, with {chances.max():.0%}.")
    texts = [text.get_text() for text in picture.figure.axes[0].texts]
    assert texts[:10] == [f"{number}: {chance:.0%}" for number, chance in enumerate(chances)]
    assert "16 of 128 hidden units" in texts


def test_confusion_counts_each_pair():
    labels = torch.tensor([0, 0, 1, 4, 4, 4, 4])
    answers = torch.tensor([0, 1, 1, 9, 9, 9, 2])
    picture = results.show_confusion(labels, answers)
    assert picture.sentence == (
        "2 of 7 answers are right, on the diagonal. Most often wrong: 4 read as 9, 3 times; "
        "0 read as 1, 1 times; 4 read as 2, 1 times.")
    found = {text.get_position(): text.get_text() for text in picture.figure.axes[0].texts}
    assert found == {(0, 0): "1", (1, 0): "1", (1, 1): "1", (9, 4): "3", (2, 4): "1"}


def test_sizes_are_bars_to_scale():
    picture = results.show_sizes(FileRow("float", 409_353, True), FileRow("int8", 105_329, True),
                                 FileRow("int8, gzip", 76_543, True), FileRow("tiny", 433, True))
    assert picture.sentence == (
        "Bars to scale: float 409.4 KB; int8 105.3 KB; int8, gzip about 77 KB; tiny 0.4 KB. "
        "The file of float is 950 times that of tiny.")
    widths = [bar.get_width() for bar in picture.figure.axes[0].patches]
    assert widths == pytest.approx([409.353, 105.329, 76.543, 0.433])


def test_changes_are_counted_for_each_label_in_two_colors(model, validation):
    after = prune(model, 0.9)
    picture = results.show_changes(model, after, validation)
    old, new = (evaluate(each, validation).predictions for each in (model, after))
    lost = validation.labels[(old == validation.labels) & (new != validation.labels)]
    won = validation.labels[(old != validation.labels) & (new == validation.labels)]
    above, below = picture.figure.axes
    heights = np.array([bar.get_height() for bar in above.patches]).reshape(2, 10)
    assert heights.tolist() == [lost.bincount(minlength=10).tolist(),
                                won.bincount(minlength=10).tolist()]
    assert picture.sentence.startswith(f"{len(lost)} right to wrong (most among the ")
    assert f" and {len(won)} wrong to right" in picture.sentence
    assert len(below.images) == min(5, len(lost)) + min(5, len(won))
    colors = [patch.get_edgecolor() for patch in below.patches]
    assert len(set(colors)) == 2
    same = results.show_changes(model, model, Digits(validation.images, validation.labels))
    assert same.sentence == "0 right to wrong and 0 wrong to right."

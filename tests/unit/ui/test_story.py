"""The key insight says what its figures say."""

import torch

from mnist_compress.measure import ChangedAnswers, FileRow
from mnist_compress.statistics import compare_answers
from mnist_compress.ui.story import key_insight


def changed(lost, won, digits=3000):
    """What changed when so many answers became wrong and so many right."""
    before = torch.arange(digits) < digits - won
    after = torch.arange(digits) >= lost
    places = (before != after).nonzero().flatten()
    return ChangedAnswers(places, places, places, compare_answers(before.numpy(), after.numpy()))


def test_three_lines():
    files = FileRow("before", 400_000, True), FileRow("after", 100_000, True)
    changes = {5: changed(6, 6), 6: changed(14, 3), 7: changed(0, 0)}
    smaller, good, faster = key_insight(*files, changes).splitlines()
    assert smaller == "Smaller: 400,000 bytes became 100,000, 25%."
    assert good == ("As good: of 3,000 test digits, 0 to 14 went from right to wrong and 0 to 6 "
                    "from wrong to right, -0.4 to +0.0 points. On 2 of 3 seeds that could be luck.")
    assert faster.startswith("Faster: where ") and "Recorded on one computer, in ONNX" in faster

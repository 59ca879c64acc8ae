"""measure/answers"""

from dataclasses import dataclass

import torch

from ..statistics import PairedComparison, compare_answers
from ..training import evaluate


@dataclass(frozen=True)
class ChangedAnswers:
    """Where two models answer the same digits differently, and whether it could be luck.

    places: positions of the digits, int64. before and after: the predictions there.
    """

    places: torch.Tensor
    before: torch.Tensor
    after: torch.Tensor
    comparison: PairedComparison


def changed_answers(before, after, digits):
    """Compare two models on `digits`: `ChangedAnswers`."""
    first, second = evaluate(before, digits), evaluate(after, digits)
    places = (first.predictions != second.predictions).nonzero().flatten()
    comparison = compare_answers(first.correct.numpy(), second.correct.numpy())
    return ChangedAnswers(places, first.predictions[places], second.predictions[places], comparison)

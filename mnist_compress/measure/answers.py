"""What became of the answers: which changed, could it be luck, for whom, and how sure are they."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..data import inputs_and_labels
from ..statistics import PairedComparison, compare_answers
from ..training import Pair, evaluate, logits


@dataclass(frozen=True)
class ChangedAnswers:
    """Positions int64 (k,) where two networks answer differently, what each answered there, and
    the comparison of right and wrong answers on all digits."""

    places: Tensor
    before: Tensor
    after: Tensor
    comparison: PairedComparison

    @property
    def sentence(self) -> str:
        """All changes by kind, then the comparison of right answers."""
        kinds, count = (self.comparison.only_before, self.comparison.only_after), len(self.places)
        what = "answer" if count == 1 else "answers"
        return (f"{count:,} {what} changed: {kinds[0]:,} from right to wrong, "
                f"{kinds[1]:,} from wrong to right, {count - sum(kinds):,} from one "
                f"wrong answer to another. {self.comparison.sentence}")


def changed_answers(before: Any, after: Any, digits: Pair) -> ChangedAnswers:
    """Compare two networks on `digits`; any that `training.evaluate` measures."""
    first, second = evaluate(before, digits), evaluate(after, digits)
    places = (first.predictions != second.predictions).nonzero().flatten()
    comparison = compare_answers(first.correct.numpy(), second.correct.numpy())
    return ChangedAnswers(places, first.predictions[places], second.predictions[places], comparison)


def by_digit(model: Any, digits: Pair) -> Tensor:
    """Accuracy 0..1 for each label from 0 up, float64; NaN for a label that does not occur."""
    labels, correct = inputs_and_labels(digits)[1], evaluate(model, digits).correct
    return torch.bincount(labels, correct.double()) / torch.bincount(labels)


def confidence(model: Any, digits: Pair) -> float:
    """The mean of the largest probability: how sure the model is on average, right or wrong."""
    return torch.softmax(logits(model, digits).double(), 1).max(1).values.mean().item()

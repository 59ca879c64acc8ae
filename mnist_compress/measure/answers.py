"""What became of the answers: which changed, could it be luck, for whom, and how sure are they."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from ..data import inputs_and_labels
from ..statistics import mcnemar_exact, newcombe_paired_difference
from ..training import Pair, evaluate


@dataclass(frozen=True)
class ChangedAnswers:
    """What two networks answer to the same digits, and the labels: int64 (n,) each."""

    before: Tensor
    after: Tensor
    labels: Tensor

    @property
    def places(self) -> Tensor:
        """Where the answers differ, int64 (k,)."""
        return (self.before != self.after).nonzero().flatten()

    @cached_property
    def _counts(self) -> list[int]:
        """How many both read right, only the one before, only the one after, neither."""
        old, new = self.before == self.labels, self.after == self.labels
        return [int((one & other).sum()) for one in (old, ~old) for other in (new, ~new)]

    @property
    def lost(self) -> int:
        """How many went from right to wrong."""
        return self._counts[1]

    @property
    def won(self) -> int:
        """How many went from wrong to right."""
        return self._counts[2]

    @property
    def difference(self) -> float:
        """Accuracy after minus before, in percentage points."""
        return 100 * (self.won - self.lost) / len(self.labels)

    @property
    def by_digit(self) -> Tensor:
        """The difference for each label from 0 up, float64; NaN for one that does not occur."""
        change = (self.after == self.labels).double() - (self.before == self.labels).double()
        return 100 * torch.bincount(self.labels, change) / torch.bincount(self.labels)

    @property
    def interval(self) -> tuple[float, float]:
        """Newcombe's 95 % interval for the difference, in percentage points."""
        both, lost, won, neither = self._counts
        low, high = newcombe_paired_difference(both, won, lost, neither)
        return 100 * low, 100 * high

    @property
    def p_value(self) -> float:
        """Of the exact McNemar test."""
        return mcnemar_exact(self.lost, self.won)

    @property
    def sentence(self) -> str:
        """All changes by kind, then whether the change in right answers could be luck."""
        lost, won, count = self.lost, self.won, len(self.places)
        told = (f"{count:,} {'answer' if count == 1 else 'answers'} changed: {lost:,} from right "
                f"to wrong, {won:,} from wrong to right, {count - lost - won:,} from one wrong "
                "answer to another.")
        if not lost + won:
            return (f"{told} No answer changed between right and wrong, so there is nothing to "
                    "explain.")
        verdict = "That could be luck."
        if not self.interval[0] <= 0 <= self.interval[1]:
            verdict = "Luck alone would rarely do this."
            if self.p_value >= 0.05:
                verdict = "Interval and test disagree, so it stays undecided."
        low, high = (f"{x:.2f}" if abs(x) >= 0.005 else f"{x:.1g}" for x in self.interval)
        p = f"= {self.p_value:.2g}" if self.p_value >= 0.001 else "< 0.001"
        return (f"{told} Right answers: {self.difference:+.3g} points (95 % interval {low} to "
                f"{high}; exact McNemar p {p}, from {lost:,} lost and {won:,} won). {verdict}")


def changed_answers(before: Any, after: Any, digits: Pair) -> ChangedAnswers:
    """Compare two networks on `digits`; any that `training.evaluate` measures."""
    labels = inputs_and_labels(digits)[1]
    return ChangedAnswers(evaluate(before, digits).predictions,
                          evaluate(after, digits).predictions, labels)


def by_digit(model: Any, digits: Pair) -> Tensor:
    """Accuracy 0..1 for each label from 0 up, float64; NaN for a label that does not occur."""
    return evaluate(model, digits).by_digit


def confidence(model: Any, digits: Pair) -> float:
    """The mean of the largest probability: how sure the model is on average, right or wrong."""
    return evaluate(model, digits).confidence

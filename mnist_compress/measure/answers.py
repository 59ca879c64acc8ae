"""Changed answers: which digits two networks read differently, and could it be luck?"""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..statistics import PairedComparison, compare_answers
from ..training import Pair, evaluate


@dataclass(frozen=True)
class ChangedAnswers:
    """Positions int64 (k,) where two networks answer differently, what each answered there, and
    the comparison of right and wrong answers on all digits."""

    places: Tensor
    before: Tensor
    after: Tensor
    comparison: PairedComparison


def changed_answers(before: Any, after: Any, digits: Pair) -> ChangedAnswers:
    """Compare two networks on `digits`; any that `training.evaluate` measures."""
    first, second = evaluate(before, digits), evaluate(after, digits)
    places = (first.predictions != second.predictions).nonzero().flatten()
    comparison = compare_answers(first.correct.numpy(), second.correct.numpy())
    return ChangedAnswers(places, first.predictions[places], second.predictions[places], comparison)

"""Could the difference be luck? Intervals and a test for accuracies on the same digits.

Sources: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212; Q. McNemar, Psychometrika 12 (1947)
153-157; R. G. Newcombe, Statistics in Medicine 17 (1998) 2635-2650, method 10.
"""

from dataclasses import dataclass
from math import sqrt
from operator import index
from statistics import NormalDist

import numpy as np

from .data import as_number


def _count(name, value):
    """Return `value` as an int, or say which count is wrong."""
    try:
        count = index(value)
    except TypeError:
        count = -1
    if count < 0:
        raise ValueError(f"{name} must be a whole number, 0 or more; got {value!r}")
    return count


def wilson_interval(successes, n, confidence=0.95):
    """Return Wilson's score interval (low, high) for the proportion `successes / n`."""
    k, n = _count("successes", successes), _count("n", n)
    if not 0 < as_number(confidence) < 1 or k > n or n == 0:
        what = "need 0 < confidence < 1, successes <= n and n > 0"
        raise ValueError(f"{what}; got successes={k}, n={n}, confidence={confidence!r}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    centre = (k + z * z / 2) / (n + z * z)
    half = z * sqrt(k * (n - k) / n + z * z / 4) / (n + z * z)
    return (centre - half if k else 0.0), (centre + half if k < n else 1.0)


def mcnemar_exact(b, c):
    """Return how often a fair coin splits `b + c` changed answers at least as unevenly (p)."""
    b, c = _count("b", b), _count("c", c)
    n, tail, term = b + c, 0, 1
    for k in range(min(b, c) + 1):  # term is the binomial coefficient "n over k"
        tail += term
        term = term * (n - k) // (k + 1)
    return min(1.0, 2 * tail / 2**n)  # whole numbers up to this one division


def newcombe_paired_difference(both, first_only, second_only, neither, confidence=0.95):
    """Return the interval (low, high) for `first - second`, two proportions of the same n cases.

    Method 10 joins two Wilson intervals by the correlation phi, continuity-corrected if positive.
    """
    a, b = _count("both", both), _count("first_only", first_only)
    c, d = _count("second_only", second_only), _count("neither", neither)
    n = a + b + c + d
    (l1, u1), (l2, u2) = (wilson_interval(k, n, confidence) for k in (a + b, a + c))
    p1, p2, difference = (a + b) / n, (a + c) / n, (b - c) / n
    margins, numerator = (a + b) * (c + d) * (a + c) * (b + d), a * d - b * c
    numerator = min(numerator, max(numerator - n / 2, 0))
    phi = numerator / sqrt(margins) if margins else 0.0
    pairs = [(p1 - l1, u2 - p2), (u1 - p1, p2 - l2)]
    below, above = (sqrt(x * x - 2 * phi * x * y + y * y) for x, y in pairs)
    return difference - below, difference + above


@dataclass(frozen=True)
class PairedComparison:
    """Two models, the same questions: who was right, and whether the difference could be luck."""

    both: int
    only_before: int
    only_after: int
    neither: int
    difference: float  # accuracy after minus before, in percentage points
    interval: tuple  # Newcombe's 95 % interval for it, in percentage points
    p_value: float  # exact McNemar test

    @property
    def sentence(self):
        """The comparison in words, with an honest verdict."""
        n = self.both + self.only_before + self.only_after + self.neither
        low, high = (round(x, 2) + 0.0 for x in self.interval)  # + 0.0: no "-0.00"
        p = f"= {self.p_value:.2g}" if self.p_value >= 0.001 else "< 0.001"
        verdict = "That could be luck."
        if not self.interval[0] <= 0 <= self.interval[1]:
            verdict = "Luck alone would rarely do this."
            if self.p_value >= 0.05:
                verdict = "Interval and test disagree, so it stays undecided."
        return (
            f"{self.only_before:,} of {n:,} answers changed from right to wrong, "
            f"{self.only_after:,} from wrong to right: a difference of {self.difference:.3g} "
            f"points (95 % interval {low:.2f} to {high:.2f}; exact McNemar p {p}). {verdict}"
        )


def compare_answers(before_correct, after_correct):
    """Compare two models on the same questions; the arguments say which answers are right."""
    before, after = np.asarray(before_correct), np.asarray(after_correct)
    for name, row in [("before_correct", before), ("after_correct", after)]:
        if row.ndim != 1 or row.size == 0:
            raise ValueError(f"{name} must be one row of answers; got the shape {row.shape}")
        if row.dtype != bool:
            got = next(x for x in row.tolist() if not isinstance(x, bool))
            raise ValueError(f"{name} must hold True or False (answers == labels); got {got!r}")
    if len(before) != len(after):
        raise ValueError(f"need as many answers before as after; got {len(before)}, {len(after)}")
    a, b, c, d = (int(np.sum(x & y)) for x in (before, ~before) for y in (after, ~after))
    low, high = newcombe_paired_difference(a, c, b, d)
    points = 100 * (c - b) / len(before)
    return PairedComparison(a, b, c, d, points, (100 * low, 100 * high), mcnemar_exact(b, c))

"""Could it be luck? Intervals and a test for accuracies, and for two on the same digits.

Sources: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212; Q. McNemar, Psychometrika 12 (1947)
153-157; R. G. Newcombe, Statistics in Medicine 17 (1998) 2635-2650, method 10.
"""

from math import comb, sqrt
from statistics import NormalDist

from .arguments import real, whole


def wilson_interval(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval (low, high) for the proportion `successes / n`."""
    n = whole("n", n, 1)
    successes = whole("successes", successes, 0, n)
    confidence = real("confidence", confidence, above=0, below=1)
    square = NormalDist().inv_cdf(0.5 + 0.5 * confidence) ** 2
    center, below = 2 * successes + square, 2 * (n + square)
    spread = sqrt(square * (4 * successes * (n - successes) / n + square))
    return ((center - spread) / below if successes else 0.0,
            (center + spread) / below if successes < n else 1.0)


def mcnemar_exact(b: int, c: int) -> float:
    """How often a fair coin splits `b + c` changed answers at least as unevenly (p)."""
    b, c = whole("b", b), whole("c", c)
    tail = sum(comb(b + c, k) for k in range(min(b, c) + 1))  # of so many coins, at most k heads
    return min(1.0, 2 * tail / 2 ** (b + c))


def newcombe_paired_difference(both: int, first_only: int, second_only: int, neither: int,
                               confidence: float = 0.95) -> tuple[float, float]:
    """The interval (low, high) for `first - second`, two proportions of the same n cases.

    Method 10 joins two Wilson intervals by the correlation phi, continuity-corrected if positive.
    """
    counts = {"both": both, "first_only": first_only,
              "second_only": second_only, "neither": neither}
    a, b, c, d = (whole(name, count) for name, count in counts.items())
    n = a + b + c + d
    (l1, u1), (l2, u2) = (wilson_interval(k, n, confidence) for k in (a + b, a + c))
    p1, p2, difference = (a + b) / n, (a + c) / n, (b - c) / n
    margins, covariance = (a + b) * (c + d) * (a + c) * (b + d), a * d - b * c
    phi = min(covariance, max(covariance - n / 2, 0)) / sqrt(margins) if margins else 0.0
    pairs = [(p1 - l1, u2 - p2), (u1 - p1, p2 - l2)]
    below, above = (sqrt(x * x - 2 * phi * x * y + y * y) for x, y in pairs)
    return difference - below, difference + above

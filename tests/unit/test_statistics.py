"""Intervals and tests against published tables, whole numbers and enumeration."""

import functools
from fractions import Fraction
from itertools import product
from math import comb, inf, nan
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_compress import statistics
from mnist_compress.statistics import (
    mcnemar_exact,
    newcombe_paired_difference,
    wilson_interval,
)

counts = st.integers(0, 5000)
tables = st.tuples(counts, counts, counts, counts).filter(any)

# Newcombe (1998), Table III, method 10: both, first only, second only, neither, low, high.
# (Its row 1, 97, 1, 1 was at hand only in a copy whose last digit does not follow from the
# formula, .8736 for .87367, and is left out.)
NEWCOMBE_TABLE = [
    (36, 12, 2, 0, 0.0569, 0.3404),
    (20, 12, 2, 16, 0.0562, 0.3292),
    (18, 12, 2, 18, 0.0562, 0.3290),
    (36, 14, 0, 0, 0.1528, 0.4167),
    (35, 14, 0, 1, 0.1461, 0.4175),
    (18, 14, 0, 18, 0.1441, 0.3963),
    (2, 97, 1, 0, 0.8721, 0.9854),
    (0, 29, 1, 0, 0.6666, 0.9882),
    (2, 98, 0, 0, 0.9178, 0.9945),
    (1, 98, 0, 1, 0.9171, 0.9916),
    (0, 30, 0, 0, 0.8395, 1.0),
    (54, 0, 0, 0, -0.0664, 0.0664),
    (53, 0, 0, 1, -0.0729, 0.0729),
    (30, 0, 0, 24, -0.0358, 0.0358),
    (29, 0, 0, 25, -0.0354, 0.0354),
    (28, 0, 0, 26, -0.0352, 0.0352),
    (27, 0, 0, 27, -0.0351, 0.0351),
    # the data of Cavo et al. (2012) in Fagerland, Lydersen and Laake's R package contingencytables
    (59, 6, 16, 80, -0.1186, -0.0046),
]


@pytest.fixture
def remembered(monkeypatch):
    """Few Wilson intervals for many tables: each is computed once."""
    monkeypatch.setattr(statistics, "wilson_interval", functools.cache(wilson_interval))


@pytest.mark.parametrize("row", NEWCOMBE_TABLE, ids=str)
def test_newcombe_equals_the_published_limits(row):
    *table, low, high = row
    assert newcombe_paired_difference(*table) == pytest.approx((low, high), abs=5.1e-5)


@given(tables, st.floats(0.5, 0.999))
def test_newcombe_contains_the_estimate_and_stays_within_bounds(table, confidence):
    low, high = newcombe_paired_difference(*table, confidence)
    assert -1 <= low <= (table[1] - table[2]) / sum(table) <= high <= 1


def test_newcombe_stays_within_bounds_in_all_small_and_lopsided_tables(remembered):
    for table in [*product(range(5), repeat=4), *product((0, 1, 10**9), repeat=4)][1:]:
        if any(table):
            low, high = newcombe_paired_difference(*table)
            assert -1 <= low <= (table[1] - table[2]) / sum(table) <= high <= 1


@given(tables)
def test_swapping_the_two_models_negates_the_interval(table):
    both, first, second, neither = table
    low, high = newcombe_paired_difference(both, first, second, neither)
    assert newcombe_paired_difference(both, second, first, neither) == pytest.approx((-high, -low))
    # calling "both wrong" what was "both right" changes nothing
    assert newcombe_paired_difference(neither, first, second, both) == pytest.approx((low, high))


@pytest.mark.parametrize("p", [(0.6, 0.15, 0.15, 0.1), (0.5, 0.2, 0.1, 0.2), (0.3, 0.1, 0.3, 0.3)])
def test_newcombe_covers_the_truth_about_95_times_in_100(p, remembered):
    n, covered = 25, 0.0
    for a, b, c in product(range(n + 1), repeat=3):
        if (d := n - a - b - c) < 0:
            continue
        low, high = newcombe_paired_difference(a, b, c, d)
        ways = comb(n, a) * comb(n - a, b) * comb(n - a - b, c)
        chance = ways * p[0] ** a * p[1] ** b * p[2] ** c * p[3] ** d
        covered += chance * (low <= p[1] - p[2] <= high)
    assert 0.93 <= covered <= 0.99


@pytest.mark.parametrize(("k", "n", "low", "high"), [  # Newcombe (1998), Stat. Med. 17, 857-872
    (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611),
    (1, 29, 0.0061, 0.1718)])
def test_wilson_equals_the_published_limits(k, n, low, high):
    assert wilson_interval(k, n) == pytest.approx((low, high), abs=5.1e-5)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
       st.sampled_from([0.5, 0.95, 0.99]))
def test_wilson_ends_where_the_score_test_starts_to_doubt(case, confidence):
    """Each limit p solves (k - n p)^2 = z^2 n p (1 - p), on its own side of k / n."""
    (k, n), z = case, NormalDist().inv_cdf((1 + confidence) / 2)
    low, high = wilson_interval(k, n, confidence)
    assert 0 <= low <= k / n <= high <= 1 and low < high
    for p in (low, high):
        assert (k - n * p) ** 2 == pytest.approx(z * z * n * p * (1 - p), rel=1e-6, abs=1e-9)


def test_wilson_is_exact_at_the_ends():
    for n in range(1, 200):
        for confidence in (0.8, 0.95, 0.99):
            assert wilson_interval(0, n, confidence)[0] == 0.0
            assert wilson_interval(n, n, confidence)[1] == 1.0


def coins(b, c):
    """The p-value in whole numbers: both tails of b + c fair coins, at least as uneven."""
    ways = sum(comb(b + c, k) for k in range(min(b, c) + 1))
    return float(min(Fraction(2 * ways, 2 ** (b + c)), 1))


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_equals_counted_coins(b, c):
    assert mcnemar_exact(b, c) == pytest.approx(coins(b, c), rel=1e-9)
    assert mcnemar_exact(b, c) == mcnemar_exact(c, b)


def test_mcnemar_by_hand():
    assert mcnemar_exact(0, 0) == 1.0
    assert mcnemar_exact(12, 11) == 1.0
    assert mcnemar_exact(0, 5) == 2 / 32
    assert mcnemar_exact(20, 3) == 2 * (1 + 23 + 253 + 1771) / 2**23  # once in 2,048


def test_mcnemar_with_large_counts():
    assert mcnemar_exact(1900, 2100) == pytest.approx(coins(1900, 2100), rel=1e-9)
    assert mcnemar_exact(0, 20000) == 0.0  # too small for a float, not an overflow


@pytest.mark.parametrize("bad", [-1, 2.0, nan, inf, "3", None])
def test_bad_counts_are_quoted(bad):
    for name, call in {
        "n": lambda: wilson_interval(1, bad),
        "successes": lambda: wilson_interval(bad, 10),
        "b": lambda: mcnemar_exact(bad, 1),
        "c": lambda: mcnemar_exact(1, bad),
        "first_only": lambda: newcombe_paired_difference(1, bad, 1, 1),
    }.items():
        with pytest.raises(ValueError, match=f"^{name} must be a whole number.*; got {bad!r}$"):
            call()


def test_impossible_cases_are_refused():
    with pytest.raises(ValueError, match="successes must be a whole number from 0 to 10; got 11"):
        wilson_interval(11, 10)
    with pytest.raises(ValueError, match="n must be a whole number, 1 or more; got 0"):
        wilson_interval(0, 0)
    with pytest.raises(ValueError, match="n must be a whole number, 1 or more; got 0"):
        newcombe_paired_difference(0, 0, 0, 0)
    for bad in (0, 1, 95, nan, "x", None, True):
        with pytest.raises(ValueError, match=f"confidence.* above 0 and below 1; got {bad!r}"):
            wilson_interval(1, 2, bad)
        with pytest.raises(ValueError, match=f"confidence.* above 0 and below 1; got {bad!r}"):
            newcombe_paired_difference(1, 2, 3, 4, bad)

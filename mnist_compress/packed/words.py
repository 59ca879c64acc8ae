"""A range coder in Python, for machines on which constriction has no wheel: the same 32-bit words.

Its state are a lower end and a range of 64 bits, its probabilities have 24 bits (Martin 1979, as
constriction 0.4 and 0.5 do it with `Categorical(probabilities, perfect=False)`).
"""

from bisect import bisect_right
from itertools import accumulate

from .header import PackedFileError

_PRECISION = 24
_ALL = (1 << 64) - 1
_SHORT = (1 << 32) - 1


def _starts(shares):
    """Where each symbol begins in 0..2**24, and the end: shares of 2**16, each at least 1."""
    free = (1 << _PRECISION) - len(shares)
    ends = accumulate(map(int, shares), initial=0)
    return [*((end * free >> 16) + place for place, end in enumerate(ends))]


def encode(ranks: list[int], shares: list[int]) -> list[int]:
    """The words of symbols 0..n-1 that have these n shares of 65,536; n is at least 2."""
    starts, low, span = _starts(shares), 0, _ALL
    words: list[int] = []
    for rank in ranks:
        unit = span >> _PRECISION
        low, span = low + unit * starts[rank], unit * (starts[rank + 1] - starts[rank])
        if low > _ALL:
            low = _carry(words, low)
        if span <= _SHORT:
            words.append(low >> 32)
            low, span = (low & _SHORT) << 32, span << 32
    if span == _ALL:
        return words
    end = _carry(words, low + _SHORT) if low + _SHORT > _ALL else low + _SHORT
    same = (low + span & _ALL) >> 32 == end >> 32
    return [*words, end >> 32, *[0] * same]


def _carry(words, low):
    """Add the bit above 64 to the words before; return the others."""
    place = len(words) - 1
    while words[place] == _SHORT:
        words[place], place = 0, place - 1
    words[place] += 1
    return low & _ALL


def decode(words: list[int], count: int, shares: list[int]) -> list[int]:
    """The `count` symbols that `encode` wrote. PackedFileError if no symbols give these words."""
    starts, span, ranks = _starts(shares), _ALL, []
    first, second, *rest = [*words, 0, 0]
    beyond, following = first << 32 | second, iter(rest)  # beyond: above the lower end
    for _ in range(count):
        unit = span >> _PRECISION
        quantile = beyond // unit
        if quantile >> _PRECISION:
            raise PackedFileError("the stream does not fit its histogram")
        rank = bisect_right(starts, quantile) - 1
        beyond, span = beyond - unit * starts[rank], unit * (starts[rank + 1] - starts[rank])
        if span <= _SHORT:
            beyond, span = beyond << 32 | next(following, 0), span << 32
        ranks.append(rank)
    return ranks

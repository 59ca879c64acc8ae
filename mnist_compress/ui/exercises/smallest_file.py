"""The exercises of 07_smallest_file: right functions, and cases to try."""

import torch

from . import Exercise


def _bytes(counts):
    counts = counts[counts > 0]
    share = counts / counts.sum()
    return -(counts * share.log2()).sum() / 8


def _shared(weights, code):
    nearest = (weights.abs()[..., None] - code).abs().argmin(-1)
    return code[nearest] * weights.sign()


def _or_nan(result, *case):
    """What counts: NaN is not equal to itself, but a mistake that is known by it is."""
    return "NaN" if result != result else result


_SPARSE = torch.tensor([[0.0, 0.31, -0.52, 1.9], [-0.11, 0.0, 0.78, -1.2]])
_CODE = torch.tensor([0.25, 0.6, 1.5])
_EXERCISES = {
    "my_bytes": Exercise(_bytes, [(torch.tensor([5, 2, 0, 1]),), (torch.tensor([900, 0, 70, 30]),)],
                         alike=_or_nan),
    "my_shared": Exercise(_shared, [(_SPARSE, _CODE), (_SPARSE * 0.7, _CODE)]),
}

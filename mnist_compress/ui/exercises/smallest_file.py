"""The exercises of 07_smallest_file: right functions, with switches for mistakes."""

import math

import torch

from . import Exercise


def _shared(weights, code, magnitude=True, nearest=True, sign=True, zeros=True, positions=False):
    size = weights.abs() if magnitude else weights
    position = (size[..., None] - code).abs().argmin(-1)
    if not nearest:
        position = ((size[..., None] >= code).sum(-1) - 1).clamp(min=0)
    signs = torch.where(weights < 0, -1.0, 1.0) if sign else 1
    return (position if positions else code[position]) * signs * (weights != 0 if zeros else 1)


def _bytes(counts, times=True, empty=False, base=2, bits=False, mean=False, negative=False,
           whole=False):
    """Bytes that an ideal coder writes for values that come so many times each."""
    counts = counts if empty else counts[counts > 0]
    share = counts / counts.sum()
    each = -share.log() / math.log(base)
    each = each.ceil() if whole else each
    total = (each * (share if mean else counts if times else 1)).sum()
    return (-total if negative else total) / (1 if bits else 8)


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

"""The exercises of 03_pruning: right functions, with switches for mistakes."""

import torch


def _mask(weight, sparsity, magnitude=True, by_row=False, more=0, inverted=False, threshold=False,
          pruned=False, dtype="bool"):
    if by_row:
        return torch.stack([_mask(row, sparsity) for row in weight])
    size = weight.abs() if magnitude else weight
    gone = max(round(sparsity * weight.numel()) + more, 0)
    mask = torch.ones(weight.numel(), dtype=torch.bool)
    mask[size.flatten().argsort(stable=True)[:gone]] = False
    mask = weight.abs() > sparsity if threshold else mask.view(weight.shape)
    mask = ~mask if inverted else mask
    return weight * mask if pruned else mask.to(getattr(torch, dtype))


_WEIGHTS = torch.tensor([[0.5, -0.9, 0.02, -0.01], [0.03, 0.8, -0.7, 0.6], [-4.0, 3.0, 2.0, -1.0]])
EXERCISES = {
    "my_mask": (_mask, [(_WEIGHTS, 0.5), (_WEIGHTS, 0.25), (_WEIGHTS * 3, 0.75)]),
}

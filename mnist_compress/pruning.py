"""Magnitude pruning: small weights become zero, by exact counts, in new models.

Sparsity is a fraction of 1: the share of weights that are zero. It is about the weights of Linear
and Conv2d layers, of any network; biases are never pruned and never counted. The method is as old
as LeCun, Denker & Solla (1990); ranking by magnitude and training what is left follows Han, Pool,
Tran & Dally (2015).
"""

import copy
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .arguments import finite, one_of, real, whole
from .model import DigitClassifier, weight_layers
from .training import Pair, evaluate, train_on


def magnitude_mask(weight: Tensor, sparsity: float) -> Tensor:
    """Tensor of any shape -> mask of that shape, bool: False where a weight is to become zero.

    Exactly round(sparsity * n) of the n weights go, half to even, smallest magnitude first; of
    equal magnitudes the lowest flat index first. ValueError for a sparsity outside [0, 1), an empty
    tensor, or a weight that is NaN or infinite.
    """
    share = real("sparsity", sparsity, 0, below=1)
    weight = finite("weights", weight)
    mask = torch.ones(weight.numel(), dtype=torch.bool)
    order = weight.abs().flatten().argsort(stable=True)
    mask[order[: round(share * weight.numel())]] = False
    return mask.view(weight.shape)


def random_masks(model: nn.Module, sparsity: float, seed: int = 0) -> list[Tensor]:
    """As many zeros as `prune` makes, anywhere: the control for ranking by magnitude. One mask for
    each of the network's `weight_layers`."""
    generator, weights = torch.Generator().manual_seed(seed), _weights(model)
    ranks = torch.randperm(sum(map(Tensor.numel, weights)), generator=generator)
    return _split(magnitude_mask(ranks, sparsity), weights)


def _weights(model: nn.Module) -> list[Tensor]:
    return [layer.weight for _, layer in weight_layers(model)]


def _split(mask: Tensor, weights: list[Tensor]) -> list[Tensor]:
    """One mask of all weights, (n,) -> one for each of them, of its shape."""
    parts = mask.split([weight.numel() for weight in weights])
    return [part.view_as(weight) for part, weight in zip(parts, weights, strict=True)]


def n_m_masks(model: nn.Module, n: int = 2, m: int = 4) -> list[Tensor]:
    """Masks of N:M sparsity: of every m neighbors in a unit's weights, the n largest stay.

    Some graphics cards multiply twice as fast with 2:4 (Mishra et al. 2021, arXiv 2104.08378). A
    rest of fewer than m weights stays whole.
    """
    m = whole("m", m, 2)
    n, masks = whole("n", n, 1, m - 1), []
    for original in _weights(model):
        weight = original.detach().abs().flatten(1)
        mask = torch.ones_like(weight, dtype=torch.bool)
        groups = weight[:, :weight.shape[1] // m * m].reshape(len(weight), -1, m)
        order = groups.argsort(dim=2, stable=True)[..., :m - n]
        kept = torch.ones_like(groups, dtype=torch.bool).scatter(2, order, False)
        mask[:, :kept[0].numel()] = kept.flatten(1)
        masks.append(mask.view_as(original))
    return masks


def apply_masks(model: nn.Module, masks: list[Tensor]) -> nn.Module:
    """A copy of the model with zeros where a mask is False: w * m, for each layer."""
    weight_layers(model)  # refuses weights that no copy could hold
    pruned = copy.deepcopy(model)
    _hold(pruned, masks)
    return pruned


def _hold(model: nn.Module, masks: list[Tensor]) -> None:
    """Set weights to zero where a mask is False, in place."""
    with torch.no_grad():
        for weight, mask in zip(_weights(model), masks, strict=True):
            weight.masked_fill_(~mask, 0.0)


def prune(model: nn.Module, sparsity: float | Sequence[float],
          scope: str = "global") -> nn.Module:
    """A copy of the model whose smallest weights are zero.

    scope "global": the smallest weights of all layers together. "layer": the same share of each;
    then `sparsity` may also be a list, one for each layer. ValueError for anything else.
    """
    one_of("scope", scope, ("global", "layer"))
    weights = _weights(model)
    if scope == "global":
        together = torch.cat([weight.flatten() for weight in weights])
        mask = magnitude_mask(together, sparsity)  # type: ignore[arg-type]  # which refuses a list
        return apply_masks(model, _split(mask, weights))
    each = list(sparsity) if isinstance(sparsity, Sequence) else [sparsity] * len(weights)
    return apply_masks(model, [magnitude_mask(weight, share) for weight, share
                               in zip(weights, each, strict=True)])


def fine_tune(model: nn.Module, digits: Pair, **settings: Any) -> nn.Module:
    """A copy of a pruned model, trained on while every zero weight stays zero.

    digits, settings, errors: as in `train_on`, which does the same without holding zeros.
    """
    masks = [weight != 0 for weight in _weights(model)]
    return train_on(model, digits, after_step=lambda tuned: _hold(tuned, masks), **settings)


def sparsity(model: nn.Module) -> float:
    """Share of the model's weights that are zero, biases not counted."""
    weights = _weights(model)
    zeros = sum(int((weight == 0).sum()) for weight in weights)
    return zeros / sum(weight.numel() for weight in weights)


def weakest_units(model: DigitClassifier, fraction: float) -> Tensor:
    """Positions of round(fraction * n) units of the first hidden layer, weakest first, int64.

    A unit's strength is the length of its incoming weights times that of its outgoing ones.
    ValueError if a weight is NaN or infinite.
    """
    first, second = model.layers[:2]
    strength = first.weight.norm(dim=1) * second.weight.norm(dim=0)
    return strength.detach().argsort(stable=True)[: (~magnitude_mask(strength, fraction)).sum()]


def zero_units(model: DigitClassifier, units: Iterable[int] | Tensor) -> DigitClassifier:
    """A copy in which these units of the first hidden layer are silent, in the same shapes."""
    keep = all_but(model.widths[1], units)
    silent = copy.deepcopy(model)
    with torch.no_grad():
        silent.layers[0].weight[~keep] = 0.0
        silent.layers[0].bias[~keep] = 0.0
        silent.layers[1].weight[:, ~keep] = 0.0
    return silent


def remove_units(model: DigitClassifier, units: Iterable[int] | Tensor) -> DigitClassifier:
    """A truly smaller model without these units; its outputs are those of `zero_units`.

    units: positions in the first hidden layer. ValueError if one does not exist or none would stay.
    `convolution.remove_channels` does so in any layer of any network.
    """
    keep = all_but(model.widths[1], units)
    smaller = copy.deepcopy(model)
    before, after = smaller.layers[:2]
    before.weight, before.bias = (nn.Parameter(part.detach()[keep]) for part in
                                  (before.weight, before.bias))
    after.weight = nn.Parameter(after.weight.detach()[:, keep].contiguous())
    before.out_features = after.in_features = int(keep.sum())
    return smaller


def all_but(count: int, units: Iterable[int] | Tensor) -> Tensor:
    """Mask of `count` units or channels that is False at these positions, bool (count,).

    ValueError for a position that does not exist, or if none would stay.
    """
    keep = torch.ones(count, dtype=torch.bool)
    units = units.flatten() if isinstance(units, Tensor) else units
    for unit in units if isinstance(units, Iterable) else [units]:
        keep[whole("unit", unit, 0, count - 1)] = False
    whole("number of units that stay", keep.sum(), 1)
    return keep


@dataclass(frozen=True)
class ScanPoint:
    """One measurement: the layer pruned (None: all), its sparsity, the accuracy 0..1."""

    layer: int | None
    sparsity: float
    accuracy: float


def sensitivity_scan(model: nn.Module, digits: Pair, sparsities: Iterable[float]
                     ) -> list[ScanPoint]:
    """Prune one layer at a time and measure: `ScanPoint`s, layer after layer."""
    count, shares, points = len(_weights(model)), list(sparsities), []
    for index in range(count):
        for share in shares:
            each = [share if index == other else 0.0 for other in range(count)]
            accuracy = evaluate(prune(model, each, "layer"), digits).accuracy
            points.append(ScanPoint(index, share, accuracy))
    return points


def accuracy_curve(model: nn.Module, digits: Pair, sparsities: Iterable[float],
                   fine_tune_on: Pair | None = None, epochs: int = 2) -> list[ScanPoint]:
    """Prune all layers together and measure on `digits`: a list of `ScanPoint`.

    fine_tune_on: digits to train on after each cut, or None.
    """
    points = []
    for share in sparsities:
        pruned = prune(model, share)
        if fine_tune_on is not None:
            pruned = fine_tune(pruned, fine_tune_on, epochs=epochs)
        accuracy = evaluate(pruned, digits).accuracy
        points.append(ScanPoint(None, share, accuracy))
    return points


def largest_sparsity_within(points: Iterable[ScanPoint], accuracy: float,
                            loss: float = 0.01) -> float:
    """The largest measured sparsity up to which no accuracy falls more than `loss` below."""
    points = list(points)
    fails = [point.sparsity for point in points if accuracy - point.accuracy > loss + math.ulp(1.0)]
    return max((p.sparsity for p in points if p.sparsity < min(fails, default=1.0)), default=0.0)

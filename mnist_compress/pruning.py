"""Magnitude pruning: small weights become zero, by exact counts, in new models.

Sparsity is a fraction of 1: the share of weights that are zero. Biases are never pruned and never
counted. The method is as old as LeCun, Denker & Solla (1990); ranking by magnitude and retraining
what is left follows Han, Pool, Tran & Dally (2015).
"""

import copy
import math
from dataclasses import dataclass

import torch

from .data import Digits, check_tensor
from .training import evaluate, fit

SCOPES = ("global", "layer")


def check_sparsity(sparsity):
    """Return `sparsity` as a float; ValueError unless it lies in [0, 1)."""
    number = isinstance(sparsity, (int, float)) and not isinstance(sparsity, bool)
    if not number or not 0 <= sparsity < 1:
        raise ValueError(f"sparsity must be a fraction of 1, from 0 to below 1; got {sparsity!r}")
    return float(sparsity)


def magnitude_mask(weight, sparsity):
    """Tensor of any shape -> mask of that shape, bool: False where a weight is to become zero.

    Exactly round(sparsity * n) of the n weights go, half to even, smallest magnitude first; of
    equal magnitudes the lowest flat index first. ValueError for a sparsity outside [0, 1), an empty
    tensor, or a weight that is NaN or infinite, TypeError for what is no tensor.
    """
    check_tensor("weight", weight)
    sparsity = check_sparsity(sparsity)
    if weight.numel() == 0:
        raise ValueError(f"there are no weights to prune; got a tensor of {tuple(weight.shape)}")
    _check_finite(weight)
    mask = torch.ones(weight.numel(), dtype=torch.bool)
    order = weight.detach().abs().flatten().argsort(stable=True)
    mask[order[: round(sparsity * weight.numel())]] = False
    return mask.view(weight.shape)


def _check_finite(values, name="weights"):
    if not torch.isfinite(values).all():
        wrong = values[~torch.isfinite(values)][0].item()
        raise ValueError(f"{name} must be finite numbers; got {wrong}")


def magnitude_masks(model, sparsity, scope="global"):
    """One mask for each layer of a DigitClassifier.

    scope "global": the smallest weights of all layers together. "layer": the same share of each;
    then `sparsity` may also be a list, one for each layer. ValueError for anything else.
    """
    weights = _weights(model)
    if scope == "global":
        together = torch.cat([weight.flatten() for weight in weights])
        parts = magnitude_mask(together, sparsity).split([weight.numel() for weight in weights])
        return [part.view(weight.shape) for part, weight in zip(parts, weights, strict=True)]
    if scope != "layer":
        raise ValueError(f"scope must be one of {', '.join(SCOPES)}; got {scope!r}")
    each = list(sparsity) if isinstance(sparsity, (list, tuple)) else [sparsity] * len(weights)
    if len(each) != len(weights):
        raise ValueError(f"need one sparsity for each of {len(weights)} layers; got {sparsity!r}")
    return [magnitude_mask(weight, share) for weight, share in zip(weights, each, strict=True)]


def apply_masks(model, masks):
    """A copy of the model with zeros where a mask is False: w * m, for each layer."""
    check_masks(model, masks)
    pruned = copy.deepcopy(model)
    with torch.no_grad():
        for layer, mask in zip(pruned.layers, masks, strict=True):
            layer.weight.masked_fill_(~mask, 0.0)
    return pruned


def check_masks(model, masks):
    """ValueError unless there is one bool mask for each layer, of the shape of its weight."""
    shapes = [tuple(layer.weight.shape) for layer in model.layers]
    got = [(tuple(mask.shape), mask.dtype) for mask in masks]
    if got != [(shape, torch.bool) for shape in shapes]:
        raise ValueError(f"masks must be bool tensors of the shapes {shapes}; got {got}")


def prune(model, sparsity, scope="global"):
    """A copy of the model whose smallest weights are zero; see `magnitude_masks`."""
    return apply_masks(model, magnitude_masks(model, sparsity, scope))


def fine_tune(model, digits, *, epochs=2, batch_size=16, learning_rate=1e-3, seed=0,
              progress=None):
    """A copy of a pruned model, trained on while every zero weight stays zero.

    The same seed gives the same network, as in `train`. ValueError for a weight or bias that is NaN
    or infinite (training would spread it), and for what `train` refuses.
    """
    for layer in model.layers:
        _check_finite(layer.weight)
        _check_finite(layer.bias, "biases")
    masks = [layer.weight != 0 for layer in model.layers]

    def hold(tuned):
        with torch.no_grad():
            for layer, mask in zip(tuned.layers, masks, strict=True):
                layer.weight.masked_fill_(~mask, 0.0)

    tuned = copy.deepcopy(model).double()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for _ in fit(tuned, digits, epochs, batch_size, learning_rate, progress, hold):
            pass
    return tuned.float()


def _weights(model):
    if not len(model.layers):
        raise ValueError("the model has no layers, so there are no weights to prune")
    return [layer.weight for layer in model.layers]


def sparsity(model):
    """Share of the model's weights that are zero, biases not counted."""
    weights = _weights(model)
    return sum((w == 0).sum().item() for w in weights) / sum(w.numel() for w in weights)


def sparsity_table(model):
    """A pandas table: for each layer and for all, the weights, the zeros and their share."""
    import pandas as pd

    rows = [(" x ".join(map(str, weight.shape)), weight.numel(), (weight == 0).sum().item())
            for weight in _weights(model)]
    rows.append(("all", sum(row[1] for row in rows), sum(row[2] for row in rows)))
    table = pd.DataFrame(rows, columns=["weights of", "count", "zeros"]).set_index("weights of")
    table["sparsity"] = [f"{100 * zeros / count:.1f} %" for _, count, zeros in rows]
    return table


def weakest_neurons(model, fraction, layer=0):
    """Positions of round(fraction * n) hidden units of that layer, weakest first, int64.

    A unit's strength is the length of its incoming weights times that of its outgoing ones.
    ValueError if `layer` is no hidden layer, or a weight is NaN or infinite.
    """
    _units(model, layer)
    strength = model.layers[layer].weight.norm(dim=1) * model.layers[layer + 1].weight.norm(dim=0)
    return strength.detach().argsort(stable=True)[: (~magnitude_mask(strength, fraction)).sum()]


def zero_neurons(model, neurons, layer=0):
    """A copy in which these hidden units are silent: zeros in, zeros out, the same shapes."""
    keep = _kept(model, neurons, layer)
    silent = copy.deepcopy(model)
    with torch.no_grad():
        silent.layers[layer].weight[~keep] = 0.0
        silent.layers[layer].bias[~keep] = 0.0
        silent.layers[layer + 1].weight[:, ~keep] = 0.0
    return silent


def remove_neurons(model, neurons, layer=0):
    """A truly smaller model without these hidden units; its outputs are those of zero_neurons.

    neurons: positions, int64 or a list of whole numbers. ValueError if one does not exist or none
    would be left.
    """
    keep = _kept(model, neurons, layer)
    widths = list(model.widths)
    widths[layer + 1] = int(keep.sum())
    with torch.random.fork_rng(devices=[]):
        smaller = type(model)(widths)
    tensors = copy.deepcopy(model.state_dict())
    for name in (f"layers.{layer}.weight", f"layers.{layer}.bias"):
        tensors[name] = tensors[name][keep]
    name = f"layers.{layer + 1}.weight"
    tensors[name] = tensors[name][:, keep].contiguous()
    smaller.load_state_dict(tensors)
    return smaller


def _kept(model, neurons, layer):
    """Mask of the hidden units that stay, bool (units,)."""
    units = _units(model, layer)
    try:
        places = torch.atleast_1d(torch.as_tensor(neurons)).tolist()
    except (TypeError, ValueError, RuntimeError):  # no numbers at all
        places = [neurons]
    wrong = [place for place in places if type(place) is not int or not 0 <= place < units]
    if wrong:
        raise ValueError(f"neurons are numbered 0 to {units - 1}; got {wrong[0]!r}")
    keep = torch.ones(units, dtype=torch.bool)
    keep[torch.tensor(places, dtype=torch.int64)] = False
    if not keep.any():
        raise ValueError(f"at least one neuron must stay; got all {units} to remove")
    return keep


def _units(model, layer):
    hidden = list(range(len(model.layers) - 1))
    if type(layer) is not int or layer not in hidden:
        raise ValueError(f"layer must be a hidden one of {hidden}; got {layer!r}")
    return model.layers[layer].out_features


@dataclass(frozen=True)
class ScanPoint:
    """One measurement: the layer pruned (None: all), its sparsity, the accuracy 0..1."""

    layer: int | None
    sparsity: float
    accuracy: float
    fine_tuned: bool = False


def sensitivity_scan(model, digits: Digits, sparsities):
    """Prune one layer at a time and measure: a list of `ScanPoint`, layer after layer."""
    points = []
    for index in range(len(model.layers)):
        for share in sparsities:
            each = [share if index == other else 0.0 for other in range(len(model.layers))]
            accuracy = evaluate(prune(model, each, "layer"), digits).accuracy
            points.append(ScanPoint(index, share, accuracy))
    return points


def accuracy_curve(model, digits: Digits, sparsities, fine_tune_on=None, epochs=2):
    """Prune all layers together and measure on `digits`: a list of `ScanPoint`.

    fine_tune_on: digits to train on after each cut, or None.
    """
    points = []
    for share in sparsities:
        pruned = prune(model, share)
        if fine_tune_on is not None:
            pruned = fine_tune(pruned, fine_tune_on, epochs=epochs)
        accuracy = evaluate(pruned, digits).accuracy
        points.append(ScanPoint(None, share, accuracy, fine_tune_on is not None))
    return points


def largest_sparsity_within(points, accuracy, loss=0.01):
    """The largest measured sparsity up to which no accuracy falls more than `loss` below."""
    points = list(points)
    fails = [point.sparsity for point in points if accuracy - point.accuracy > loss + math.ulp(1.0)]
    return max((p.sparsity for p in points if p.sparsity < min(fails, default=1.0)), default=0.0)

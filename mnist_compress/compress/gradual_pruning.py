"""compress/gradual_pruning"""

import math
from itertools import pairwise

import torch
from torch.nn import functional as F

from .network import batches, hold, require, trainable


def cubic_sparsity(progress, final):
    """Progress 0..1 -> sparsity 0..final, fast at first and slow at last (Zhu & Gupta 2017)."""
    return final * (1 - (1 - min(max(progress, 0.0), 1.0)) ** 3)


def weight_bits(mask):
    """Mask (units, side * side) -> about how many bits each weight would cost in the file.

    A weight beside other weights of its unit, on a pixel that other units use, is cheap to name:
    its position costs -log2 of how often such places are taken, its sign and level some more.
    """
    side = math.isqrt(mask.shape[1])
    around = torch.tensor([[1.0, 2, 1], [2, 0, 2], [1, 2, 1]]) / 12
    near = F.conv2d(mask.float().view(-1, 1, side, side), around[None, None], padding=1).flatten(1)
    often = (near + mask.float().mean(0)) / 2
    return 1.2 - torch.log2((often + 0.02) / 1.02)


def saliency(weights, masks, slopes, recipe):
    """What is lost with each weight, a score of its shape; 0 where a mask is False.

    |w| * E[g**2] ** (curvature / 2), where E[g**2], the mean squared gradient that Adam keeps in
    `slopes`, stands for the curvature: with curvature 1 this ranks as optimal brain damage does
    (LeCun, Denker & Solla 1990). In the first layer, divided by the weight's bits ** thrift.
    """
    scores = [w.abs() * m for w, m in zip(weights, masks, strict=True)]
    if recipe.curvature:
        scores = [score * (slope + 1e-12) ** (recipe.curvature / 2)
                  for score, slope in zip(scores, slopes, strict=True)]
    if recipe.thrift:
        scores[0] = scores[0] / weight_bits(masks[0]) ** recipe.thrift
    return scores


def keep_best(scores, masks, keep):
    """The `keep` highest scores of all layers together, out of those where a mask is True."""
    flat = torch.cat([score.flatten() for score in scores])
    kept = torch.zeros(len(flat), dtype=torch.bool)
    kept[flat.topk(min(keep, len(flat))).indices] = True
    parts = kept.split([score.numel() for score in scores])
    return [part.view(mask.shape) & mask for part, mask in zip(parts, masks, strict=True)]


def drop_dead(masks):
    """Masks without the weights of hidden units that have none coming in or none going out."""
    masks = list(masks)
    for _ in masks:  # a unit that dies may take its neighbours along
        for i, (before, after) in enumerate(pairwise(masks)):
            alive = before.any(1) & after.any(0)
            masks[i], masks[i + 1] = before & alive[:, None], after & alive
    return masks


def first_masks(network, rows):
    """A mask of True for each weight, but False for pixels that are 0 in all rows (n, in)."""
    masks = [torch.ones_like(weight, dtype=torch.bool) for weight, _ in network]
    masks[0] &= (rows != 0).any(0)
    return masks


def gradual_prune(network, loss, rows, recipe, generator):
    """Train, then prune a little every few steps and train on: network -> network, masks.

    loss(network, index) is the loss on rows (n, in) of that index. The cubic schedule ends after
    85 % of prune_steps with recipe.weights of them left; a pruned weight never returns. ValueError
    if a layer loses all its weights.
    """
    weights, biases = trainable(network)
    masks, steps = first_masks(network, rows), recipe.dense_steps + recipe.prune_steps
    total = sum(int(mask.sum()) for mask in masks)
    adam = torch.optim.Adam(weights + biases, lr=recipe.rate, fused=True)
    for step, index in enumerate(batches(len(rows), recipe.batch, steps, generator)):
        warm = min(1, (step + 1) / 50)
        adam.param_groups[0]["lr"] = recipe.rate * warm * (1 - 0.7 * step / steps)
        adam.zero_grad()
        loss(list(zip(weights, biases, strict=True)), index).backward()
        adam.step()
        pruning = step + 1 - recipe.dense_steps
        if pruning >= 0 and pruning % recipe.every == 0:
            progress = pruning / (0.85 * recipe.prune_steps)
            keep = round(total * (1 - cubic_sparsity(progress, 1 - recipe.weights / total)))
            slopes = [adam.state[weight]["exp_avg_sq"] for weight in weights]
            with torch.no_grad():
                scores = saliency(weights, masks, slopes, recipe)
            masks = drop_dead(keep_best(scores, masks, keep))
        hold(weights, masks)
    require(all(mask.any() for mask in masks),
            f"a layer has no weights left; weights must be more than {recipe.weights}")
    return [(w.detach(), b.detach()) for w, b in zip(weights, biases, strict=True)], masks

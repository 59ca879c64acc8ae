"""While the student learns, the weights that matter least go, a few at a time.

A mask is bool of its weight's shape: True where the weight is still there.
"""

import math
from itertools import chain, pairwise

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from .distillation import Lesson
from .network import Network, Watch, batches, trainable, unwatched
from .recipe import Recipe


def cubic_sparsity(progress: float, final: float) -> float:
    """Progress 0..1 -> sparsity 0..final, fast at first and slow at last (Zhu & Gupta 2017)."""
    return final * (1 - (1 - min(max(progress, 0.0), 1.0)) ** 3)


def _saliency(weights, masks, slopes, recipe):
    """What would be lost with each weight, a score of its shape; 0 where a mask is False.

    |w| * E[g**2] ** (curvature / 2), where E[g**2], the mean squared gradient that Adam keeps in
    `slopes`, stands for the curvature: with curvature 1 this ranks as optimal brain damage does
    (LeCun, Denker & Solla 1990). In the first layer divided by the weight's bits ** rate_weight:
    of two weights that matter as much, the one that takes more of the file goes first.
    """
    scores = [weight.detach().abs() * mask * (slope + 1e-12) ** (recipe.curvature / 2)
              for weight, mask, slope in zip(weights, masks, slopes, strict=True)]
    return [scores[0] / _weight_bits(masks[0]) ** recipe.rate_weight, *scores[1:]]


def _weight_bits(mask):
    """Mask (units, side * side) -> about how many bits each weight would cost in the file.

    A weight beside other weights of its unit, on a pixel that other units use, is cheap to name:
    its position costs -log2 of how often such places are taken, its sign and level some more.
    """
    side = math.isqrt(mask.shape[1])
    taken = mask.to(torch.float32)
    around = taken.new_tensor([[1, 2, 1], [2, 0, 2], [1, 2, 1]]) / 12
    near = F.conv2d(taken.view(-1, 1, side, side), around[None, None], padding=1).flatten(1)
    often = (near + taken.mean(0)) / 2
    return 1.2 - torch.log2((often + 0.02) / 1.02)


def keep_best(scores: list[Tensor], masks: list[Tensor], keep: int) -> list[Tensor]:
    """Masks of the `keep` highest scores over all layers, out of those where a mask is True."""
    flat = torch.cat([score.flatten() for score in scores])
    best = flat.topk(min(keep, len(flat))).indices
    kept = torch.zeros_like(flat, dtype=torch.bool).index_fill(0, best, True)
    parts = kept.split([score.numel() for score in scores])
    return [part.view(mask.shape) & mask for part, mask in zip(parts, masks, strict=True)]


def _drop_dead(masks):
    """Masks without the weights of hidden units that have none coming in or none going out.

    Not all: from a unit without inputs, weights to another hidden layer stay. They do nothing, but
    the finished LeNet files were made with them, and without them training takes another turn.
    """
    masks = list(masks)
    for _ in masks:  # a unit that dies may take its neighbors along
        for i, (before, after) in enumerate(list(pairwise(masks))):
            alive = before.any(1) & after.any(0)
            masks[i], masks[i + 1] = before & alive[:, None], after & alive
    return masks


@torch.inference_mode(False)  # with gradients, even inside no_grad or inference_mode
def gradual_prune(network: Network, lesson: Lesson, recipe: Recipe,
                  generator: Generator, watch: Watch = unwatched) -> Network:
    """Train, then prune a little every few steps and train on; pruned weights of the result are 0.

    The cubic schedule ends after 85 % of prune_steps with recipe.weights of them left; a pruned
    weight never returns. Inputs that are 0 in the whole lesson have no weights from the start.
    """
    student = trainable(network)
    weights = [weight for weight, _ in student]
    masks = [torch.ones_like(weight, dtype=torch.bool) for weight in weights]
    masks[0] &= (lesson.inputs != 0).any(0)
    total = sum(int(mask.sum()) for mask in masks)
    steps = recipe.dense_steps + recipe.prune_steps
    adam = torch.optim.Adam(chain(*student), fused=True)
    order = batches(len(lesson.inputs), recipe.batch, steps, generator)
    for step, index in enumerate(watch(order, "pruning", steps)):
        warm = min(1, (step + 1) / 50)
        adam.param_groups[0]["lr"] = recipe.rate * warm * (1 - 0.7 * step / steps)
        adam.zero_grad()
        lesson.loss(student, index).backward()
        adam.step()
        pruning = step + 1 - recipe.dense_steps
        if pruning >= 0 and pruning % recipe.every == 0:
            progress = pruning / (0.85 * recipe.prune_steps)
            keep = round(total * (1 - cubic_sparsity(progress, 1 - recipe.weights / total)))
            slopes = [adam.state[weight]["exp_avg_sq"] for weight in weights]
            masks = _drop_dead(keep_best(_saliency(weights, masks, slopes, recipe), masks, keep))
        with torch.no_grad():
            for weight, mask in zip(weights, masks, strict=True):
                weight *= mask
    return [(weight.detach(), bias.detach()) for weight, bias in student]

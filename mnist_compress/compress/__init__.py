"""From digits to a network under a kilobyte: one idea in each file, to be read in this order.

recipe           the settings of all steps
network          what the steps share: a network in training, its way through the digits
augmentation     more digits out of the same: turned, stretched, moved and bent copies
distillation     a large teacher, and the lesson that it gives to a small student
gradual_pruning  while the student learns, the weights that matter least go, a few at a time
codebook         the others share a few magnitudes and learn to live with rounding

`teach` augments the digits and trains the teacher; `compress`, below, takes the steps after that;
`compress_once` makes something of a finished network, and trains nothing.
"""

import torch

from ..arguments import finite, whole
from ..data import SIDE, Digits
from ..integer import IntegerNetwork
from ..model import DigitClassifier
from .augmentation import augmented_copies
from .codebook import choose_grids, integers, quantization_aware_train
from .distillation import Lesson, distillation_loss, teach
from .gradual_pruning import cubic_sparsity, gradual_prune, keep_best
from .network import Watch, batches, forward, random_network, unwatched
from .recipe import Recipe

__all__ = ["Lesson", "Recipe", "augmented_copies", "batches", "compress", "compress_once",
           "cubic_sparsity", "distillation_loss", "forward", "teach"]


def compress(lesson: Lesson, recipe: Recipe, seed: int = 0,
             watch: Watch = unwatched) -> IntegerNetwork:
    """Lesson -> IntegerNetwork of recipe.widths, small once packed: train, prune, share, round.

    watch: as for `teach`. ValueError if a layer loses all weights.
    """
    generator = torch.Generator().manual_seed(seed + 1000)
    student = random_network(recipe.student_widths, generator)
    student = gradual_prune(student, lesson, recipe, generator, watch)
    student, grids = quantization_aware_train(student, lesson, recipe, generator, watch)
    return integers(student, grids, recipe.widths)


def compress_once(model: DigitClassifier, digits: Digits, weights: int,
                  levels: tuple[int, ...] = (2, 7), bias_step: float = 0.1) -> IntegerNetwork:
    """DigitClassifier -> IntegerNetwork with that many weights and shared magnitudes, untrained.

    A weight's score is |w| times the root mean square of its input over the calibration `digits`
    (Sun, Liu, Bair & Kolter 2024). The mean of what a removed weight added goes into the bias, as
    Nagel et al. (2019) correct biases. levels: magnitudes in the codebook of each layer.
    ValueError for what cannot be, or if a layer would lose all its weights.
    """
    if not isinstance(model, DigitClassifier) or model.widths[0] != SIDE**2:
        raise ValueError(f"compress_once needs a DigitClassifier of {SIDE**2} inputs; got {model}")
    weights = whole("weights", weights, 1, sum(layer.weight.numel() for layer in model.layers))
    network = [(finite("weights", layer.weight).float(), finite("biases", layer.bias).float())
               for layer in model.layers]
    read = forward(network, digits.inputs)[:-1]
    scores = [weight.abs() * values.square().mean(0).sqrt()
              for (weight, _), values in zip(network, read, strict=True)]
    everything = [torch.ones_like(score, dtype=torch.bool) for score in scores]
    masks = keep_best(scores, everything, weights)
    pruned = [(weight * mask, bias + (weight * ~mask) @ values.mean(0))
              for (weight, bias), mask, values in zip(network, masks, read, strict=True)]
    return integers(pruned, choose_grids(pruned, digits.inputs, levels, bias_step), model.widths)

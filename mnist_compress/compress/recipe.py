"""compress/recipe"""

import math
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
import torch

from ..data import as_number
from ..integer import IntegerLayer, IntegerNetwork, as_fraction, spread_2x2
from .codebook import choose_grid, quantization_aware_train
from .gradual_pruning import gradual_prune, keep_best
from .network import CLASSES, PIXELS, SHORT_BITS, check_count, check_wholes, random_network, require

COUNTS = ("weights", "copies", "teacher_steps", "prune_steps", "quantize_steps", "batch", "every")
AMOUNTS = ("distortion", "thrift", "curvature")
MOST_LEVELS = 127  # magnitudes of int8


@dataclass(frozen=True)
class Recipe:
    """All that `teach` and `compress` need to know; a step is one step of the optimizer.

    ValueError for a value that cannot be; it quotes the value.
    """

    widths: tuple = (PIXELS, 128, CLASSES)  # of the network that the file holds
    units: tuple = (32,)  # hidden units that may live; the others stay zero
    weights: int = 560  # that survive, over all layers; with tie, shared ones count once
    levels: tuple = (3, 3)  # magnitudes in the codebook of each layer
    tie: bool = True  # each 2x2 block of pixels shares its weights
    copies: int = 40  # of the training rows, all but the first distorted
    distortion: float = 1.5  # strength of the distortions
    teacher: tuple = (300,)  # hidden units of the dense teacher
    teacher_steps: int = 2000
    dense_steps: int = 600  # of the student before the first weight goes
    prune_steps: int = 2500
    quantize_steps: int = 1500
    batch: int = 250
    rate: float = 6e-3  # Adam's learning rate while pruning; half of it while quantizing
    thrift: float = 0.5  # how much the bits that a weight costs count when it is judged; 0: not
    curvature: float = 0.5  # how much the loss's curvature counts; 0: magnitude alone, 1: as in OBD
    every: int = 20  # steps between two prunings
    bias_step: float = 0.25  # biases are about multiples of this

    def __post_init__(self):
        for field in fields(self):
            if field.type is tuple:
                check_wholes(field.name, getattr(self, field.name))
        for name in COUNTS:
            check_count(name, getattr(self, name))
        check_count("dense_steps", self.dense_steps, 0)
        for name in AMOUNTS:
            amount = getattr(self, name)
            require(0 <= as_number(amount) < math.inf,
                    f"{name} must be a number, 0 or more; got {amount!r}")
        require(0 < as_number(self.rate) < 1,
                f"rate must be above 0 and below 1; got {self.rate!r}")
        require(0 < as_number(self.bias_step) < math.inf,
                f"bias_step must be above 0; got {self.bias_step!r}")
        require(type(self.tie) is bool, f"tie must be True or False; got {self.tie!r}")
        require(len(self.widths) > 2 and self.widths[0] == PIXELS and self.widths[-1] == CLASSES,
                f"widths must go from {PIXELS} to {CLASSES} over a hidden layer; got {self.widths}")
        hidden = self.widths[1:-1]
        require(len(self.units) == len(hidden)
                and all(live <= width for live, width in zip(self.units, hidden, strict=True)),
                f"units must be one number for each hidden layer of {hidden}, at most as large; "
                f"got {self.units}")
        require(len(self.levels) == len(self.widths) - 1 and max(self.levels) <= MOST_LEVELS,
                f"levels must be one number up to {MOST_LEVELS} for each layer; got {self.levels}")
        everything = sum(i * o for i, o in pairwise(self.student_widths))
        require(self.weights <= everything,
                f"weights must be at most {everything}, all there are; got {self.weights}")

    @property
    def inputs(self):
        """Numbers that the student reads: 784 pixels, or 196 blocks of them."""
        return PIXELS // 4 if self.tie else PIXELS

    @property
    def student_widths(self):
        """Units from input to output of the network that is trained."""
        return self.inputs, *self.units, CLASSES


def integers(network, masks, grid, widths):
    """Network on a Grid -> IntegerNetwork of these widths; units beyond the network's are zero.

    Scales and multipliers are shortened to SHORT_BITS; what a multiplier loses goes into the scale
    of the next layer's input, so the logits keep their meaning.
    """
    layers, scale_in = [], grid.scales[0]
    for place, (weight, bias) in enumerate(network):
        last, unit = place == len(network) - 1, grid.unit(place)
        alive = masks[place].any(1) | last
        whole = (weight / unit).round().to(torch.int8).numpy()
        bias = ((bias / grid.step(place)).round() * alive).to(torch.int32).numpy() << grid.twos[place]
        if place == 0 and 4 * whole.shape[1] == widths[0]:  # four pixels add up, not their mean
            whole, bias, unit = spread_2x2(whole), bias << 2, unit / 4
        number, shift = as_fraction(unit, SHORT_BITS)
        unit, rescale = number / 2**shift, ()
        if not last:
            number, shift = as_fraction(unit * scale_in / grid.scales[place + 1], SHORT_BITS)
            scale_in = unit * scale_in * 2**shift / number
            rescale = np.array(number, np.int32), np.array(shift, np.int32)
        layers.append(IntegerLayer(
            _embed(whole, widths[place + 1], widths[place]), _embed(bias, widths[place + 1]),
            np.array(unit, np.float32), *rescale))
    return IntegerNetwork(layers)


def _embed(array, *shape):
    """An array in the corner of zeros of a larger shape, of the same dtype."""
    large = np.zeros(shape, array.dtype)
    large[tuple(slice(size) for size in array.shape)] = array
    return large


def compress(lesson, recipe, seed=0):
    """Lesson -> IntegerNetwork of recipe.widths, small once packed: train, prune, share, round.

    The lesson must come from `teach` with the same tie; ValueError otherwise.
    """
    require(lesson.rows.shape[1] == recipe.inputs,
            f"the lesson's rows must have {recipe.inputs} numbers; got {lesson.rows.shape[1]}")
    generator = torch.Generator().manual_seed(seed + 1000)
    student = random_network(recipe.student_widths, generator)
    student, masks = gradual_prune(student, lesson.loss, lesson.rows, recipe, generator)
    student, grid = quantization_aware_train(
        student, masks, lesson.loss, lesson.rows, recipe, generator)
    return integers(student, masks, grid, recipe.widths)


def compress_once(model, digits, weights, levels=(2, 7), bias_step=0.1):
    """DigitClassifier -> IntegerNetwork with that many weights and shared magnitudes, untrained.

    A weight's score is |w| times the root mean square of its input over the calibration `digits`
    (Sun, Liu, Bair & Kolter 2024). The mean of what a removed weight added goes into the bias, as
    Nagel et al. (2019) correct biases. Nothing is trained. levels: magnitudes in the codebook of
    each layer. ValueError for what cannot be, or if a layer would lose all its weights.
    """
    require(len(digits) > 0, "need at least one digit to calibrate on; got 0")
    everything = sum(layer.weight.numel() for layer in model.layers)
    require(type(weights) is int and 0 < weights <= everything,
            f"weights must be a whole number, 1 to {everything}; got {weights!r}")
    check_wholes("levels", levels)
    require(len(levels) == len(model.layers) and max(levels) <= MOST_LEVELS,
            f"levels must be one number up to {MOST_LEVELS} for each of {len(model.layers)} "
            f"layers; got {levels}")
    require(0 < as_number(bias_step) < math.inf, f"bias_step must be above 0; got {bias_step!r}")
    require(all(part.isfinite().all() for part in model.parameters()),
            "weights and biases must be finite numbers; one of them is NaN or infinite")
    network = [(layer.weight.detach(), layer.bias.detach()) for layer in model.layers]
    inputs = [digits.inputs, *(value.detach() for value in model.activations(digits.inputs)[:-1])]
    scores = [w.abs() * x.square().mean(0).sqrt()
              for (w, _), x in zip(network, inputs, strict=True)]
    masks = keep_best(scores, [torch.ones_like(w, dtype=torch.bool) for w, _ in network], weights)
    require(all(mask.any() for mask in masks),
            f"a layer has no weights left; weights must be more than {weights}")
    network = [(w * m, b + (w * ~m) @ x.mean(0))
               for (w, b), m, x in zip(network, masks, inputs, strict=True)]
    grid = choose_grid(network, masks, digits.inputs, levels, bias_step)
    with torch.no_grad():
        network = grid.rounded(*zip(*network, strict=True), masks)
    return integers(network, masks, grid, model.widths)

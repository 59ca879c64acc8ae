"""From a dense network to under a kilobyte: the steps, each a small function, and their sum.

A network here is a list of (weight, bias) pairs, one a layer: weight (out, in), bias (out,), both
float32, with ReLU between layers. Its inputs are rows of pixels in 0..1. What is random comes from
one generator, so a seed gives the same network again on the same machine; long training amplifies
the last bit of a sum, so another processor gives another network, about as good.
"""

import math
from dataclasses import dataclass, fields
from itertools import pairwise

import torch
from torch.nn import functional as F

from .data import SIDE, as_number
from .quantization import IntegerClassifier, IntegerLayer

PIXELS, CLASSES = SIDE * SIDE, 10
PART = 2000  # pictures that are distorted at a time
SHORT_BITS = 7  # of the multipliers and scales in a small file: two bytes each
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


@dataclass(frozen=True)
class Lesson:
    """What students learn from: rows uint8 (copies * n, in), labels int64 (n,), the teacher's
    logits for each row float32 (copies * n, 10), and the teacher, a network."""

    rows: torch.Tensor
    labels: torch.Tensor
    soft: torch.Tensor
    teacher: list

    def loss(self, network, index, scales=None):
        """The distillation loss of a network on the rows of that index."""
        out = logits(network, self.rows[index] / 255, scales)
        return distillation_loss(out, self.soft[index], self.labels[index % len(self.labels)])


def require(condition, problem):
    """Raise ValueError(problem) unless condition holds."""
    if not condition:
        raise ValueError(problem)


def check_wholes(name, values):
    """ValueError unless `values` is a tuple of whole numbers, 1 or more."""
    fine = isinstance(values, tuple) and values and all(type(v) is int and v > 0 for v in values)
    require(fine, f"{name} must be a tuple of whole numbers, 1 or more; got {values!r}")


def check_count(name, value, least=1):
    """ValueError unless `value` is a whole number, `least` or more."""
    require(type(value) is int and value >= least,
            f"{name} must be a whole number, {least} or more; got {value!r}")


def distort(images, generator, strength=1.0):
    """Images (n, side, side) in 0..1 -> as many, each turned, stretched, sheared, moved and bent.

    Affine and elastic distortions after Simard, Steinkraus & Platt (2003). Strength 1 turns by at
    most 8 degrees, scales and shears by at most 8 %, moves by at most 1 pixel and bends by 0.8
    pixels (standard deviation). Strength 0 changes nothing.
    """
    n, side, _ = images.shape
    chance = 2 * torch.rand(6, n, generator=generator) - 1
    angle, shear, wide, high, right, down = strength * chance
    cos, sin = (angle * math.radians(8)).cos(), (angle * math.radians(8)).sin()
    wide, high, shear, pixel = 1 + 0.08 * wide, 1 + 0.08 * high, 0.08 * shear, 2 / side
    rows = [[cos * wide, shear - sin * high, right * pixel], [sin * wide, cos * high, down * pixel]]
    affine = torch.stack([torch.stack(row, 1) for row in rows], 1)
    bend = torch.randn(n, 2, 6, 6, generator=generator) * 0.8 * strength * pixel
    bend = F.interpolate(bend, size=(side, side), mode="bicubic").permute(0, 2, 3, 1)
    grid = F.affine_grid(affine, (n, 1, side, side), align_corners=False) + bend
    return F.grid_sample(images[:, None], grid, align_corners=False)[:, 0]


def tie_pixels(images):
    """Images (n, 28, 28) -> (n, 14, 14), means of 2x2 blocks: all that tied weights can see."""
    return F.avg_pool2d(images[:, None], 2)[:, 0]


def distorted_copies(images, copies, tie, generator, strength=1.0):
    """uint8 (n, 28, 28) -> uint8 (copies * n, 784 or 196); the first copy is the original."""
    rows = []
    for copy in range(copies):
        for part in images.split(PART):
            part = part / 255
            part = distort(part, generator, strength) if copy else part
            part = tie_pixels(part) if tie else part
            rows.append((part * 255).round().to(torch.uint8).flatten(1))
    return torch.cat(rows)


def random_network(widths, generator):
    """Widths -> network with the initial weights of He, Zhang, Ren & Sun (2015), biases zero."""
    return [(torch.randn(units, inputs, generator=generator) * math.sqrt(2 / inputs),
             torch.zeros(units)) for inputs, units in pairwise(widths)]


def logits(network, rows, scales=None, drop=None):
    """Rows (n, in) -> (n, 10).

    scales: one a hidden layer; its outputs are rounded to 0..255 times the scale, as the integer
    network has them. drop: a function on hidden rows, for training.
    """
    *hidden, (weight, bias) = network
    for place, (w, b) in enumerate(hidden):
        rows = F.relu(F.linear(rows, w, b))
        if scales:
            rows = through(rows, (rows / scales[place]).round().clamp(max=255) * scales[place])
        rows = drop(rows) if drop else rows
    return F.linear(rows, weight, bias)


def through(smooth, stepped):
    """The value of `stepped`, the gradient of `smooth`: straight-through (Bengio et al. 2013)."""
    return smooth + (stepped - smooth).detach()


def batches(rows, size, steps, generator):
    """`steps` index batches (size,) out of `rows` positions; each pass has a new order."""
    done = 0
    while True:
        for index in torch.randperm(rows, generator=generator).split(size):
            if done == steps:
                return
            yield index
            done += 1


def cubic_sparsity(progress, final):
    """Progress 0..1 -> sparsity 0..final, fast at first and slow at last (Zhu & Gupta 2017)."""
    return final * (1 - (1 - min(max(progress, 0.0), 1.0)) ** 3)


def distillation_loss(student, teacher, labels, temperature=2.0, share=0.5):
    """Logits (n, 10) twice and labels (n,) -> loss (Hinton, Vinyals & Dean 2015).

    The soft part, the teacher's probabilities at `temperature`, counts `share`; labels the rest.
    """
    soft = F.kl_div((student / temperature).log_softmax(1), (teacher / temperature).softmax(1),
                    reduction="batchmean")
    return (1 - share) * F.cross_entropy(student, labels) + share * temperature**2 * soft


def train_teacher(rows, labels, widths, steps, batch, generator, rate=3e-3, dropout=0.3):
    """uint8 rows (copies * n, in), labels (n,) -> a dense network.

    AdamW (Loshchilov & Hutter 2019) with one cycle of the rate, and dropout on hidden units.
    """
    def drop(values):
        keep = torch.empty_like(values).bernoulli_(1 - dropout, generator=generator)
        return values * keep / (1 - dropout)

    network = random_network(widths, generator)
    parameters = [part.requires_grad_() for layer in network for part in layer]
    adam = torch.optim.AdamW(parameters, lr=rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, rate, total_steps=steps, pct_start=0.1)
    for index in batches(len(rows), batch, steps, generator):
        adam.zero_grad()
        out = logits(network, rows[index] / 255, drop=drop)
        F.cross_entropy(out, labels[index % len(labels)]).backward()
        adam.step()
        schedule.step()
    return [(w.detach(), b.detach()) for w, b in network]


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


def trainable(network):
    """Copies of a network's weights and biases, two lists of tensors that want gradients."""
    return [[part.clone().requires_grad_() for part in parts]
            for parts in zip(*network, strict=True)]


def hold(weights, masks):
    """Set weights to zero where a mask is False, in place."""
    with torch.no_grad():
        for weight, mask in zip(weights, masks, strict=True):
            weight.mul_(mask)


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


def share_magnitudes(weight, mask, levels, rounds=30):
    """Weights where mask is True -> `levels` magnitudes (levels,), ascending.

    One-dimensional k-means of |w|, as in Deep Compression (Han, Mao & Dally 2016).
    """
    values = weight[mask].abs()
    centers = torch.quantile(values, (torch.arange(levels) + 0.5) / levels)
    for _ in range(rounds):
        nearest = (values[:, None] - centers).abs().argmin(1)
        total = torch.zeros(levels).index_add(0, nearest, values)
        count = torch.bincount(nearest, minlength=levels)
        centers = torch.where(count > 0, total / count.clamp(min=1), centers)
    return centers.sort().values


def to_codebook(weight, mask, code):
    """Weight (out, in) -> the nearest of the magnitudes in code (levels,) with its sign.

    0 where mask is False. Gradients pass the choice straight through, to weight and to code.
    """
    nearest = (weight.detach().abs()[..., None] - code.detach()).abs().argmin(-1)
    return through(weight * mask, 0) + code[nearest] * weight.detach().sign() * mask


def hidden_scales(network, rows):
    """Rows (n, in) in 0..1 -> what 1 means in each layer's input: 1/255, then largest / 255."""
    scales = [1 / 255]
    for weight, bias in network[:-1]:
        rows = F.relu(F.linear(rows, weight, bias))
        scales.append(max(float(rows.max()), 1e-6) / 255)
    return scales


@dataclass(frozen=True)
class Grid:
    """Where rounded numbers may lie: for each layer its codebook (levels,), the scale of its input,
    and k, so that its biases are multiples of 2**k times the scale of its sums."""

    codes: list
    scales: list
    twos: list

    def unit(self, place):
        """What weight 1 means in that layer: the largest magnitude becomes 127."""
        return self.codes[place].max().item() / 127

    def step(self, place):
        """What the biases of that layer are multiples of."""
        return self.unit(place) * self.scales[place] * 2 ** self.twos[place]

    def rounded(self, weights, biases, masks):
        """The network on this grid; gradients pass straight through."""
        return [(to_codebook(w, m, code), through(b, (b / self.step(i)).round() * self.step(i)))
                for i, (w, b, m, code) in enumerate(
                    zip(weights, biases, masks, self.codes, strict=True))]


def choose_grid(network, masks, rows, levels, bias_step):
    """Network, masks and calibration rows (n, in) in 0..1 -> the Grid it is rounded to."""
    codes = [share_magnitudes(w, m, n) for (w, _), m, n in zip(network, masks, levels, strict=True)]
    grid = Grid(codes, hidden_scales(network, rows), [0] * len(network))
    twos = [max(0, round(math.log2(bias_step / grid.step(i)))) for i in range(len(network))]
    return Grid(codes, grid.scales, twos)


def quantization_aware_train(network, masks, loss, rows, recipe, generator):
    """Train with the rounding in place, codebooks too: network -> network on a Grid, and the Grid.

    Forward passes see shared magnitudes, biases in steps and hidden values in 0..255.
    """
    weights, biases = trainable(network)
    grid = choose_grid(network, masks, rows[: 10 * recipe.batch] / 255, recipe.levels,
                       recipe.bias_step)
    codes = [code.requires_grad_() for code in grid.codes]
    adam = torch.optim.Adam([{"params": weights + biases}, {"params": codes}], fused=True)
    order = batches(len(rows), recipe.batch, recipe.quantize_steps, generator)
    for step, index in enumerate(order):
        cosine = (1 + math.cos(math.pi * step / recipe.quantize_steps)) / 2
        for group, share in zip(adam.param_groups, (1 / 2, 1 / 6), strict=True):
            group["lr"] = recipe.rate * share * cosine
        adam.zero_grad()
        loss(grid.rounded(weights, biases, masks), index, grid.scales[1:]).backward()
        adam.step()
    with torch.no_grad():
        rounded = grid.rounded(weights, biases, masks)
    return rounded, Grid([code.detach() for code in codes], grid.scales, grid.twos)


def short_fraction(value, bits=SHORT_BITS):
    """Positive float -> integers m below 2**bits and s with value close to m / 2**s."""
    shift = bits - math.frexp(value)[1]
    return min(round(value * 2**shift), 2**bits - 1), shift


def embed(tensor, *shape):
    """A tensor in the corner of zeros of a larger shape, of the same dtype."""
    whole = torch.zeros(shape, dtype=tensor.dtype)
    whole[tuple(slice(size) for size in tensor.shape)] = tensor
    return whole


def spread_pixels(weight):
    """Weight (out, 196) for 2x2 blocks -> (out, 784): each weight goes to its four pixels."""
    side = math.isqrt(weight.shape[1])
    grid = weight.view(-1, side, side)
    return grid.repeat_interleave(2, 1).repeat_interleave(2, 2).flatten(1)


def integers(network, masks, grid, widths):
    """Network on a Grid -> IntegerClassifier of these widths; units beyond the network's are zero.

    Scales and multipliers are shortened to SHORT_BITS; what a multiplier loses goes into the scale
    of the next layer's input, so the logits keep their meaning.
    """
    layers, scale_in = [], grid.scales[0]
    for place, (weight, bias) in enumerate(network):
        last, unit = place == len(network) - 1, grid.unit(place)
        whole = (weight / unit).round().to(torch.int8)
        alive = masks[place].any(1) | last
        bias = ((bias / grid.step(place)).round() * alive).to(torch.int32) << grid.twos[place]
        if place == 0 and 4 * whole.shape[1] == widths[0]:  # four pixels add up, not their mean
            whole, bias, unit = spread_pixels(whole), bias << 2, unit / 4
        number, shift = short_fraction(unit)
        unit, rescale = number / 2**shift, ()
        if not last:
            number, shift = short_fraction(unit * scale_in / grid.scales[place + 1])
            scale_in = unit * scale_in * 2**shift / number
            rescale = torch.tensor(number), torch.tensor(shift)
        layers.append(IntegerLayer(embed(whole, widths[place + 1], widths[place]),
                                   embed(bias, widths[place + 1]), torch.tensor(unit), *rescale))
    return IntegerClassifier(layers)


def teach(digits, recipe, seed=0):
    """Training Digits -> Lesson: distorted copies, a dense teacher, what it says about each row.

    ValueError if there are no digits.
    """
    require(len(digits) > 0, "need at least one digit to learn from; got 0")
    generator = torch.Generator().manual_seed(seed)
    rows = distorted_copies(digits.images, recipe.copies, recipe.tie, generator, recipe.distortion)
    widths = (recipe.inputs, *recipe.teacher, CLASSES)
    teacher = train_teacher(rows, digits.labels, widths, recipe.teacher_steps, recipe.batch,
                            generator)
    with torch.no_grad():
        soft = torch.cat([logits(teacher, part / 255) for part in rows.split(5 * PART)])
    return Lesson(rows, digits.labels, soft, teacher)


def compress(lesson, recipe, seed=0):
    """Lesson -> IntegerClassifier of recipe.widths, small once packed: train, prune, share, round.

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
    """DigitClassifier -> IntegerClassifier with that many weights and shared magnitudes, untrained.

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
    inputs = [digits.rows, *(value.detach() for value in model.activations(digits.rows)[:-1])]
    scores = [w.abs() * x.square().mean(0).sqrt()
              for (w, _), x in zip(network, inputs, strict=True)]
    masks = keep_best(scores, [torch.ones_like(w, dtype=torch.bool) for w, _ in network], weights)
    require(all(mask.any() for mask in masks),
            f"a layer has no weights left; weights must be more than {weights}")
    network = [(w * m, b + (w * ~m) @ x.mean(0))
               for (w, b), m, x in zip(network, masks, inputs, strict=True)]
    grid = choose_grid(network, masks, digits.rows, levels, bias_step)
    with torch.no_grad():
        network = grid.rounded(*zip(*network, strict=True), masks)
    return integers(network, masks, grid, model.widths)

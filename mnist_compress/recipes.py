"""From a dense network to under a kilobyte: the steps, each a small function, and their sum.

A network here is a list of (weight, bias) pairs, one a layer: weight (out, in), bias (out,), ReLU
between layers. Inputs are rows of pixels in 0..1. Everything random comes from one generator, so a
seed gives the same network again on the same machine.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from .packed_format import PackedLayer, PackedNetwork, spread_2x2


@dataclass(frozen=True)
class Recipe:
    """What `compress` needs to know; steps are optimizer steps."""

    widths: tuple = (784, 128, 10)  # of the network that the file holds
    units: tuple = (32,)  # hidden units that may live; the others are zero from the start
    weights: int = 600  # weights that survive, over all layers
    levels: tuple = (2, 3)  # magnitudes in the codebook of each layer
    tie: bool = True  # 2x2 blocks of pixels share a weight
    copies: int = 60  # distorted copies of the training rows
    distortion: float = 1.5  # strength of the distortions
    teacher: tuple = (400,)  # hidden units of the dense teacher
    teacher_steps: int = 3000
    dense_steps: int = 600
    prune_steps: int = 4000
    quantize_steps: int = 2000
    batch: int = 250
    rate: float = 6e-3  # Adam's learning rate while pruning; half of it while quantizing
    thrift: float = 0.5  # how much a weight's bits count when it is judged; 0: magnitude alone
    later: float = 0.7  # factor on the magnitudes of all layers but the first when judged
    fisher: float = 0.0
    lb: bool = False
    every: int = 20
    bias_step: float = 0.25  # biases are about multiples of this


def distort(images, generator, strength=1.0):
    """Images (n, 28, 28) in 0..1 -> as many, each turned, stretched, sheared, moved and bent.

    Affine and elastic distortions after Simard et al. 2003; strength 1 turns by at most 8 degrees,
    scales and shears by 8 %, moves by 1 pixel and bends by 0.8 pixels.
    """
    n, side, _ = images.shape
    angle, shear, wide, high, right, down = strength * (
        2 * torch.rand(6, n, generator=generator) - 1
    )
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


def distorted_copies(images, copies, tie, generator, strength):
    """uint8 (n, 28, 28) -> uint8 (copies * n, pixels); the first copy is the original."""
    rows = []
    for copy in range(copies):
        for part in images.split(2000):
            part = part / 255
            part = distort(part, generator, strength) if copy else part
            part = tie_pixels(part) if tie else part
            rows.append((part * 255).round().to(torch.uint8).flatten(1))
    return torch.cat(rows)


def random_network(widths, generator):
    """Widths -> network with He's initial weights (2015) and zero biases."""
    return [
        (torch.randn(o, i, generator=generator) * math.sqrt(2 / i), torch.zeros(o))
        for i, o in zip(widths, widths[1:], strict=False)
    ]


def logits(network, rows, dropout=0.0, scales=None):
    """Rows (n, in) -> (n, 10); with scales, one a hidden layer, hidden values become 0..255."""
    *hidden, (weight, bias) = network
    for layer, (w, b) in enumerate(hidden):
        rows = F.relu(F.linear(rows, w, b))
        if scales:
            rows = through(rows, (rows / scales[layer]).round().clamp(max=255) * scales[layer])
        rows = F.dropout(rows, dropout) if dropout else rows
    return F.linear(rows, weight, bias)


def through(smooth, stepped):
    """The value of `stepped` with the gradient of `smooth`: straight-through (Bengio et al. 2013)."""
    return smooth + (stepped - smooth).detach()


def batches(rows, size, generator):
    """Endless index batches of `size` rows, each pass in a new order."""
    while True:
        yield from torch.randperm(rows, generator=generator).split(size)


def cubic_sparsity(progress, final):
    """Progress 0..1 -> sparsity 0..final, fast at first and slow at last (Zhu & Gupta 2017)."""
    return final * (1 - (1 - min(max(progress, 0.0), 1.0)) ** 3)


def distillation_loss(student, teacher, labels, temperature=2.0, share=0.5):
    """Logits (n, 10) twice and labels (n,) -> loss (Hinton, Vinyals & Dean 2015).

    The soft part, the teacher's probabilities at `temperature`, counts `share`; labels the rest.
    """
    soft = F.kl_div(
        (student / temperature).log_softmax(1), (teacher / temperature).softmax(1),
        reduction="batchmean",
    )
    return (1 - share) * F.cross_entropy(student, labels) + share * temperature**2 * soft


def train_teacher(rows, labels, widths, steps, batch, generator, rate=3e-3):
    """uint8 rows (copies * n, in), labels (n,) -> dense network, trained with 30 % dropout."""
    network = random_network(widths, generator)
    parameters = [part.requires_grad_() for layer in network for part in layer]
    adam = torch.optim.AdamW(parameters, lr=rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, rate, total_steps=steps, pct_start=0.1)
    for _, index in zip(range(steps), batches(len(rows), batch, generator), strict=False):
        out = logits(network, rows[index] / 255, dropout=0.3)
        adam.zero_grad()
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


def choose_masks(weights, masks, keep, thrift=0.0, later=1.0, slopes=None, fisher=0.0, lb=False):
    """Keep the `keep` weights of largest magnitude over all layers, among those that live.

    With thrift the magnitude of a first-layer weight is divided by bits ** thrift; `later` is a
    factor on those of the other layers. Units without weights in or out lose the rest of them.
    """
    scores = [w.abs() * m for w, m in zip(weights, masks, strict=True)]
    if fisher:
        scores = [x * (v + 1e-12) ** (fisher / 2) for x, v in zip(scores, slopes)]
    if thrift:
        scores[0] = scores[0] / weight_bits(masks[0]) ** thrift
    if lb:
        for i in range(1, len(scores)):
            m = masks[i].float()
            a, b = m[m.any(1)].mean(0), m[:, m.any(0)].mean(1)
            often = (a[None] + b[:, None]) / 2
            scores[i] = scores[i] / (1.2 - torch.log2((often + 0.02) / 1.02)) ** thrift
    scores[1:] = [score * later for score in scores[1:]]
    least = torch.cat([score.flatten() for score in scores]).topk(keep).values[-1]
    masks = [(score >= least) & m for score, m in zip(scores, masks, strict=True)]
    for _ in masks:
        for i in range(len(masks) - 1):
            alive = masks[i].any(1) & masks[i + 1].any(0)
            masks[i], masks[i + 1] = masks[i] & alive[:, None], masks[i + 1] & alive
    return masks


def gradual_prune(network, loss, rows, recipe, generator):
    """Train, then prune a little every 20 steps and train on: network -> network, masks.

    loss(network, index) is the loss on the rows of that index. Pruned weights stay zero.
    """
    weights, biases = ([part.clone().requires_grad_() for part in parts] for parts in zip(*network))
    masks = [torch.ones_like(w, dtype=torch.bool) for w in weights]
    masks[0] &= (rows != 0).any(0)  # a pixel that is never lit needs no weight
    total, steps = sum(int(m.sum()) for m in masks), recipe.dense_steps + recipe.prune_steps
    adam = torch.optim.Adam(weights + biases, lr=recipe.rate, fused=True)
    order = batches(len(rows), recipe.batch, generator)
    for step, index in zip(range(steps), order, strict=False):
        adam.param_groups[0]["lr"] = recipe.rate * min(1, (step + 1) / 50) * (1 - 0.7 * step / steps)
        pruning = step - recipe.dense_steps
        if pruning >= 0 and pruning % recipe.every == 0:
            progress = (pruning + recipe.every) / (0.85 * recipe.prune_steps)
            keep = round(total * (1 - cubic_sparsity(progress, 1 - recipe.weights / total)))
            with torch.no_grad():
                keep = min(keep, sum(int(m.sum()) for m in masks))
                masks = choose_masks(weights, masks, keep, recipe.thrift, recipe.later, [adam.state[w]['exp_avg_sq'] for w in weights] if recipe.fisher else None, recipe.fisher, recipe.lb)
                for w, m in zip(weights, masks, strict=True):
                    w.mul_(m)
        adam.zero_grad()
        loss(list(zip(weights, biases, strict=True)), index).backward()
        for w, m in zip(weights, masks, strict=True):
            w.grad.mul_(m)
        adam.step()
        with torch.no_grad():
            for w, m in zip(weights, masks, strict=True):
                w.mul_(m)
    return [(w.detach(), b.detach()) for w, b in zip(weights, biases, strict=True)], masks


def share_magnitudes(weight, mask, levels, rounds=30):
    """Weights that mask keeps -> `levels` magnitudes, ascending: 1-d k-means (Han et al. 2016)."""
    values = weight[mask].abs()
    centers = torch.quantile(values, (torch.arange(levels) + 0.5) / levels)
    for _ in range(rounds):
        nearest = (values[:, None] - centers).abs().argmin(1)
        total = torch.zeros(levels).index_add(0, nearest, values)
        count = torch.bincount(nearest, minlength=levels)
        centers = torch.where(count > 0, total / count.clamp(min=1), centers)
    return centers.sort().values


def to_codebook(weight, mask, code):
    """Weight (out, in) -> the nearest of code's magnitudes with its sign, 0 where mask is."""
    nearest = (weight.detach().abs()[..., None] - code.detach()).abs().argmin(-1)
    return through(weight * mask, 0) + code[nearest] * weight.detach().sign() * mask


def quantization_aware_train(network, masks, loss, rows, recipe, generator):
    """Train with the rounding in place, codebooks too: network -> integer network.

    Forward passes see shared magnitudes, biases in steps and hidden values in 0..255; gradients
    pass the rounding straight through. Codebook entries become int8 multiples of the layer's scale.
    """
    weights, biases = ([part.clone().requires_grad_() for part in parts] for parts in zip(*network))
    codes = [share_magnitudes(w, m, n).requires_grad_()
             for w, m, n in zip(network_weights(network), masks, recipe.levels, strict=True)]
    scales, hidden = [1 / 255], rows[: 10 * recipe.batch] / 255
    for w, b in network[:-1]:
        hidden = F.relu(F.linear(hidden, w, b))
        scales.append(float(hidden.max()) / 255)
    sums = [s * code.max().item() / 127 for s, code in zip(scales, codes, strict=True)]
    twos = [max(0, round(math.log2(recipe.bias_step / s))) for s in sums]

    def rounded():
        layers = []
        for w, b, m, code, scale, two in zip(weights, biases, masks, codes, scales, twos, strict=True):
            step = code.max().item() / 127 * scale * 2**two
            layers.append((to_codebook(w, m, code), through(b, (b / step).round() * step)))
        return layers

    rates = [recipe.rate / 2, recipe.rate / 6]
    adam = torch.optim.Adam([{"params": weights + biases}, {"params": codes}], fused=True)
    order = batches(len(rows), recipe.batch, generator)
    for step, index in zip(range(recipe.quantize_steps), order, strict=False):
        for group, rate in zip(adam.param_groups, rates, strict=True):
            group["lr"] = rate * (1 + math.cos(math.pi * step / recipe.quantize_steps)) / 2
        adam.zero_grad()
        loss(rounded(), index, scales=scales[1:]).backward()
        adam.step()
    with torch.no_grad():
        return integers(rounded(), masks, codes, scales, twos, recipe)


def network_weights(network):
    return [weight for weight, _ in network]


def short(value, bits=7):
    """Positive float -> integers m below 2**bits and s with value close to m / 2**s."""
    shift = bits - math.frexp(value)[1]
    number = min(round(value * 2**shift), 2**bits - 1)
    return number, shift


def integers(network, masks, codes, scales, twos, recipe):
    """Rounded network, its codebooks and scales -> PackedNetwork of the recipe's widths."""
    layers, scale_in = [], scales[0]
    for i, ((w, b), code, two) in enumerate(zip(network, codes, twos, strict=True)):
        unit = code.max().item() / 127
        step = unit * scales[i] * 2**two
        alive = masks[i].any(1) if i < len(network) - 1 else torch.ones(len(b), dtype=torch.bool)
        weight = np.zeros((recipe.widths[i + 1], recipe.widths[i] // (4 if recipe.tie and not i else 1)), np.int8)
        bias = np.zeros(recipe.widths[i + 1], np.int32)
        weight[: len(b), : w.shape[1]] = (w / unit).round().to(torch.int8).numpy()
        bias[: len(b)] = ((b / step).round() * alive).to(torch.int32).numpy() << two
        if recipe.tie and i == 0:
            weight, unit = spread_2x2(weight), unit / 4
            bias <<= 2
        number, shift = short(unit)
        unit = number / 2**shift
        hidden = []
        if i < len(network) - 1:
            number, shift = short(unit * scale_in / scales[i + 1])
            scale_in = unit * scale_in * 2**shift / number
            hidden = [np.array(number, np.int32), np.array(shift, np.int32)]
        layers.append(PackedLayer(weight, bias, np.array(unit, np.float32), *hidden))
    return PackedNetwork(layers)


def teach(images, labels, recipe, seed):
    generator = torch.Generator().manual_seed(seed)
    rows = distorted_copies(images, recipe.copies, recipe.tie, generator, recipe.distortion)
    widths = (rows.shape[1], *recipe.teacher, 10)
    teacher = train_teacher(rows, labels, widths, recipe.teacher_steps, recipe.batch, generator)
    with torch.no_grad():
        soft = torch.cat([logits(teacher, part / 255) for part in rows.split(10000)])
    return rows, labels, soft, teacher


def compress(lesson, recipe, seed, report=None):
    generator = torch.Generator().manual_seed(seed + 1000)
    rows, labels, soft, teacher = lesson

    def loss(network, index, **how):
        out = logits(network, rows[index] / 255, **how)
        return distillation_loss(out, soft[index], labels[index % len(labels)])

    student = random_network((rows.shape[1], *recipe.units, 10), generator)
    student, masks = gradual_prune(student, loss, rows, recipe, generator)
    for stage, network in (("teacher", teacher), ("pruned", student)):
        report and report(stage, network)
    return quantization_aware_train(student, masks, loss, rows, recipe, generator)

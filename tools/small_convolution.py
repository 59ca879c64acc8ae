"""The smallest file of all: a small convolution learns in float, then to live with rounding.

A wide window looks at the picture; then, three times, each channel is filtered alone and 1 x 1
windows mix the channels (Howard et al. 2017, "MobileNets"); the last layer adds up over the
picture. Between layers run bytes, of which `_ONE` mean 1. While there is batch normalization (Ioffe
& Szegedy 2015), the size of a channel's weights does not matter: few steps of the grid, few bits.
"""

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mnist_compress.compress import Lesson, augmented_copies, batches, distillation_loss
from mnist_compress.data import SIDE, Digits
from mnist_compress.integer import IntegerConvolution, IntegerNetwork, as_fraction

_ONE = 32
_TEACHER_RATE = 1e-2
_BITS = 4  # of a channel's multiplier


@dataclass(frozen=True)
class Recipe:
    """All settings. Epochs are of as many digits as there are, not of all copies; rates are Adam's,
    at first."""

    channels: tuple[int, ...] = (8, 20, 28, 28)  # of the first window and of the three mixtures
    windows: float = 2.15  # root mean square of the weights of all windows above 1 x 1, in steps
    mixtures: float = 1.43  # of the weights that mix channels
    answers: float = 1.6  # of the last layer's
    most: int = 31  # no weight is more steps
    copies: int = 8  # of the training digits, all but the first augmented
    clean: float = 0.5  # share of a batch from the first copy alone
    augmentation: float = 1.0
    batch: int = 256
    teacher_epochs: int = 12
    float_epochs: int = 28
    float_rate: float = 1.2e-2
    rounding_epochs: int = 20  # with batch normalization still in place
    rounding_rate: float = 8e-3
    settling_epochs: int = 5  # once that is folded
    settling_rate: float = 1e-3
    pull: float = 0.01  # of the way to the grid, at last, that a weight goes back in each step


def picture(inputs: Tensor) -> Tensor:
    """uint8 (n, 784) -> float32 (n, 1, 28, 28), channels last in memory: that is faster here."""
    return inputs.view(-1, 1, SIDE, SIDE).float().to(memory_format=torch.channels_last)


class _Bytes(torch.autograd.Function):
    """Rounds to whole numbers 0..255, halves up; gradients pass where nothing was cut off."""

    @staticmethod
    def forward(ctx, values):
        found = (values + 0.5).floor_().clamp_(0, 255)
        ctx.save_for_backward(found)
        return found

    @staticmethod
    def backward(ctx, slope):
        return torch.ops.aten.hardtanh_backward(slope, *ctx.saved_tensors, 0.0, 255.0)


class _Layer(nn.Module):
    """A convolution. kind: "hidden" is rescaled to bytes, "linear" is not, "last" answers."""

    def __init__(self, inputs, outputs, rms, most, kernel=1, stride=1, groups=1, pool=1,
                 kind="hidden"):
        super().__init__()
        weight = torch.randn(outputs, inputs // groups, kernel, kernel)
        self.weight = nn.Parameter(weight.to(memory_format=torch.channels_last))
        self.kind, self.stride, self.groups, self.pool = kind, stride, groups, pool
        self.rms, self.most = rms, most
        self.norm = nn.BatchNorm2d(outputs) if kind == "hidden" else None
        if kind == "last":
            self.bias = nn.Parameter(torch.zeros(outputs))
            self.gain = nn.Parameter(torch.tensor(0.0))
        self.folded = False

    def _square(self):
        """Mean square of each channel's weights, or of all of the last layer's."""
        over = (1, 2, 3) if self.kind == "hidden" else (0, 1, 2, 3)
        return self.weight.square().mean(over, keepdim=True)

    def steps(self):
        """The weights in steps of the grid, not yet rounded."""
        return self.weight if self.folded else self.rms * self.weight * self._square().rsqrt()

    def rounded(self, share=1.0):
        """Weights that went this share of the way to the nearest whole number."""
        weight = self.steps()
        return weight + share * (self._grid(weight) - weight.detach()) if share else weight

    def _grid(self, weight):
        """The nearest whole numbers."""
        return weight.detach().round().clamp(-self.most, self.most)

    @torch.no_grad()
    def pull(self, share):
        """Weights go this share of the way to the grid; without it, they oscillate about the middle
        between two of its steps (Nagel et al. 2022, "Overcoming Oscillations in
        Quantization-Aware Training")."""
        step = 1 if self.folded else self._square().sqrt() / self.rms
        self.weight.lerp_(self._grid(self.steps()) * step, share)

    def whole_bias(self):
        """The bias as a number of steps of 2**power in the accumulator."""
        exact = self.bias * _ONE / (self.multiplier * self.step)
        return exact + (exact.round() - exact).detach()

    def forward(self, values, share):
        total = F.conv2d(values, self.rounded(share), None, self.stride, self.weight.shape[2] // 2,
                         1, self.groups)
        if self.kind == "linear":
            return total
        if self.folded:
            values = total * self.multiplier + self.multiplier * self.step * self.whole_bias()
        else:
            values = self.norm(total) * _ONE
        values = _Bytes.apply(values) if share else F.hardtanh(values, 0.0, 255.0)
        return F.max_pool2d(values, self.pool) if self.pool > 1 else values

    def answer(self, values, share):
        """What the last layer says: added up over the picture."""
        total = F.linear(values.float().sum((2, 3)), self.rounded(share).flatten(1))
        return total * (self.gain.exp() / (_ONE * 49)) + self.bias

    @torch.no_grad()
    def fold(self):
        """Batch normalization becomes a multiplier m / 2**s, m of `_BITS` bits, and a bias.

        The weights stay where rounding put them; of the multiplier's error the bias makes good what
        concerns the mean.
        """
        weight = self.steps().clone()
        if self.norm:
            norm = self.norm
            exact = norm.weight * _ONE / (norm.running_var + norm.eps).sqrt()
            sign, size = exact.sign(), exact.abs().clamp(min=1e-3)
            weight *= sign[:, None, None, None]
            power = 2 ** (size.log2().floor() - _BITS + 1)
            multiplier = (size / power).round().clamp(2 ** (_BITS - 1), 2**_BITS) * power
            bias = norm.bias - norm.running_mean * sign * multiplier / _ONE
            self.bias = nn.Parameter(bias.view(1, -1, 1, 1))
            self.multiplier = multiplier.view(1, -1, 1, 1)
            self.step = 2.0 ** max(0, round(math.log2(2 / multiplier.median().item())))
            self.norm = None
        self.weight = nn.Parameter(weight.to(memory_format=torch.channels_last))
        self.folded = True


class _SmallConvolution(nn.Module):
    """The network in training. Call it with pictures and how far rounding has come, 0 to 1."""

    def __init__(self, recipe: Recipe):
        super().__init__()
        window, mixture = (recipe.windows, recipe.most), (recipe.mixtures, recipe.most)
        first = recipe.channels[0]
        layers = [_Layer(1, first, *window, 5, 2)]
        for place, channels in enumerate(recipe.channels[1:]):
            before = recipe.channels[place]
            layers.append(_Layer(before, before, *window, 3, groups=before, kind="linear"))
            layers.append(_Layer(before, channels, *mixture, pool=2 if place == 0 else 1))
        layers.append(_Layer(recipe.channels[-1], 10, recipe.answers, recipe.most, kind="last"))
        self.layers = nn.ModuleList(layers)

    def forward(self, values: Tensor, share: float) -> Tensor:
        """Pictures (n, 1, 28, 28) of 0..255 -> logits (n, 10)."""
        for layer in self.layers[:-1]:
            values = layer(values, share)
        return self.layers[-1].answer(values, share)

    @torch.no_grad()
    def fold(self, inputs: Tensor, batches) -> None:
        """Measure anew, on the inputs of these batches, what batch normalization needs; fold it."""
        for layer in self.layers:
            if layer.norm:
                layer.norm.reset_running_stats()
                layer.norm.momentum = None  # the mean over all that follow
        for index in batches:
            self(picture(inputs[index]), 1.0)
        for layer in self.layers:
            layer.fold()

    def adam(self) -> torch.optim.Adam:
        """An optimizer for what is folded; weights of more steps move further."""
        others = [layer.bias for layer in self.layers if hasattr(layer, "bias")]
        groups = [{"params": [layer.weight], "share": layer.rms} for layer in self.layers]
        return torch.optim.Adam([*groups, {"params": [*others, self.layers[-1].gain]}], 1.0,
                                fused=True)


@torch.inference_mode(False)
def teach(digits: Digits, recipe: Recipe, seed: int = 0) -> Lesson:
    """Training digits -> Lesson: augmented copies, and what a larger convolution says of each."""
    generator = torch.Generator().manual_seed(seed)
    inputs = augmented_copies(digits.images, recipe.copies, False, generator, recipe.augmentation)
    steps = max(2, recipe.teacher_epochs * len(digits) // recipe.batch)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        teacher = _teacher()
    adam = torch.optim.AdamW(teacher.parameters(), lr=_TEACHER_RATE)
    cycle = torch.optim.lr_scheduler.OneCycleLR(adam, _TEACHER_RATE, total_steps=steps,
                                                pct_start=0.1)
    half = torch.autocast("cpu", torch.bfloat16)
    for index in batches(len(inputs), recipe.batch, steps, generator):
        adam.zero_grad()
        with half:
            answers = teacher(picture(inputs[index]) / 255)
        F.cross_entropy(answers.float(), digits.labels[index % len(digits)]).backward()
        adam.step()
        cycle.step()
    teacher.eval()
    with torch.no_grad(), half:
        soft = [teacher(picture(part) / 255).float() for part in inputs.split(1000)]
    return Lesson(inputs, digits.labels, torch.cat(soft))


def _teacher():
    def block(inputs, outputs, kernel, stride=1):
        return (nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
                nn.BatchNorm2d(outputs), nn.ReLU())

    return nn.Sequential(
        *block(1, 16, 5, 2), *block(16, 32, 3), nn.MaxPool2d(2), *block(32, 64, 3),
        *block(64, 64, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    ).to(memory_format=torch.channels_last)


@torch.inference_mode(False)
def compress(lesson: Lesson, recipe: Recipe, seed: int = 0) -> IntegerNetwork:
    """Lesson -> IntegerNetwork of convolutions, small once packed: train, round, fold, settle.

    While batch normalization is in place, each channel finds its own step of the grid.
    """
    generators = [torch.Generator().manual_seed(seed + more) for more in (1000, 2000)]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = _SmallConvolution(recipe)
    learn = partial(_learn, network, lesson, recipe)
    rate, pull = recipe.float_rate, recipe.pull
    learn(torch.optim.Adam(network.parameters(), fused=True), generators[0], recipe.float_epochs,
          lambda done: rate * (0.15 + 0.85 * _cosine(done)), warm=200)
    rate = recipe.rounding_rate
    learn(torch.optim.Adam(network.parameters(), fused=True), generators[1], recipe.rounding_epochs,
          lambda done: rate * (0.05 + 0.95 * _cosine(done)),
          share=lambda done: min(1, done / 0.15), pull=lambda done: pull * done**2)
    some = torch.randperm(len(lesson.inputs), generator=generators[1]).split(recipe.batch)[:60]
    network.fold(lesson.inputs, (_clean(index, lesson, recipe) for index in some))
    learn(network.adam(), generators[1], recipe.settling_epochs,
          lambda done: recipe.settling_rate * _cosine(done), share=lambda done: 1,
          pull=lambda done: pull * (0.3 + 0.7 * done), warm=100, exact=0.5)
    return _integer_convolutions(network)


def _cosine(done):
    return (1 + math.cos(math.pi * done)) / 2


def _clean(index, lesson, recipe):
    """Some of the positions are of the digits as they are, not of augmented copies."""
    index[:int(len(index) * recipe.clean)] %= len(lesson.labels)
    return index


def _learn(network, lesson, recipe, adam, generator, epochs, rate, share=lambda done: 0, pull=None,
           warm=1, exact=1):
    """One phase. rate, share (of the way to the grid) and pull are functions of how much of it is
    done; from `exact` on without bfloat16."""
    steps = max(1, epochs * len(lesson.labels) // recipe.batch)
    for step, index in enumerate(batches(len(lesson.inputs), recipe.batch, steps, generator)):
        done, index = step / steps, _clean(index, lesson, recipe)
        for group in adam.param_groups:
            group["lr"] = rate(done) * min(1, (step + 1) / warm) * group.get("share", 1)
        adam.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=done < exact):
            answers = network(picture(lesson.inputs[index]), share(done))
        labels = lesson.labels[index % len(lesson.labels)]
        distillation_loss(answers.float(), lesson.soft[index], labels).backward()
        adam.step()
        for layer in network.layers if pull else ():
            layer.pull(pull(done))


@torch.no_grad()
def _integer_convolutions(network: _SmallConvolution) -> IntegerNetwork:
    """A folded network -> the same in integers: on any digit, the answers of both agree."""
    layers: list[IntegerConvolution] = []
    side = SIDE
    for layer in network.layers:
        weight = layer.rounded().round().to(torch.int8).contiguous().numpy()
        bias, scale, rescale = np.zeros(len(weight), np.int32), np.array(1, np.float32), []
        if layer.kind == "hidden":
            bias = (layer.whole_bias() * layer.step).flatten().numpy().astype(np.int32)
            pairs = [as_fraction(each, _BITS) for each in layer.multiplier.flatten().tolist()]
            rescale = [np.array(part, np.int32) for part in zip(*pairs, strict=True)]
            scale = (rescale[0] / 2.0 ** rescale[1]).astype(np.float32)
        elif layer.kind == "last":
            unit = layer.gain.exp().item() / (_ONE * 49)
            number, shift = as_fraction(unit * 255, 7)  # 1 means 1 / 255 in what it reads
            scale = np.array(number / 2**shift, np.float32)
            step = 2.0 ** max(0, round(math.log2(0.05 / unit)))
            bias = ((layer.bias / unit / step).round() * step).numpy().astype(np.int32)
        most = layers[-1].bound if layers and layers[-1].shift is None else 255
        pool = 0 if layer.kind == "last" else layer.pool
        layers.append(IntegerConvolution(weight, bias, scale, *(rescale or [None, None]), side,
                                         layer.stride, layer.groups, pool, most))
        side = layers[-1].out_side
    return IntegerNetwork(_sorted(layers))


def _sorted(layers):
    """Channels in order of their biases; the depthwise layers behind them take the same order."""
    layers = [replace(layer) for layer in layers]
    for place, layer in enumerate(layers[:-1]):
        readers, order = layers[place + 1:], np.argsort(layer.bias, kind="stable")
        turned = [layer]
        while readers and readers[0].groups == len(readers[0].weight) == len(order) > 1:
            turned.append(readers.pop(0))
        if layer.groups > 1 or not readers or readers[0].groups > 1:
            continue
        for each in turned:
            for name in ("weight", "bias", "scale", "multiplier", "shift"):
                part = getattr(each, name)
                if part is not None and part.ndim:
                    setattr(each, name, part[order])
        readers[0].weight = readers[0].weight[:, order]
    return layers

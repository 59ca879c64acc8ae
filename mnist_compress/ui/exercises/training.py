"""Exercises about data, training, and a network of your own: right functions, and cases to try."""

import torch
from torch.nn import functional as F

from . import Exercise, small_network


def _normalize(pixels):
    return pixels / 255


def _flatten(images):
    return images.reshape(len(images), 784)


def _or_floats(result, *case):
    """What counts: floats are wrong, whatever their numbers."""
    return "floats" if result.is_floating_point() else result


def _pictures(count):
    """Pictures whose pixels are 0, 1, 2 and so on, each beginning at 50 more than the last."""
    start = 50 * torch.arange(count)[:, None, None]
    return ((start + torch.arange(784).view(28, 28)) % 256).to(torch.uint8)


def _accuracy(logits, labels):
    found = logits.argmax(1)
    return (found == labels).float().mean()


def _as_floats(result, *case):
    return result.float() if isinstance(result, torch.Tensor) else result


def _step(model, optimizer, inputs, labels):
    optimizer.zero_grad()
    logits = model(inputs)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    optimizer.step()


class _Descent:
    """Weights move against their gradients; torch's own would load its compiler."""

    def __init__(self, parameters, lr):
        self.weights, self.lr = list(parameters), lr

    def zero_grad(self):
        for weight in self.weights:
            weight.grad = None

    @torch.no_grad()
    def step(self):
        for weight in self.weights:
            if weight.grad is not None:
                weight.sub_(weight.grad, alpha=self.lr)


def _three_steps(step, name, seed):
    """The weights (2, 3) and biases of a small network after three steps with a batch each."""
    generator = torch.Generator().manual_seed(seed)
    model = small_network(generator)
    optimizer = _Descent(model.parameters(), lr=0.5)
    for _ in range(3):
        step(model, optimizer, torch.randn(4, 3, generator=generator), torch.tensor([0, 1, 1, 0]))
    return [parameter.detach() for parameter in model.parameters()]


def _folded(weight, mean, var, gamma, beta):
    scale = gamma / (var + 1e-5).sqrt()
    return weight * scale[:, None, None, None], beta - mean * scale


def _of_parts(folded, name, seed, small):
    """A convolution of 3 channels and its batch norm, one of whose variances is small: the sum of
    each channel's weights, and the biases."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(3, 1, 3, 3, generator=generator).round(decimals=1)
    mean, gamma, beta = torch.randn(3, 3, generator=generator).round(decimals=1) + 0.05
    made = folded(weight, mean, torch.tensor([0.5, small, 2.0]), gamma, beta)
    if not isinstance(made, tuple) or getattr(made[0], "shape", None) != weight.shape:
        return made
    return made[0].sum((1, 2, 3)), *made[1:]


_PIXELS = torch.tensor([[0, 150, 255], [1, 128, 64]], dtype=torch.uint8)
_LOGITS = torch.tensor([[2.0, 0.1, 0.9, 0.2], [0.6, 0.1, 9.0, 0.7], [-0.5, -0.3, -0.1, -3.0],
                        [0.1, 0.4, 0.3, 0.2], [0.5, 0.3, 0.1, 3.0]])
# of these 11 digits each usual mistake gets another number right
_ELEVEN = torch.tensor([[1.1, -1.0, 1.1, 1.4], [1.5, 2.3, -1.3, -1.1], [0.6, -1.0, 0.9, -1.5],
                        [-1.1, 0.7, -1.3, 2.6], [1.4, 0.6, -0.3, 0.4], [1.0, 0.7, 0.6, -0.8],
                        [1.1, -0.9, 1.6, -0.6], [-1.2, -0.6, -1.1, -0.2], [1.6, 1.4, 1.2, 0.5],
                        [0.2, 1.4, 0.4, 0.8], [0.0, -2.0, 1.2, 0.5]])
_EXERCISES = {
    "my_normalize": Exercise(_normalize, [(_PIXELS,), (_PIXELS[1],)]),
    "my_flatten": Exercise(_flatten, [
        ("two pictures, which begin with 0, 1, 2 and 50, 51, 52", _pictures(2)),
        ("three, the third of which begins with 100, 101, 102", _pictures(3))],
        alike=_or_floats),
    "my_accuracy": Exercise(_accuracy, [
        (_LOGITS, torch.tensor([0, 2, 1, 1, 3])), (_LOGITS, torch.tensor([2, 0, 2, 0, 3])),
        (_ELEVEN, torch.arange(11) % 4), (_LOGITS, _LOGITS.argmax(1))],
        alike=_as_floats),
    "my_step": Exercise(_step, [("three steps of one network", 0), ("three steps of another", 1)],
                        _three_steps),
    "my_folded": Exercise(_folded, [
    ("three channels, one with a variance of 0.00001 (sums of weights, then biases)", 0, 1e-5),
    ("three other channels (sums of weights, then biases)", 1, 3.0)], _of_parts),
}

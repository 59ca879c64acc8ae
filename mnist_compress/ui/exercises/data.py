"""The exercises of 01_data: right functions, and cases to try."""

import torch

from . import Exercise


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


_PIXELS = torch.tensor([[0, 150, 255], [1, 128, 64]], dtype=torch.uint8)
_EXERCISES = {
    "my_normalize": Exercise(_normalize, [(_PIXELS,), (_PIXELS[1],)]),
    "my_flatten": Exercise(_flatten, [
        ("two pictures, which begin with 0, 1, 2 and 50, 51, 52", _pictures(2)),
        ("three, the third of which begins with 100, 101, 102", _pictures(3))],
        alike=_or_floats),
}

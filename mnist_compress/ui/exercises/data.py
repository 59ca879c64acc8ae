"""The exercises of 01_data: right functions, with switches for mistakes."""

import torch

from . import Exercise


def _normalize(pixels, largest=255, own_largest=False, own_least=False, centered=False,
               whole=False, moved=0):
    if own_least:
        pixels = pixels - pixels.min()
    largest = pixels.max() if own_largest else largest
    result = pixels // largest if whole else pixels / largest
    return result * 2 - 1 if centered else result + moved


def _flatten(images, order="rows", turned=False, one_list=False, first=False, floats=False):
    flat = {"rows": images.flatten(1), "columns": images.transpose(1, 2).flatten(1),
            "as they lie": images.reshape(784, len(images)).T,
            "pictures last": images.permute(1, 2, 0).reshape(len(images), 784)}[order]
    flat = flat.float() if floats else flat[0] if first else flat
    return flat.flatten() if one_list else flat.t() if turned else flat


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

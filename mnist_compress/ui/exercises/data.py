"""The exercises of 01_data: right functions, with switches for mistakes."""

import numpy as np
import torch

from . import Exercise


def _normalize(pixels, largest=255, own_largest=False, own_least=False, centered=False,
               whole=False, moved=0):
    if own_least:
        pixels = pixels - pixels.min()
    largest = pixels.max() if own_largest else largest
    result = pixels // largest if whole else pixels / largest
    return result * 2 - 1 if centered else result + moved


def _is_array(result, *case):
    return isinstance(result, np.ndarray)


def _flatten(images, mixed=False, columns=False, turned=False, one_list=False, first=False):
    if mixed:
        return images.reshape(784, len(images)).T
    flat = images.transpose(1, 2).flatten(1) if columns else images.flatten(1)
    if first:
        return flat[0]
    return flat.flatten() if one_list else flat.T if turned else flat


def _is_as_it_came(result, name, images):
    return result.shape == images.shape


def _is_of_floats(result, name, images):
    return result.is_floating_point()


def _is_mixed(result, name, images):
    """Whether all numbers are there, but some in the row of another picture."""
    rows = images.flatten(1)
    return result.dtype == rows.dtype and result.shape == rows.shape and torch.equal(
        result.flatten().sort().values, rows.flatten().sort().values) and not torch.equal(
        result.sort(1).values, rows.sort(1).values)


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
        run=lambda flatten, name, images: flatten(images)),
}

"""The exercises of 01_data: right functions, with switches for mistakes."""

import numpy as np
import torch

from . import Exercise


def _normalize(pixels, largest=255, own_largest=False, centered=False, whole=False):
    largest = pixels.max() if own_largest else largest
    result = pixels // largest if whole else pixels / largest
    return result * 2 - 1 if centered else result


def _is_array(result, pixels):
    return isinstance(result, np.ndarray)


_PIXELS = torch.tensor([[0, 150, 255], [1, 128, 64]], dtype=torch.uint8)
EXERCISES = {
    "my_normalize": Exercise(_normalize, [(_PIXELS,), (_PIXELS[1],)]),
}

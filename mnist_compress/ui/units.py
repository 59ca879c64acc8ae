"""Hidden units as pictures: the 784 weights of each stand where the pixels stand that they meet."""

import numpy as np
import torch
from matplotlib.colors import LinearSegmentedColormap

from ..data import SIDE

# zero is black, so what is cut goes dark: blue below zero, orange above
_COLORS = LinearSegmentedColormap.from_list(
    "weights", ["#C4E6FA", "#56B4E9", "black", "#E69F00", "#FFE9B8"]).with_extremes(bad="white")
BRIGHTEST = 0.15  # the weight that is brightest, in every picture: colors can be compared
ON_WEIGHTS = {"cmap": _COLORS, "vmin": -BRIGHTEST, "vmax": BRIGHTEST}  # for `imshow`


def strongest_units(weight: torch.Tensor, count: int = 16) -> list[int]:
    """The units with the longest rows of weights (units, inputs), in their order in the layer."""
    lengths = weight.detach().norm(dim=1)
    return sorted(lengths.argsort(descending=True, stable=True)[:count].tolist())


def mosaic(rows: torch.Tensor, columns: int = 4) -> np.ndarray:
    """Rows of weights (k, 784) as pictures of 28 x 28 beside and below each other, a line apart."""
    tiles = rows.detach().view(-1, columns, SIDE, SIDE)
    framed = torch.nn.functional.pad(tiles, (0, 1, 0, 1), value=torch.nan)
    return framed.transpose(1, 2).flatten(2).flatten(0, 1)[:-1, :-1].numpy()

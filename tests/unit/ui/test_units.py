"""Pictures of weights: which units, in which places, on one scale."""

import numpy as np
import torch

from mnist_compress.ui import units


def test_the_strongest_units_in_their_order():
    assert units.strongest_units(torch.tensor([3.0, -9, 1, 4, -5]).diag(), 3) == [1, 3, 4]


def test_tiles_stand_a_line_apart():
    rows = torch.arange(4 * 784.0).view(4, 784)
    picture = units.mosaic(rows, 2)
    assert picture.shape == (57, 57)
    for tile, (top, left) in enumerate(((0, 0), (0, 29), (29, 0), (29, 29))):
        assert np.array_equal(picture[top:top + 28, left:left + 28].ravel(), rows[tile])
    assert np.isnan(picture[28]).all() and np.isnan(picture[:, 28]).all()


def test_zero_is_black():
    assert units.ON_WEIGHTS["cmap"](0.5)[:3] < (0.01, 0.01, 0.01)

"""More digits out of the same: turned, stretched, sheared, moved and bent copies."""

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from ..data import normalize
from .network import Watch, unwatched

_PART = 2000  # pictures changed at a time; with another number, a seed gives other copies


def augment(images: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """Images (n, side, side) float32, 0..1 -> as many, each one changed by chance.

    Affine and elastic distortions after Simard, Steinkraus & Platt (2003). Strength 1 turns by at
    most 8 degrees, scales and shears by at most 8 %, moves by at most 1 pixel and bends by 0.8
    pixels (standard deviation). Strength 0 changes nothing.
    """
    n, side, _ = images.shape
    chance = 2 * torch.rand(6, n, generator=generator, dtype=torch.float32) - 1
    angle, shear, wide, high, right, down = strength * chance
    cos, sin = (angle * math.radians(8)).cos(), (angle * math.radians(8)).sin()
    wide, high, shear, pixel = 1 + 0.08 * wide, 1 + 0.08 * high, 0.08 * shear, 2 / side
    affine = torch.stack([cos * wide, shear - sin * high, right * pixel,
                          sin * wide, cos * high, down * pixel], 1).view(n, 2, 3)
    bend = torch.randn(n, 2, 6, 6, generator=generator, dtype=torch.float32)
    bend = F.interpolate(bend * 0.8 * strength * pixel, size=(side, side), mode="bicubic")
    grid = F.affine_grid(affine, [n, 1, side, side], align_corners=False)
    grid = grid + bend.permute(0, 2, 3, 1)
    return F.grid_sample(images[:, None], grid, align_corners=False)[:, 0]


def augmented_copies(images: Tensor, copies: int, tie: bool, generator: Generator,
                     strength: float = 1.0, watch: Watch = unwatched) -> Tensor:
    """uint8 (n, 28, 28) -> uint8 (copies * n, 784); the first copy is the original.

    With tie (copies * n, 196), the means of 2x2 blocks: all that weights tied in blocks can see.
    """
    inputs = []
    for copy in watch(range(copies), "copies", copies):
        for part in images.split(_PART):
            part = normalize(part)
            part = augment(part, generator, strength) if copy else part
            part = F.avg_pool2d(part[:, None], 2) if tie else part
            inputs.append((part * 255).round().to(torch.uint8).flatten(1))
    return torch.cat(inputs)

"""compress/augmentation"""

import math

import torch
from torch.nn import functional as F

PART = 2000  # pictures that are distorted at a time


def distort(images, generator, strength=1.0):
    """Images (n, side, side) in 0..1 -> as many, each turned, stretched, sheared, moved and bent.

    Affine and elastic distortions after Simard, Steinkraus & Platt (2003). Strength 1 turns by at
    most 8 degrees, scales and shears by at most 8 %, moves by at most 1 pixel and bends by 0.8
    pixels (standard deviation). Strength 0 changes nothing.
    """
    n, side, _ = images.shape
    chance = 2 * torch.rand(6, n, generator=generator) - 1
    angle, shear, wide, high, right, down = strength * chance
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


def distorted_copies(images, copies, tie, generator, strength=1.0):
    """uint8 (n, 28, 28) -> uint8 (copies * n, 784 or 196); the first copy is the original."""
    rows = []
    for copy in range(copies):
        for part in images.split(PART):
            part = part / 255
            part = distort(part, generator, strength) if copy else part
            part = tie_pixels(part) if tie else part
            rows.append((part * 255).round().to(torch.uint8).flatten(1))
    return torch.cat(rows)

"""What these tests share: two short recipes, a seeded generator."""

from dataclasses import replace

import torch

from mnist_compress.compress import Recipe

TINY = Recipe(units=(12,), weights=200, copies=2, teacher=(16,), teacher_steps=20, dense_steps=20,
              prune_steps=40, quantize_steps=30, batch=50)
DEEP = replace(TINY, widths=(784, 20, 14, 10), units=(12, 9), levels=(2, 3, 2), tie=False,
               weights=600)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)

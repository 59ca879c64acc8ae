"""Augmented digits: how far they go, what stays."""

import numpy as np
import torch

from mnist_compress.compress.augmentation import augment, augmented_copies

from . import generator


def test_strength_0_changes_nothing_and_more_changes_more(few):
    images = few.images / 255
    same = augment(images, generator(), 0.0)
    assert torch.allclose(same, images, atol=1e-4)
    changes = [(augment(images, generator(), strength) - images).abs().mean()
               for strength in (0.3, 1, 3)]
    assert changes == sorted(changes) and changes[0] > 0.005
    bent = augment(images, generator(), 1.0)
    assert bent.shape == images.shape and bent.min() >= 0 and bent.max() <= 1 + 1e-6
    assert 0.9 < bent.sum() / images.sum() < 1.1  # the ink stays in the picture


def test_digits_move_by_a_pixel_or_so(few):
    images = few.images / 255
    place = torch.arange(28.0)
    bent = augment(images, generator(), 1.0)
    for axis in (1, 2):
        before, after = ((each.sum(axis) @ place) / each.sum((1, 2)) for each in (images, bent))
        assert 0.2 < (after - before).abs().mean() < 1 and (after - before).abs().max() < 3


def test_the_first_copy_is_the_original(few):
    inputs = augmented_copies(few.images, 3, False, generator())
    assert inputs.shape == (3 * len(few), 784) and inputs.dtype == torch.uint8
    first, second, third = inputs.split(len(few))
    assert torch.equal(first, few.images.flatten(1))
    assert not torch.equal(first, second) and not torch.equal(second, third)


def test_tied_pixels_are_means_of_blocks(few):
    inputs = augmented_copies(few.images, 1, True, generator()).numpy()
    blocks = few.images.numpy().reshape(-1, 14, 2, 14, 2).mean((2, 4)).reshape(-1, 196)
    assert inputs.shape == (len(few), 196) and np.abs(inputs - blocks).max() <= 0.5 + 1e-4


def test_the_same_copies_in_one_part_or_in_many(few):
    many = few.images.repeat(21, 1, 1)  # 2,100 pictures: more than one part
    inputs = augmented_copies(many, 2, False, generator())
    rest = inputs[len(many):]
    whole = augment(many[:2000] / 255, generator())
    assert torch.equal(rest[:2000], (whole * 255).round().to(torch.uint8).flatten(1))
    assert len(rest) == len(many) and not torch.equal(rest[:100], rest[2000:])

"""What decides the questions of 01_data."""

import torch

from ...data import flatten, load_sample, normalize


def _one_pixel():
    digits = load_sample()[0]
    pixels, labels = digits.images, digits.labels
    return (f"{pixels.numel():,} pixels of type {pixels.dtype}, from {pixels.min()} to "
            f"{pixels.max()}; and {len(labels):,} labels, from {labels.min()} to {labels.max()}.")


def _divide_by_255():
    small, large = normalize(torch.tensor([[[150, 255]]], dtype=torch.uint8)).flatten()
    return f"normalize turns 150 into {small:.3f} and 255 into {large:.3f}."


def _flatten_one():
    images = load_sample()[0].images[:1]
    flat, start, end = flatten(images), 14 * 28, 15 * 28
    back = "the same" if torch.equal(flat.view(images.shape), images) else "NOT the same"
    found = torch.equal(flat[0, start:end], images[0, 14])
    return (f"{images.numel()} pixels become {flat.numel()} numbers; laid out in 28 rows again, "
            f"the picture is {back}. Row 14 of the picture is the numbers {start} to {end - 1} of "
            f"the list: {found}.")

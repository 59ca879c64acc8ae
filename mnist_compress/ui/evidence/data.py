"""What decides the questions of 01_data."""

import torch

from ...data import flatten, load_sample, normalize
from ...model import DigitClassifier
from ...training import COURSE_SEED, trained_model


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


def _stage_sizes():
    images = load_sample()[0].images[:500]
    scaled = normalize(images)
    stages = [f"{tuple(each.shape)} {each.dtype} {each.nbytes:,} bytes"
              for each in (images, scaled, flatten(scaled))]
    return f"Measured on 500 digits: {'; '.join(stages)}."


def _dead_weights():
    pixels = load_sample()[0].inputs
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(COURSE_SEED)
        start = DigitClassifier().layers[0].weight
    moved = (start != trained_model().layers[0].weight).any(0)
    inked = (pixels > 0).sum(0)
    rare = (inked > 0) & (inked <= 3)
    return (f"Of {(inked == 0).sum()} pixels that are 0 in all training digits, "
            f"{moved[inked == 0].sum()} had a weight changed by training; of {rare.sum()} pixels "
            f"with ink in one to three digits, {moved[rare].sum()} had.")

"""What decides questions about data, training, and a network of your own."""

import torch
from torch.nn import functional as F

from ...convolution import remove_channels, small_convolution
from ...data import flatten, load_sample, normalize
from ...model import DigitClassifier, weight_layers
from ...pretrained import CONVOLUTIONS, checkpoint
from ...quantization import torchao_quantize
from ...training import COURSE_SEED, Adam, evaluate, train
from . import course, per_cent


def _one_pixel():
    digits = load_sample()[0]
    pixels, labels = digits.images, digits.labels
    return (f"{pixels.numel():,} pixels of type {pixels.dtype}, from {pixels.min()} to "
            f"{pixels.max()}; and {len(labels):,} labels, from {labels.min()} to {labels.max()}.")


def _float_pixel():
    images = load_sample()[0].images[:500]
    scaled = images / 255
    return (f"{len(images)} pictures as stored: {images.dtype}, 0 to {images.max()}. "
            f"Divided by 255: {scaled.dtype}, {scaled.min():.1f} to {scaled.max():.1f}, with "
            f"{len(scaled.unique())} different values.")


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
    model, digits, _ = course()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(COURSE_SEED)
        start = DigitClassifier().layers[0].weight
    moved = (start != model.layers[0].weight).any(0)
    inked = (digits.inputs > 0).sum(0)
    rare = (inked > 0) & (inked <= 3)
    return (f"Of {(inked == 0).sum()} pixels that are 0 in all training digits, "
            f"{moved[inked == 0].sum()} had a weight changed by training; of {rare.sum()} pixels "
            f"with ink in one to three digits, {moved[rare].sum()} had.")


def _linear_shape():
    layer = torch.nn.Linear(784, 128)
    return (f"torch.nn.Linear(784, 128).weight has the shape {tuple(layer.weight.shape)}, "
            f"its bias {tuple(layer.bias.shape)}.")


def _train_and_test_accuracy():
    model, *parts = course()
    seen, new = (evaluate(model, digits).accuracy for digits in parts)
    return f"This network gets {seen:.1%} of its training digits right and {new:.1%} of new digits."


def _missing_line():
    told = []
    for left_out in ("step", "zero_grad"):
        layer = torch.nn.Linear(2, 2)
        torch.nn.init.ones_(layer.weight)
        optimizer = Adam(layer.parameters(), lr=0.1)
        for label in (0, 1, 1):
            if left_out != "zero_grad":
                optimizer.zero_grad()
            F.cross_entropy(layer(torch.ones(1, 2)), torch.tensor([label])).backward()
            if left_out != "step":
                optimizer.step()
        told.append(f"without {left_out}, {int((layer.weight != 1).sum())} of 4 weights change "
                    f"and {int((layer.weight.grad != 0).sum())} have a gradient")
    return f"A layer of 2 x 2 weights, three batches: {'; '.join(told)}."


def _epochs(seed, *shown):
    history = train(*load_sample()[:2], epochs=shown[-1], seed=seed)[1]
    told = [f"after epoch {row.epoch}, loss {row.train_loss:.2f}, {100 * row.train_accuracy:.1f} "
            f"and {100 * row.validation_accuracy:.1f} %" for row in history if row.epoch in shown]
    return f"Trained anew, seed {seed}, training and validation digits: {'; '.join(told)}."


def _batches(sizes, *seeds):
    digits, validation, _ = load_sample()
    told = [f"batches of {size}: " + ", ".join(
        per_cent(train(digits, validation, batch_size=size, seed=seed)[0], validation)
        for seed in seeds) for size in sizes]
    return f"Trained anew, seeds {', '.join(map(str, seeds))}: {'; '.join(told)}."


def _layers_changed():
    model = checkpoint("trained", small_convolution())
    told = [f"layer {name} {type(layer.weight.data).__name__} ({layer.weight.numel():,} weights)"
            for name, layer in weight_layers(torchao_quantize(model))]
    return f"Types after the call: {', '.join(told)}."


def _next_shape():
    smaller = remove_channels(small_convolution(), "8", range(16))
    return f"remove_channels says: {' x '.join(map(str, smaller[13].weight.shape))}."


def _tested_often():
    validation = load_sample()[1]
    pair = validation.inputs.view(-1, 1, 28, 28), validation.labels
    correct = torch.stack([
        evaluate(checkpoint(name, small_convolution(channels), seed), pair).correct.double()
        for name, channels in CONVOLUTIONS.items() for seed in range(5, 10)])
    generator, found = torch.Generator().manual_seed(0), []
    for _ in range(200):
        half, other = torch.randperm(len(pair[1]), generator=generator).chunk(2)
        best = correct[:, half].mean(1).argmax()
        found.append([100 * correct[best, part].mean().item() for part in (half, other)])
    chosen, honest = torch.tensor(found).mean(0)
    return (f"200 times, half of the validation digits chose the best of {len(correct)} networks: "
            f"{chosen:.1f} % of that half were right on average, of the other half {honest:.1f} %.")

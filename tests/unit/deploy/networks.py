"""The networks that go to C and onto the chip, and pictures that drive them to their limits."""

import functools

import numpy as np

from mnist_compress import pretrained
from mnist_compress.data import load_sample
from mnist_compress.integer import IntegerNetwork
from mnist_compress.pruning import prune
from mnist_compress.quantization import quantize_model
from mnist_compress.training import trained_model

COURSE = {  # how much is pruned, and how it is rounded
    "pruned": (0.3, {}),
    "channels": (0.95, {"per_channel": True}),
    "ternary": (0.9, {"bits": 2}),
}
NAMES = [*pretrained.RECIPES, *COURSE]


@functools.cache
def network(name) -> IntegerNetwork:
    """A finished network or one of the course's."""
    if name not in COURSE:
        return pretrained.load(name)
    sparsity, options = COURSE[name]
    return quantize_model(prune(trained_model(), sparsity), load_sample()[0], **options)


def pictures(network, images):
    """uint8 (n, 784): white, black, for each first unit the pictures it likes most and least, and
    those images."""
    weight = network.layers[0].weight
    weight = weight[weight.any(1)]
    drawn = np.concatenate([np.zeros((1, 784)), np.ones((1, 784)), weight > 0, weight < 0])
    return np.concatenate([(255 * drawn).astype(np.uint8), np.asarray(images).reshape(-1, 784)])

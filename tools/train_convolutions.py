"""Train the convolutions of notebook 10 with seeds 5 to 9 and write them to a folder:

    python -m tools.train_convolutions mnist_compress/pretrained

Every treatment has as many epochs in all: 5, and 2 more after a cut; so has its control.
"""

import sys
from pathlib import Path

import numpy as np
import torch

from mnist_compress.convolution import remove_channels, small_convolution
from mnist_compress.data import load_sample
from mnist_compress.pruning import fine_tune, prune
from mnist_compress.training import evaluate, train_on

FIRST = {"epochs": 5, "learning_rate": 0.01, "batch_size": 32, "one_cycle": True}
THEN = {**FIRST, "epochs": 2, "learning_rate": 0.005}


def pictures(digits):
    """(n, 1, 28, 28) float32 and labels."""
    return digits.inputs.view(-1, 1, 28, 28), digits.labels


def networks(train, seed):
    """{name: network} of one seed, as `pretrained.CONVOLUTIONS` lists them."""
    def fresh(channels, **more):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = small_convolution(channels)
        return train_on(network, train, seed=seed, **{**FIRST, **more})

    trained = fresh((8, 16, 32))
    weakest = trained[8].weight.abs().flatten(1).sum(1).argsort()[:16]
    return {"trained": trained, "trained on": train_on(trained, train, seed=seed, **THEN),
            "80 % zeros": fine_tune(prune(trained, 0.8), train, seed=seed, **THEN),
            "half the channels": train_on(remove_channels(trained, "8", weakest), train, seed=seed,
                                          **THEN),
            "small from scratch": fresh((8, 16, 16), epochs=7)}


def main(folder):
    """Train, print the accuracy on validation digits, write convolutions.npz."""
    torch.set_num_threads(1)
    train, validation = (pictures(part) for part in load_sample()[:2])
    kept = {}
    for seed in range(5, 10):
        for name, network in networks(train, seed).items():
            parts = [part.flatten().float() for part in network.state_dict().values()]
            kept[f"{name} {seed}"] = torch.cat(parts).numpy()  # as `pretrained.checkpoint` reads it
            print(f"{seed} {name}: {evaluate(network, validation).accuracy:.1%}", flush=True)
    np.savez_compressed(Path(folder, "convolutions.npz"), **kept)


if __name__ == "__main__":
    main(*sys.argv[1:])

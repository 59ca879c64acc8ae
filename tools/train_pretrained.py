"""Train networks, pack them, measure them:

    python -m tools.train_pretrained thousand --seeds 0 1 2 --folder made
    python -m tools.train_pretrained lenet lenet-small --seeds 0 --data MNIST --folder made

Prints lines as in measured.csv: bytes of the file, errors of the network that is read back from it
on the validation digits and, with --official, on MNIST's 10,000 test digits (use it once), and
seconds on one thread, teacher included.
"""

import argparse
import time
from pathlib import Path

import torch

from mnist_compress.compress import compress, teach
from mnist_compress.data import Digits, load_full, load_sample
from mnist_compress.packed import load, save
from mnist_compress.pretrained import RECIPES
from mnist_compress.training import evaluate, train
from tools import small_convolution

COLUMNS = ("network", "seed", "bytes", "validation error", "official error", "seconds")
CONVOLUTION = small_convolution.Recipe()
REFERENCES = {  # plain training of the dense network, as `training.train` does it
    "dense-thousand": {},
    "dense-perceptron": {"epochs": 10, "batch_size": 64},
    "dense-lenet": {"widths": (784, 300, 100, 10), "epochs": 10, "batch_size": 64},
}
TAUGHT = ("copies", "tie", "augmentation", "teacher", "teacher_steps", "batch")  # what teach reads


def digits_for(name, folder=None):
    """What a network is trained on, and its validation digits, which choices are made on.

    The sample's 1,000 and its other 4,000, or MNIST's first 55,000 and last 5,000 training digits.
    """
    if "thousand" in name:
        train, *others = load_sample()
        return train, Digits(torch.cat([part.images for part in others]),
                             torch.cat([part.labels for part in others]))
    train = load_full(folder, progress=False)[0]
    return train[:-5000], train[-5000:]


class Classroom:
    """Keeps the last lesson: recipes that differ only in the student share their teacher."""

    def __init__(self):
        self.key, self.lesson, self.seconds = None, None, 0.0

    def teach(self, name, digits, seed):
        """The lesson for that recipe and seed; `seconds` is what it took to make.

        Convolutions of all seeds have the teacher of seed 0, which takes longer than a student.
        """
        if name == "convolution":
            return self._keep(name, lambda: small_convolution.teach(digits, CONVOLUTION))
        key = (seed, name.split("-")[0] == "thousand",
               *(getattr(RECIPES[name], field) for field in TAUGHT))
        return self._keep(key, lambda: teach(digits, RECIPES[name], seed))

    def _keep(self, key, make):
        if key != self.key:
            start, self.lesson = time.perf_counter(), None
            self.lesson = make()
            self.key, self.seconds = key, time.perf_counter() - start
        return self.lesson


def make(name, seed, classroom, data, folder):
    """Train one network; pack it and read it back unless it is dense: (network, bytes, seconds)."""
    digits, validation = digits_for(name, data)
    start = time.perf_counter()
    if name in REFERENCES:
        network = train(digits, validation, seed=seed, **REFERENCES[name])[0]
        size = sum(parameter.nbytes for parameter in network.parameters())
        return network, size, time.perf_counter() - start
    lesson, start = classroom.teach(name, digits, seed), time.perf_counter()
    path = Path(folder, f"{name}-{seed}.mc")
    if name == "convolution":
        network = small_convolution.compress(lesson, CONVOLUTION, seed)
    else:
        network = compress(lesson, RECIPES[name], seed)
    size = save(network, path, reorder=True)
    seconds = classroom.seconds + time.perf_counter() - start
    return load(path), size, seconds


def error(network, digits):
    """Share of wrong answers."""
    return 1 - evaluate(network, digits).accuracy


def main(arguments=None):
    """Make each network with each seed and print one line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0],
                                     prog="python -m tools.train_pretrained")
    every = [*RECIPES, "convolution", *REFERENCES]
    parser.add_argument("names", nargs="+", choices=every, metavar="name",
                        help=f"one or more of {', '.join(every)}")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--data", help="folder with MNIST's official files")
    parser.add_argument("--folder", default=".", help="where the files go")
    parser.add_argument("--official", action="store_true")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    Path(options.folder).mkdir(parents=True, exist_ok=True)
    classroom = Classroom()
    print(",".join(COLUMNS), flush=True)
    for seed in options.seeds:
        for name in options.names:
            network, size, seconds = make(name, seed, classroom, options.data, options.folder)
            wrong = error(network, digits_for(name, options.data)[1])
            test = load_full(options.data, progress=False)[1] if options.official else None
            official = f"{error(network, test):.4f}" if test else ""
            print(f"{name},{seed},{size},{wrong:.5f},{official},{seconds:.0f}", flush=True)


if __name__ == "__main__":
    main()

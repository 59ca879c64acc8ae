"""Train networks, pack them, measure them:

    python -m mnist_compress.networks thousand --seeds 0 1 2 --folder made
    python -m mnist_compress.networks lenet lenet-small --seeds 0 --data MNIST --folder made

Prints a table: bytes of the file, error of the network that is read back from it on the validation
rows, seconds on one thread. --official adds the error on MNIST's 10,000 test digits: use it once.
"""

import argparse
import time
from pathlib import Path

import torch

from ..data import load_full
from ..packing import load_packed, save_packed
from ..recipes import compress, teach
from ..training import evaluate
from . import RECIPES, as_classifier, recipe, rows_for

TAUGHT = ("copies", "tie", "distortion", "teacher", "teacher_steps", "batch")  # what teach reads


class Classroom:
    """Keeps the last lesson: recipes that differ only in the student share their teacher."""

    def __init__(self):
        self.key, self.lesson, self.seconds = None, None, 0.0

    def teach(self, name, digits, seed):
        """The lesson for that recipe and seed; `seconds` is what it took to make."""
        key = (seed, name.split("-")[0] == "thousand",
               *(getattr(recipe(name), field) for field in TAUGHT))
        if key != self.key:
            start, self.lesson = time.perf_counter(), None
            self.lesson = teach(digits, recipe(name), seed)
            self.key, self.seconds = key, time.perf_counter() - start
        return self.lesson


def make(name, seed, classroom, data, folder):
    """Train and pack one network: (path, bytes, validation error, seconds)."""
    train, validation = rows_for(name, data)
    lesson, start = classroom.teach(name, train, seed), time.perf_counter()
    network = compress(lesson, recipe(name), seed)
    path = Path(folder, f"{name}-{seed}.mc")
    size = save_packed(network, path, reorder=True)
    seconds = classroom.seconds + time.perf_counter() - start
    return path, size, error(path, validation), seconds


def error(path, digits):
    """Share of wrong answers of the network in a packed file."""
    return 1 - evaluate(as_classifier(load_packed(path)), digits).accuracy


def main():
    """Make each network with each seed; all seeds of one lesson after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], prog="networks")
    parser.add_argument("names", nargs="+", choices=list(RECIPES), metavar="name",
                        help=f"one or more of {', '.join(RECIPES)}")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--data", help="folder with MNIST's official files")
    parser.add_argument("--folder", default=".", help="where the files go")
    parser.add_argument("--official", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    Path(options.folder).mkdir(parents=True, exist_ok=True)
    classroom = Classroom()
    print("| network | seed | bytes | validation error | official error | seconds |")
    print("|---|---|---|---|---|---|", flush=True)
    for seed in options.seeds:
        for name in options.names:
            path, size, wrong, seconds = make(name, seed, classroom, options.data, options.folder)
            test = load_full(options.data, progress=False)[1] if options.official else None
            official = f"{error(path, test):.2%}" if test else "not measured"
            print(f"| {name} | {seed} | {size} | {wrong:.2%} | {official} | {seconds:.0f} |",
                  flush=True)


if __name__ == "__main__":
    main()

"""What each step of the recipe gives: the network "thousand" with one step changed at a time.

    python -m tools.train_steps --seeds 5 6 7 8 9 --data MNIST > mnist_compress/pretrained/steps.csv

Prints lines as in steps.csv: bytes of the file, errors of the network in it on the validation
digits, which the recipe was chosen on, and on MNIST's 10,000 official test digits. One thread.
"""

import argparse
import sys
from dataclasses import replace

import torch
from torch.nn import functional as F

from mnist_compress import packed
from mnist_compress.compress import Lesson, Recipe, compress, forward, teach
from mnist_compress.data import load_full, normalize
from tools.train_pretrained import digits_for, error

_WHOLE = Recipe()
CHANGES = {  # what differs: the recipe, the coder
    "the whole recipe": (_WHOLE, "context_mixing"),
    "no augmentation": (replace(_WHOLE, copies=1), "context_mixing"),
    "no distillation": (_WHOLE, "context_mixing"),
    "pruning at once": (replace(_WHOLE, every=2125), "context_mixing"),
    "pruning by magnitude alone": (replace(_WHOLE, curvature=0, rate_weight=0), "context_mixing"),
    "no shared pixels": (replace(_WHOLE, tie=False), "context_mixing"),
    "127 magnitudes a layer": (replace(_WHOLE, levels=(127, 127)), "context_mixing"),
    "rounding after training": (replace(_WHOLE, prune_steps=_WHOLE.prune_steps - 1
                                        + _WHOLE.quantize_steps, quantize_steps=1),
                                "context_mixing"),
    "order0 in place of context mixing": (_WHOLE, "order0"),
}


class Labels(Lesson):
    """A lesson whose teacher nobody listens to."""

    def loss(self, network, index, change=None):
        """Cross entropy with the labels alone."""
        answers = forward(network, normalize(self.inputs[index]), change)[-1]
        return F.cross_entropy(answers, self.labels[index % len(self.labels)])


def make(change, lesson, seed):
    """The file with that change, as bytes."""
    recipe, codec = CHANGES[change]
    lesson = Labels(*lesson) if change == "no distillation" else lesson
    return packed.pack(compress(lesson, recipe, seed), codec, reorder=True)


def main(arguments=None):
    """Print one line for each seed and each change."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0],
                                     prog="python -m tools.train_steps")
    parser.add_argument("--seeds", nargs="+", type=int, default=[5, 6, 7, 8, 9])
    parser.add_argument("--changes", nargs="+", choices=CHANGES, default=list(CHANGES))
    parser.add_argument("--data", help="folder with MNIST's official files")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    digits, validation = digits_for("thousand")
    official = load_full(options.data, progress=False)[1]
    print("change,seed,bytes,validation error,official error", flush=True)
    for seed in options.seeds:
        lessons = {}
        for change in options.changes:
            recipe = CHANGES[change][0]
            key = recipe.copies, recipe.tie
            if key not in lessons:
                lessons[key] = teach(digits, recipe, seed)
            data = make(change, lessons[key], seed)
            network = packed.unpack(data)
            print(f"{change},{seed},{len(data)},{error(network, validation):.5f},"
                  f"{error(network, official):.4f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""How small the networks get: what was measured when they were made, and some of it again, now.

    python -m tests.benchmarks.bench_recipes              # official digits from ./data
    python -m tests.benchmarks.bench_recipes --data MNIST

The networks on 60,000 digits take half an hour to train, so their lines are the recorded ones of
mnist_compress/pretrained/measured.csv; the files that come with the package are evaluated again.
The 1000-digit network is trained here, three seeds, as is what needs no training.
"""

import argparse
import statistics
import tempfile
import time
import zlib

import torch

from mnist_compress import pretrained
from mnist_compress.compress import compress_once
from mnist_compress.data import load_full
from mnist_compress.official import full_is_here
from mnist_compress.packed import pack, unpack
from mnist_compress.training import trained_model
from tools.train_pretrained import REFERENCES, Classroom, digits_for, error, make

SEEDS = (0, 1, 2)
GOALS = (  # network, float32 it is compared with, points it may lose, bytes: first, then, moonshot
    ("thousand", "dense-thousand", 0.0, (4070, 1017, 598)),
    ("perceptron", "dense-perceptron", 0.001, (4070, 3180, 2400)),
    ("lenet", 0.0164, 0.0, (7600, 3700, 2953)),
    ("lenet-small", 0.02, 0.0, (4500, 2700, 2048)),
)


def spread(values, form):
    """Mean and (lowest-highest)."""
    mean, low, high = (form.format(f(values)) for f in (statistics.mean, min, max))
    return f"{mean} ({low}-{high})"


def recorded_table():
    """Markdown lines: every recipe, means over its seeds, with goals where there are some."""
    goals = {name: goal for name, *goal in GOALS}
    goals.update({f"{name}-untied": goal for name, *goal in GOALS})
    yield "| network | seeds | bytes | validation error | official error | may be | goals met |"
    yield "|---|---|---|---|---|---|---|"
    for name in (*REFERENCES, *pretrained.RECIPES):
        row = pretrained.measured(name)
        limit, met = "", ""
        if name in goals:
            reference, points, sizes = goals[name]
            if isinstance(reference, str):
                reference = pretrained.measured(reference).official_error
            fine = row.official_error <= reference + points
            limit = f"{reference + points:.2%}"
            met = ", ".join(f"{size:,} {'yes' if fine and row.mean_bytes <= size else 'NO'}"
                            for size in sizes)
        yield (f"| {name} | {len(row.bytes)} | {spread(row.bytes, '{:,.0f}')} "
               f"| {spread(row.validation_errors, '{:.2%}')} "
               f"| {spread(row.official_errors, '{:.2%}')} | {limit} | {met} |")


def files_table(official):
    """Markdown lines: the files that come with the package, evaluated now."""
    test = digits_for("thousand")[1]
    yield "| file | bytes | error, 4,000 sample digits | error, 10,000 official digits |"
    yield "|---|---|---|---|"
    for name in pretrained.RECIPES:
        network = pretrained.load(name)
        seen = "" if name.startswith("thousand") else " (trained on all of them)"
        now = f"{error(network, official):.2%}" if official else "not on this machine"
        yield (f"| {name}.mc | {pretrained.path(name).stat().st_size:,} "
               f"| {error(network, test):.2%}{seen} | {now} |")


def live_table():
    """Markdown lines: the course's network compressed without training, and by the recipe."""
    digits, test = digits_for("thousand")
    yield "| seed | dense error | untrained, 46,000 weights | error | recipe | error | seconds |"
    yield "|---|---|---|---|---|---|---|"
    classroom = Classroom()
    with tempfile.TemporaryDirectory() as folder:
        for seed in SEEDS:
            model = trained_model(seed)
            once = compress_once(model, digits, 46_000)
            network, size, seconds = make("thousand", seed, classroom, None, folder)
            yield (f"| {seed} | {error(model, test):.2%} | {len(pack(once, reorder=True)):,} "
                   f"| {error(once, test):.2%} | {size} | {error(network, test):.2%} "
                   f"| {seconds:.0f} |")


def once_on_official(official):
    """One line: the untrained files on the official digits."""
    digits, losses, sizes = digits_for("thousand")[0], [], []
    for seed in SEEDS:
        model = trained_model(seed)
        once = compress_once(model, digits, 46_000)
        sizes.append(len(pack(once, reorder=True)))
        losses.append(error(once, official) - error(model, official))
    return (f"Untrained, official digits: {spread(sizes, '{:,.0f}')} bytes, "
            f"{spread([100 * loss for loss in losses], '{:.2f}')} points lost (goals: at most 0.5 "
            "points in 37,000, 25,000 and 16,300 bytes).")


def decoding():
    """One line: seconds to read the largest file, and a checksum of what came out."""
    data, start = pretrained.path("lenet-untied").read_bytes(), time.process_time()
    network, checksum = unpack(data), 0
    seconds = time.process_time() - start
    for layer in network.layers:
        checksum = zlib.crc32(layer.weight.tobytes() + layer.bias.tobytes(), checksum)
    return (f"Reading lenet-untied.mc ({len(data):,} bytes) takes {seconds:.1f} s; CRC-32 of the "
            f"weights and biases: {checksum:08x}.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder with MNIST's official files")
    options = parser.parse_args()
    torch.set_num_threads(1)
    here = full_is_here(options.data)
    official = load_full(options.data, progress=False)[1] if here else None
    print("## How small the networks get\n\n`python -m tests.benchmarks.bench_recipes`\n")
    print("Recorded by `python -m tools.train_pretrained`: means over the seeds (lowest-highest). "
          "Choices were made on the validation digits. All of them use augmented copies of the "
          "training digits, which the papers do not; all but -untied share weights of 2x2 "
          "pixels.\n")
    print("\n".join(recorded_table()), "\n\nThe files that come with the package, now:\n")
    print("\n".join(files_table(official)), "\n\nMade now, on the 1,000 digits; errors on the "
          "sample's other 4,000, which served as validation digits:\n")
    print("\n".join(live_table()))
    if official:
        print(f"\n{once_on_official(official)}")
    print(f"\n{decoding()}")


if __name__ == "__main__":
    main()

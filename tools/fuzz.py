"""Damage packed files and see that reading them ends well.

    python -m tools.fuzz --count 1000000

Every file must be rejected with PackedFileError or give a network inside the limits, soon. A bit
more than half of the files get a correct checksum after the damage, so that the decoders behind it
are reached; damage without it must always be rejected.
"""

import argparse
import itertools
import random
import resource
import sys
import time
import zlib
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from mnist_compress.integer import IntegerConvolution, IntegerLayer, IntegerNetwork, spread_2x2
from mnist_compress.packed import CODECS, PackedFileError, pack, unpack
from mnist_compress.packed.header import Port

SLOWEST = 2.0  # seconds of processor time that one file may take
MOST_MEMORY = 200  # MiB that this process may take
CHECKSUM_SHARE = 0.65
CONVOLUTIONS = "convolutions"  # counted like a codec: their files are another version of the format
FRONT = ("the checksum", "not a packed")  # how problems begin that are found before the decoders
INTERESTING = (0, 1, 2, 4, 63, 64, 127, 128, 129, 192, 254, 255)


@dataclass
class Report:
    """What happened to the files, counted by codec and outcome."""

    outcomes: Counter = field(default_factory=Counter)  # (codec, fate) -> files
    problems: Counter = field(default_factory=Counter)  # message without its numbers -> files
    slowest: tuple = (0.0, -1, "")  # seconds, number of the file, hex
    largest: tuple = (0.0, -1, "")  # MiB that reading it took beyond all before, number, hex
    failures: list = field(default_factory=list)  # (number of the file, what went wrong, hex)

    def total(self, fate):
        """Files of one fate: "damaged", "past", "decoded" or "accepted"."""
        return sum(count for (_, what), count in self.outcomes.items() if what == fate)

    def lines(self):
        """The report as text."""
        fates = ("damaged", "accepted", "past", "decoded")
        yield f"{'codec':16}" + "".join(f"{fate:>10}" for fate in fates)
        for codec in (*CODECS, CONVOLUTIONS):
            yield f"{codec:16}" + "".join(f"{self.outcomes[codec, fate]:10}" for fate in fates)
        yield f"{'all':16}" + "".join(f"{self.total(fate):10}" for fate in fates)
        yield "damaged: files tried; accepted: of those with a wrong checksum (must be 0);"
        yield "past: got past the checksum; decoded: of these gave a network inside the limits"
        yield "slowest: file {1}, {0:.2f} s: {2}".format(*self.slowest)
        yield "largest: file {1}, {0:.1f} MiB more than all before: {2}".format(*self.largest)
        yield f"{len(self.failures)} failures"
        yield from (f"{count:10}  {problem}" for problem, count in self.problems.most_common())
        yield from (f"FAILED file {number}: {what}\n{data}" for number, what, data in self.failures)


def network(rng, widths, density, levels, channels=False, tied=False):
    """A random IntegerNetwork. rng: np.random.Generator; levels: magnitudes of the weights."""
    layers = []
    for place, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        size = outputs, inputs // 4 if tied and place == 0 else inputs
        weight = rng.choice(levels, size) * rng.choice([-1, 1], size)
        weight = (weight * (rng.random(size) < density)).astype(np.int8)
        if tied and place == 0:
            weight = spread_2x2(weight)
        bias = rng.integers(-40, 40, outputs).astype(np.int32) * 50
        shape = (outputs,) if channels and place < len(widths) - 2 else ()
        layer = IntegerLayer(weight, bias, rng.uniform(0.001, 1, shape).astype(np.float32))
        if place < len(widths) - 2:
            layer.multiplier = rng.integers(1, 1 << 24, shape).astype(np.int32)
            layer.shift = rng.integers(1, 40, shape).astype(np.int32)
        layers.append(layer)
    return IntegerNetwork(layers)


def convolutions(rng, side, first, second, classes):
    """A random IntegerNetwork of convolutions: a stride, a depthwise layer, a pool, a sum."""
    layers, channels = [], 1
    for outputs, kernel, more in ((first, 5, {"stride": 2}), (first, 3, {"groups": first}),
                                  (second, 1, {"pool": 2}), (classes, 1, {"pool": 0})):
        inside = channels // more.get("groups", 1)
        weight = rng.integers(-9, 10, (outputs, inside, kernel, kernel)).astype(np.int8)
        bias = 16 * rng.integers(-60, 60, outputs, np.int32)
        multiplier, shift = (rng.integers(4, 9, outputs, np.int32) for _ in range(2))
        if more.get("pool") == 0:
            multiplier = shift = None
        layers.append(IntegerConvolution(weight, bias, np.array(0.5, np.float32), multiplier, shift,
                                         side=side, **more))
        if shift is not None:
            layers[-1].scale = (multiplier / 2.0**shift).astype(np.float32)
        side, channels = layers[-1].out_side, outputs
    return IntegerNetwork(layers)


def seeds():
    """Files to damage: (codec, bytes) for a few small networks in every format."""
    rng = np.random.default_rng(7)
    networks = [
        network(rng, (16, 6, 3), 0.3, [127]),
        network(rng, (64, 5, 4, 3), 0.1, [20, 60, 127], tied=True),
        network(rng, (9, 7, 2), 1.0, range(1, 128), channels=True),
        network(rng, (12, 1), 0.0, [1]),
        network(rng, (300, 3), 0.02, [5, 9]),
    ]
    files = [(codec, pack(each, codec)) for codec in CODECS for each in networks]
    return files + [(CONVOLUTIONS, pack(convolutions(rng, *sizes), "context_mixing"))
                    for sizes in ((8, 2, 3, 2), (5, 1, 1, 1), (9, 2, 2, 4), (6, 3, 1, 3),
                                  (12, 4, 6, 10))]


def damage(chance, data, other):
    """bytes -> other bytes, by one to four random edits. chance: random.Random; other: a donor."""
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        place = chance.randrange(len(data) + 1)
        if chance.random() < 0.2:  # most of a file is body: aim at the header as well
            place = min(place, chance.randrange(24))
        length, edit = chance.choice((1, 1, 2, 4, 16)), chance.randrange(7)
        if edit == 0 and place < len(data):
            data[place] ^= 1 << chance.randrange(8)
        elif edit == 1:
            data[place:place + 1] = bytes([chance.choice(INTERESTING)])
        elif edit == 2:
            del data[place:place + length]
        elif edit == 3:
            data[place:place] = chance.randbytes(length)
        elif edit == 4:
            data[place:place + length] = chance.randbytes(length)
        elif edit == 5:
            start = chance.randrange(len(other))
            data[place:place + length] = other[start:start + length]
        else:
            del data[place:]
    return bytes(data)


def judge(data):
    """Read a file; return the network, checked to be in the limits, or None, and the problem."""
    try:
        result = unpack(data)
    except PackedFileError as problem:
        return None, "".join(letter for letter in str(problem) if not letter.isdigit())
    weights = sum(layer.weight.size for layer in result.layers)
    assert weights <= Port.LIMITS["weights"], "too many weights"
    for layer, before in zip(result.layers, result.widths, strict=False):
        assert layer.weight.dtype == np.int8 and layer.weight.min() >= -127, "weights"
        assert layer.inputs == before and len(layer.weight) == len(layer.bias), "shapes"
        assert layer.bias.dtype == np.int32, "biases"
        assert np.isfinite(layer.scale).all() and (layer.scale > 0).all(), "scales"
        if layer.shift is not None:
            assert (layer.multiplier > 0).all() and (layer.multiplier < 1 << 24).all(), "multiplier"
            assert (layer.shift > 0).all() and (layer.shift < 64).all(), "shift"
    return result, "decoded"


def peak():
    """The most memory that this process has held so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fuzz(count, seed=0, progress=False):
    """Damage and read `count` files; return a Report. The same seed gives the same files."""
    chance, report, files = random.Random(seed), Report(), seeds()
    for number in range(count):
        codec, original = files[number % len(files)]
        data = damage(chance, original, chance.choice(files)[1])
        renewed = chance.random() < CHECKSUM_SHARE and len(data) > 4
        if renewed:
            data = data[:-4] + zlib.crc32(data[:-4]).to_bytes(4, "little")
        if data == original:
            renewed = True
        report.outcomes[codec, "damaged"] += 1
        before = peak()
        start = time.process_time()  # not the clock on the wall: other programs may hold us up
        try:
            result, problem = judge(data)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a panic inside constriction is no Exception
            report.failures.append((number, repr(error), data.hex()))
            continue
        taken = time.process_time() - start
        report.slowest = max(report.slowest, (taken, number, data.hex()))
        report.largest = max(report.largest, (peak() - before, number, data.hex()))
        if taken > SLOWEST:
            report.failures.append((number, f"{taken:.1f} seconds", data.hex()))
        report.problems[problem] += 1
        report.outcomes[codec, "past"] += renewed and not problem.startswith(FRONT)
        report.outcomes[codec, "decoded" if renewed else "accepted"] += result is not None
        if result is not None and not renewed:
            report.failures.append((number, "accepted with a wrong checksum", data.hex()))
        if progress and number % 50000 == 49999:
            print(f"{number + 1} files, {len(report.failures)} failures", file=sys.stderr)
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    start = time.perf_counter()
    report = fuzz(options.count, options.seed, progress=True)
    print("\n".join(report.lines()))
    taken = time.perf_counter() - start
    print(f"{options.count} files in {taken:.0f} s, peak memory {peak():.0f} MiB")
    return 1 if report.failures or peak() > MOST_MEMORY else 0


if __name__ == "__main__":
    sys.exit(main())

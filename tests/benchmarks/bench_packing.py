"""Speed, size and memory of the packed formats as networks grow, beside general compressors.

    python -m tests.benchmarks.bench_packing                  # up to 100 million weights
    python -m tests.benchmarks.bench_packing --largest 1e7    # order-0 alone beyond --peers

Every case runs in a process of its own on one thread. Speeds are millions of weights in a second
of processor time, the median of five runs (of one for the others and above 10 million). Weights are
rounded normal numbers (standard deviation 30), a given share of them zero. Memory is the peak above
what was there before, with the int8 array (packing) or the file (unpacking) added, in multiples of
the int8 array; Linux with glibc only.
"""

import argparse
import ctypes
import gzip
import json
import lzma
import platform
import subprocess
import sys
import time
import zlib
from importlib.metadata import version
from pathlib import Path

import numpy as np
import zstandard
from safetensors.numpy import load as load_safetensors
from safetensors.numpy import save as save_safetensors

from mnist_compress import pretrained
from mnist_compress.integer import IntegerLayer, IntegerNetwork, share_2x2
from mnist_compress.packed import CODECS, breakdown, pack, unpack
from tools import ROOT

SIZES = (100_000, 1_000_000, 10_000_000, 100_000_000)
ZEROS = (0.0, 0.5, 0.9)
ROWS = 1000


def one_layer(weight):
    """int8 (out, in) -> an IntegerNetwork of this layer alone."""
    bias = np.zeros(len(weight), np.int32)
    return IntegerNetwork([IntegerLayer(weight, bias, np.array(0.5, np.float32))])


def example(count, zeros):
    """int8 matrix of about `count` weights, made a few rows at a time to leave no peak behind."""
    rng, side = np.random.default_rng(0), round(count**0.5)
    weight = np.empty((side, side), np.int8)
    for start in range(0, side, ROWS):
        part = weight[start:start + ROWS]
        part[:] = np.clip(np.rint(30 * rng.standard_normal(part.shape, np.float32)), -127, 127)
        part[rng.random(part.shape, np.float32) < zeros] = 0
    return weight


def restore(data, side):
    """bytes of int8 weights -> a square matrix."""
    return np.frombuffer(data, np.int8).reshape(side, side)


PEERS = {
    "zstd -19": (
        lambda w: zstandard.ZstdCompressor(level=19).compress(w.tobytes()),
        lambda d, side: restore(zstandard.ZstdDecompressor().decompress(d), side),
    ),
    "lzma": (
        lambda w: lzma.compress(w.tobytes()),
        lambda d, side: restore(lzma.decompress(d), side),
    ),
    "safetensors + gzip": (
        lambda w: gzip.compress(save_safetensors({"weight": w})),
        lambda d, side: load_safetensors(gzip.decompress(d))["weight"],
    ),
    "order0": (
        lambda w: pack(one_layer(w), "order0"),
        lambda d, side: unpack(d, trusted=True).layers[0].weight,
    ),
}


def memory(field):
    """VmRSS (now) or VmHWM (the most so far) of this process, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise OSError(f"no {field} in /proc/self/status")


def measured(work, repeats):
    """Run work() some times; return its result, the median seconds and the peak memory of a run."""
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before, times = memory("VmRSS"), []
    for _ in range(repeats):
        start, result = time.process_time(), None
        result = work()
        times.append(time.process_time() - start)
    return result, sorted(times)[len(times) // 2], memory("VmHWM") - before


def run_case(name, count, zeros):
    """Measure one compressor on one array; return a dict of numbers."""
    compress, decompress = PEERS[name]
    small = example(10_000, 0.5)
    decompress(compress(small), len(small))  # imports and first-use costs
    weight = example(count, zeros)
    repeats = 5 if name == "order0" and count <= 10_000_000 else 1
    data, packing, peak_in = measured(lambda: compress(weight), repeats)
    again, unpacking, peak_out = measured(lambda: decompress(data, len(weight)), repeats)
    assert np.array_equal(again, weight), name
    return {
        "weights": weight.size,
        "bytes": len(data),
        "pack": weight.size / packing,
        "unpack": weight.size / unpacking,
        "pack_memory": (peak_in + weight.nbytes) / weight.nbytes,
        "unpack_memory": (peak_out + len(data)) / weight.nbytes,
    }


def in_process(name, count, zeros):
    """run_case in a fresh Python."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_packing",
               "--case", name, str(count), str(zeros)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def growth_table(largest, peers):
    """Markdown lines: every compressor at every size and share of zeros."""
    yield "| zeros | weights | codec | bytes each | pack M/s | unpack M/s | pack memory | unpack |"
    yield "|---|---|---|---|---|---|---|---|"
    for zeros in ZEROS:
        for count in (size for size in SIZES if size <= largest):
            for name in PEERS if count <= peers else ("order0",):
                case = in_process(name, count, zeros)
                yield (
                    f"| {zeros:.0%} | {count:,} | {name} | {case['bytes'] / case['weights']:.4f} "
                    f"| {case['pack'] / 1e6:.1f} | {case['unpack'] / 1e6:.1f} "
                    f"| {case['pack_memory']:.2f} x | {case['unpack_memory']:.2f} x |"
                )


def ladder_table(network):
    """Markdown lines: one network in every format, and in general compressors the same integers: of
    the first layer's weights the shared ones, if 2x2 pixels share them."""
    first, *others = [layer.weight for layer in network.layers]
    shared = share_2x2(first)
    stored = (first if shared is None else shared, *others)
    weights = b"".join(weight.tobytes() for weight in stored)
    yield "| format | bytes | header | positions | signs | magnitudes | scales | biases |"
    yield "|---|---|---|---|---|---|---|---|"
    for codec in CODECS:
        data = pack(network, codec)
        parts = " | ".join(str(size) for size in breakdown(data).values())
        yield f"| {codec} | {len(data)} | {parts} |"
    peers = {"zlib -9": zlib.compress(weights, 9), "lzma": lzma.compress(weights)}
    peers["zstd -19"] = zstandard.ZstdCompressor(level=19).compress(weights)
    for name, data in peers.items():
        yield f"| {name}, the same weights alone | {len(data)} | | | | | | |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--largest", type=float, default=1e8)
    parser.add_argument("--peers", type=float, default=1e6, help="largest size for the others")
    parser.add_argument("--networks", nargs="*", default=["thousand", "lenet"],
                        help="shipped networks to write in all formats")
    parser.add_argument("--case", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        name, count, zeros = options.case
        print(json.dumps(run_case(name, int(count), float(zeros))))
        return
    names = ("constriction", "numpy", "zstandard", "safetensors")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    print("## Packed formats\n\n`python -m tests.benchmarks.bench_packing`\n")
    print(f"{platform.machine()}, Python {platform.python_version()}, {versions}; one thread.")
    for name in options.networks:
        print(f"\nThe network {name} in every format, bytes and what they are for:\n")
        print("\n".join(ladder_table(pretrained.load(name))), flush=True)
    print("\nAs work grows: random weights of standard deviation 30, millions of weights a second "
          "of processor time, peak memory in multiples of the int8 array:\n")
    for line in growth_table(options.largest, options.peers):
        print(line, flush=True)


if __name__ == "__main__":
    main()

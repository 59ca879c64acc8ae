"""Files that cost a reader as much time or memory as any can: one JSON line for each.

    python -m tests.unit.packed.hostile

Runs in a process of its own, for the memory it takes is the process's.
"""

import json
import random
import time
from pathlib import Path

import numpy as np

from mnist_compress.integer import IntegerLayer
from mnist_compress.packed import PackedFileError, pack, unpack
from mnist_compress.packed.file import walk
from mnist_compress.packed.header import Header, Port

from .examples import hand_made, make_network, varint

LEVELS = bytes([127, *range(1, 128)])


def long_biases(units):
    """A file of context mixing in which each bias takes about 60 bits."""
    bias = np.random.default_rng(0).integers(-2**31, 2**31, units).astype(np.int32)
    layer = IntegerLayer(np.zeros((units, 1), np.int8), bias, np.array(1, np.float32))
    port = Port()
    walk(port, Header(4, False, [layer], [1]))
    return port.finish()


def ranks(count):
    """Level 127 for the even, 1 for the odd of `count` weights, as three formats have it."""
    planes = [b"\x55" * (count // 8)] * 6 + [bytes(count // 8)]
    return LEVELS + b"\xff" * (count // 8) + b"".join(planes)


def order0(words, noise):
    """Four million weights of 255 values, in chunks of so many words."""
    shares = np.full(255, 257, "<u2")
    shares[0] += 65536 - 257 * 255
    symbols = bytes([255, *(byte for byte in range(256) if byte != 128)])
    chunk = varint(words) + noise[:4 * words]
    return hand_made((1 << 22, 1), "order0",
                     body=b"\0" + symbols + shares.tobytes() + chunk * 64)


def files():
    """Yield name and bytes; those above a limit have "above" in front."""
    noise = random.Random(0).randbytes(1 << 20)
    yield "above: units", hand_made((1, 1 << 15), "context_mixing", body=noise[:180])
    yield "above: weights", hand_made((1 << 28, 1), "order0", body=b"\0\2\0\1" + bytes(4100))
    yield "above: lookups for biases", long_biases(9000)
    yield "above: lookups for weights", hand_made((1024, 1000), "context_mixing", body=noise)
    yield "above: bytes", hand_made((4, 4), body=bytes(1 << 23))
    yield "bytes that nobody needs", hand_made((4, 4), body=bytes((1 << 23) - 99))
    yield "inputs that nobody needs", hand_made((1 << 20, 1), "context_mixing", body=b"\xff" * 99)
    yield "a scale for each unit", pack(
        make_network(0, (20, (1 << 14) - 1, 1), channels=True, density=0), "dense")
    dense, sparse = 1 << 22, 1 << 21  # weights: as many as there may be; as many as fit
    yield "dense", hand_made((256, 1 << 14), body=b"\1" + bytes(1 << 14) + b"\1" * dense)
    yield "bitmask", hand_made((256, 1 << 14), "bitmask",
                               body=b"\0" + b"\xff" * (dense // 8) + ranks(dense))
    rows = np.full(2048, 1024, "<u2").tobytes() + np.arange(1024, dtype="<u2").tobytes() * 2048
    yield "csr", hand_made((1024, 2048), "csr", body=b"\0" + rows + ranks(sparse))
    yield "order0 without words", order0(0, noise)
    yield "order0 of many words", order0(25_000, noise)


def resident(field):
    """VmRSS (now) or VmHWM (the most so far) of this process, in MB."""
    line, = (line for line in Path("/proc/self/status").read_text().splitlines()
             if line.startswith(field))
    return int(line.split()[1]) / 1024


def main():
    """Read each file and print its name, what came of it, seconds and megabytes."""
    for name, data in files():
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
        before, start = resident("VmRSS"), time.process_time()
        try:
            outcome = f"{unpack(data).widths}"
        except PackedFileError as problem:
            outcome = str(problem)
        print(json.dumps({"name": name, "outcome": outcome, "bytes": len(data),
                          "seconds": time.process_time() - start,
                          "megabytes": resident("VmHWM") - before + len(data) / 2**20}))


if __name__ == "__main__":
    main()

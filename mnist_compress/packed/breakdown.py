"""packed/breakdown"""

from collections import Counter
from math import log2

import numpy as np

from .context_mixing import Mixer, walk
from .file import file_parts, stored, unpack
from .header import MAX_WEIGHTS, check, read_header
from .plain import histogram

LABELS = ("header", "positions", "signs", "magnitudes", "scales", "biases")


def breakdown(data, max_weights=MAX_WEIGHTS):
    """bytes that pack wrote -> dict of LABELS to whole bytes, which add up to len(data).

    The bytes of a stream are shared out by the information they carry, rounded to whole bytes by
    largest remainder. Raises PackedFileError.
    """
    header, network = read_header(data, max_weights)[0], unpack(data, max_weights)
    parts = list(file_parts(network, header.coder, header.tied, False))
    check(b"".join(part for _, part in parts) == data, "pack would have written other bytes")
    exact = Counter(dict.fromkeys(LABELS, 0.0))
    for label, part in parts:
        exact[label] += len(part)
    stream = exact.pop("stream", 0)
    if stream:
        shares = STREAM_SHARES[header.coder](stored(network, header.tied)[2])
        for label, share in shares.items():
            exact[label] += stream * share / sum(shares.values())
    whole = {label: int(size) for label, size in exact.items()}
    for label in sorted(exact, key=lambda label: whole[label] - exact[label]):
        whole[label] += sum(whole.values()) < len(data)
    return whole


def information(counts):
    """Bits that it takes to tell apart items with these counts (Shannon 1948)."""
    counts = np.asarray(counts, float)
    return float((counts * np.log2(max(counts.sum(), 1) / np.maximum(counts, 1))).sum())


def order0_shares(layers):
    """Bits of positions, signs and magnitudes in the order-0 streams of all layers."""
    bits = Counter()
    for layer in layers:
        counts = histogram(np.ascontiguousarray(layer.weight))
        up, down = counts[1:128], counts[:128:-1]
        bits["positions"] += information([counts[0], counts[1:].sum()])
        bits["signs"] += sum(information(pair) for pair in zip(up, down, strict=True))
        bits["magnitudes"] += information(up + down)
    return bits


class Meter(Mixer):
    """A mixer that writes nothing and adds up the bits each label would take."""

    KINDS = ("", "magnitudes", "positions", "biases", "biases", "positions", "signs", "magnitudes")

    def __init__(self):
        super().__init__(self.count)
        self.label, self.bits = "", Counter()

    def bit(self, kind, contexts, truth=0):
        self.label = self.KINDS[kind % 8]
        return super().bit(kind, contexts, truth)

    def count(self, p, truth):
        self.bits[self.label] -= log2((p if truth else 65536 - p) / 65536)
        return int(truth)


def record_shares(layers):
    """Bits of positions, signs, magnitudes and biases in the record stream of layers."""
    meter = Meter()
    walk(meter, layers)
    return meter.bits


def dense_shares(layers):
    """One bit of each byte is the sign."""
    return {"signs": 1, "magnitudes": 7}
STREAM_SHARES = {"dense": dense_shares, "order0": order0_shares, "record": record_shares}

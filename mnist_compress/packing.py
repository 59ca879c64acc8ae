"""Model <-> bytes: five file formats, each knowing more about zeros and small integers.

dense    one byte for each weight
bitmask  one bit says where the weights are; signs and levels of those that are there
csr      the column of each weight in the smallest integer type, and the same signs and levels
order0   a range coder with one histogram for each layer (constriction, made for such research)
record   context mixing after Mahoney's paq: a few microseconds for each bit, the smallest file

`pack` and `unpack` go between a network of integers and bytes, `breakdown` says what each byte is
for. Writing is for trusted networks and raises ValueError; reading trusts nothing and raises
PackedFileError, which says what is wrong. No byte depends on the machine.
"""

import io
import zlib
from collections import Counter
from math import log2
from pathlib import Path

import constriction
import numpy as np

from .packed_decoder import Mixer, bit_reader, walk
from .packed_format import (
    CODERS,
    MAX_WEIGHTS,
    RECORD_WEIGHTS,
    PackedFileError,
    PackedLayer,
    PackedNetwork,
    check,
    check_layers,
    read_header,
    require,
    share_2x2,
    sort_units,
    spread_2x2,
    varint,
    write_header,
)

LABELS = ("header", "positions", "signs", "magnitudes", "scales", "biases")
CHUNK = 1 << 16  # weights in one stream of the order-0 coder
PIECE = 1 << 12  # weights that are wider than a byte at a time, in memory
TOTAL = 1 << 16  # sum of an order-0 histogram


def pack(model, coder="record", *, share=True, reorder=False):
    """Model of integers -> bytes of one file.

    model: an IntegerClassifier or a PackedNetwork. coder: one of CODERS. share: store a first layer
    whose 2x2 blocks of pixels have equal weights once a block. reorder: sort hidden units first
    (`sort_units`: the same function, a smaller record file). Raises ValueError.
    """
    with io.BytesIO() as file:  # unlike join, it does not hold every part twice at the end
        for _, part in file_parts(as_network(model), coder, share, reorder):
            file.write(part)
        return file.getvalue()


def unpack(data, max_weights=MAX_WEIGHTS):
    """bytes -> PackedNetwork with the very integers that were packed; raises PackedFileError.

    max_weights: the most weights the network may have (record files: at most RECORD_WEIGHTS).
    """
    header, cursor = read_header(data, max_weights)
    READERS[header.coder](cursor, header.layers)
    for layer, step in zip(header.layers, header.steps, strict=True):
        whole = layer.bias.astype(np.int64) * step
        check(whole.size == 0 or abs(whole).max() < 1 << 31, "a bias is out of range")
        layer.bias = whole.astype(np.int32)
    if header.tied:
        header.layers[0].weight = spread_2x2(header.layers[0].weight)
    return PackedNetwork(header.layers)


def save_packed(model, path, coder="record", **options):
    """Write `pack(model, coder, **options)` to a file; return its size in bytes."""
    return Path(path).write_bytes(pack(model, coder, **options))


def load_packed(path, max_weights=MAX_WEIGHTS):
    """Read a file as `unpack` does; a file too large for max_weights is not even read."""
    size = Path(path).stat().st_size
    check(size <= 16 * max_weights + 4096, f"{size} bytes are too many for {max_weights} weights")
    return unpack(Path(path).read_bytes(), max_weights)


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


def as_network(model):
    """IntegerClassifier (of tensors) or PackedNetwork -> PackedNetwork; raises ValueError."""
    require(all(hasattr(layer, "scale") for layer in getattr(model, "layers", [None])),
            "model must be an IntegerClassifier, as quantize_model makes it, or a PackedNetwork; "
            f"got {type(model).__name__}")
    layers = [
        PackedLayer(
            np.asarray(layer.weight),
            np.asarray(layer.bias),
            np.asarray(layer.scale, np.float32),
            *(None if part is None else np.asarray(part, np.int32)
              for part in (layer.multiplier, layer.shift)),
        )
        for layer in model.layers
    ]
    check_layers(layers)
    return PackedNetwork(layers)


def stored(network, share):
    """PackedNetwork -> tied, bias steps and layers to store: the first shared, biases in steps."""
    small = share_2x2(network.layers[0].weight) if share else None
    steps = [max(1, int(np.gcd.reduce(layer.bias.astype(np.int64)))) for layer in network.layers]
    steps = [step if step // (step & -step) < 1 << 24 else step & -step for step in steps]
    layers = [
        PackedLayer(layer.weight, layer.bias // step, layer.scale)
        for layer, step in zip(network.layers, steps, strict=True)
    ]
    if small is not None:
        layers[0].weight = small
    return small is not None, steps, layers


def file_parts(network, coder, share, reorder):
    """Yield (label, bytes) from the first byte of the file to the last; label "stream" is mixed."""
    require(coder in CODERS, f"coder must be one of {CODERS}, got {coder!r}")
    network = sort_units(network) if reorder else network
    tied, steps, layers = stored(network, share)
    weights = sum(layer.weight.size for layer in network.layers)
    limit = RECORD_WEIGHTS if coder == "record" else MAX_WEIGHTS
    require(weights <= limit, f"{weights} weights are too many for {coder}: at most {limit}")
    checksum = 0
    parts = write_header(coder, tied, network, steps)
    for section in (parts, WRITERS[coder](layers)):
        for label, part in section:
            checksum = zlib.crc32(part, checksum)
            yield label, part
    yield "header", checksum.to_bytes(4, "little")


def by_layer(write):
    """Turn a writer of one layer's weights into a writer of all, with each layer's biases first."""
    def write_all(layers):
        for layer in layers:
            yield "biases", write_biases(layer.bias)
            yield from write(layer.weight)
    return write_all


def read_by_layer(read):
    """Turn a reader of one layer's weights into a reader of all, the inverse of by_layer."""
    def read_all(cursor, layers):
        for layer in layers:
            read_biases(cursor, layer.bias)
            read(cursor, layer.weight)
        check(len(cursor.rest) == 0, f"{len(cursor.rest)} bytes too many")
    return read_all


def write_biases(bias):
    """int32 (n,) -> the bytes of one bias (0, 1, 2 or 4), then the biases in so many."""
    if not bias.any():
        return bytes([0])
    kinds = [np.dtype(f"<i{size}") for size in (1, 2, 4)]
    kind = next(kind for kind in kinds if (bias.astype(kind) == bias).all())
    return bytes([kind.itemsize]) + bias.astype(kind).tobytes()


def read_biases(cursor, bias):
    """Fill bias (n,) from the cursor."""
    size = int(cursor.take(1)[0])
    check(size in (0, 1, 2, 4), f"biases of {size} bytes")
    bias[:] = cursor.take(len(bias), f"<i{size}") if size else 0


def write_dense(weight):
    yield "stream", memoryview(np.ascontiguousarray(weight)).cast("B")


def read_dense(cursor, weight):
    weight[:] = cursor.take(weight.size, np.int8).reshape(weight.shape)
    check(weight.min() > -128, "a weight of -128")


def write_bitmask(weight):
    yield "positions", np.packbits(weight != 0).tobytes()
    yield from write_values(weight[weight != 0])


def read_bitmask(cursor, weight):
    mask = np.unpackbits(cursor.take(-(-weight.size // 8)), count=weight.size).astype(bool)
    weight.reshape(-1)[mask] = read_values(cursor, np.count_nonzero(mask))


def write_csr(weight):
    """For each unit the number of its weights, then all their columns, in one integer type."""
    kind = np.min_scalar_type(weight.shape[1]).newbyteorder("<")
    yield "positions", np.count_nonzero(weight, axis=1).astype(kind).tobytes()
    yield "positions", np.nonzero(weight)[1].astype(kind).tobytes()
    yield from write_values(weight[weight != 0])


def read_csr(cursor, weight):
    kind = np.min_scalar_type(weight.shape[1]).newbyteorder("<")
    counts = cursor.take(len(weight), kind).astype(np.int64)
    check(counts.max() <= weight.shape[1], "more weights in a row than columns")
    columns = cursor.take(int(counts.sum()), kind)
    rows = np.repeat(np.arange(len(weight)), counts)
    places = rows * weight.shape[1] + columns
    check(columns.max(initial=0) < weight.shape[1], "a column outside the matrix")
    check((np.diff(places) > 0).all(), "columns out of order")
    weight.reshape(-1)[places] = read_values(cursor, len(columns))


def write_values(values):
    """int8 (n,) without zeros -> their levels, signs and, bit by bit, which level each has."""
    levels = np.flatnonzero(histogram(np.abs(values)))
    rank = np.searchsorted(levels, np.abs(values)).astype(np.uint8)
    yield "magnitudes", bytes([len(levels), *levels])
    yield "signs", np.packbits(values > 0).tobytes()
    for bit in range((max(len(levels), 1) - 1).bit_length()):
        yield "magnitudes", np.packbits(rank >> bit & 1).tobytes()


def read_values(cursor, count):
    """The int8 (count,) that write_values wrote."""
    size = -(-count // 8)
    levels = cursor.take(int(cursor.take(1)[0]))
    check(not len(levels) or 0 < levels.min() <= levels.max() < 128, "a level out of range")
    check(len(levels) or not count, "weights without levels")
    positive = np.unpackbits(cursor.take(size), count=count).astype(bool)
    rank = np.zeros(count, np.uint8)
    for bit in range((max(len(levels), 1) - 1).bit_length()):
        rank |= np.unpackbits(cursor.take(size), count=count) << bit
    check(rank.max(initial=0) < max(len(levels), 1), "a level that does not exist")
    values = levels.astype(np.int8)[rank] if count else np.zeros(0, np.int8)
    return np.where(positive, values, -values)


def histogram(values):
    """int8 array -> int64 (256,): how often each byte occurs, counted a piece at a time."""
    counts = np.zeros(256, np.int64)
    for piece in parts_of(values.reshape(-1).view(np.uint8), PIECE):
        counts += np.bincount(piece, minlength=256)
    return counts


def parts_of(flat, size):
    """Views of `size` items each, the last one of what is left."""
    return (flat[start:start + size] for start in range(0, flat.size, size))


def frequencies(counts):
    """Counts -> integers of sum TOTAL in proportion, at least 1 where a count is not 0."""
    shares = np.maximum(counts * TOTAL // counts.sum(), counts > 0)
    shares[shares.argmax()] += TOTAL - shares.sum()
    return shares


def categorical(shares):
    """The range coder's model; the floats are exact, as TOTAL is a power of two."""
    return constriction.stream.model.Categorical(shares / TOTAL, perfect=False)


def write_order0(weight):
    """The bytes that occur, 16 bits for the frequency of each, then chunks of 32-bit words."""
    weight = np.ascontiguousarray(weight)
    counts = histogram(weight)
    symbols = np.flatnonzero(counts)
    yield "magnitudes", bytes([len(symbols), *symbols.tolist()])
    if len(symbols) == 1:
        return
    shares = frequencies(counts)[symbols]
    yield "magnitudes", shares.astype("<u2").tobytes()
    number, model = np.zeros(256, np.int32), categorical(shares)
    number[symbols] = np.arange(len(symbols))
    for chunk in parts_of(weight.reshape(-1).view(np.uint8), CHUNK):
        encoder = constriction.stream.queue.RangeEncoder()
        for piece in parts_of(chunk, PIECE):
            encoder.encode(number[piece], model)
        words = encoder.get_compressed().astype("<u4", copy=False)
        yield "header", varint(len(words))
        yield "stream", memoryview(words).cast("B")


def read_order0(cursor, weight):
    """Fill weight (out, in) from the cursor."""
    symbols, flat = cursor.take(int(cursor.take(1)[0])), weight.reshape(-1)
    check(len(symbols) and 128 not in symbols, "impossible weights in a histogram")
    if len(symbols) == 1:
        flat[:] = symbols.view(np.int8)
        return
    shares = cursor.take(len(symbols), "<u2").astype(np.int64)
    check(shares.min() > 0 and shares.sum() == TOTAL, "a histogram does not add up")
    model = categorical(shares)
    for chunk in parts_of(flat, CHUNK):
        words = cursor.take(cursor.varint(), "<u4").astype(np.uint32)
        decoder = constriction.stream.queue.RangeDecoder(words)
        for piece in parts_of(chunk, PIECE):
            try:
                numbers = decoder.decode(model, piece.size)
            except (AssertionError, ValueError) as problem:
                raise PackedFileError(
                    f"the stream does not fit its histogram: {problem}") from problem
            piece[:] = symbols.view(np.int8)[numbers]


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


class BitWriter:
    """Arithmetic encoder, the mirror of packed_decoder.bit_reader: 32 bits, carries rippled."""

    def __init__(self):
        self.low, self.span, self.out = 0, 0xFFFFFFFF, bytearray()

    def __call__(self, p, truth):
        """Append `truth`, a bit that is 1 with p chances in 65536; return it."""
        part = self.span * p >> 16
        self.low, self.span = (self.low, part) if truth else (self.low + part, self.span - part)
        if self.low >> 32:
            self.carry()
        while self.span < 1 << 24:
            self.out.append(self.low >> 24)
            self.low, self.span = self.low << 8 & 0xFFFFFFFF, self.span << 8
        return int(truth)

    def carry(self):
        """Add the bit above the 32 to the bytes already out."""
        self.low &= 0xFFFFFFFF
        place = len(self.out) - 1
        while self.out[place] == 255:
            self.out[place] = 0
            place -= 1
        self.out[place] += 1

    def finish(self):
        """The stream, ended by the fewest bytes that name a number inside the last span."""
        for size in range(5):
            unit = 1 << 32 - 8 * size
            end = -(-self.low // unit) * unit
            if end < self.low + self.span:
                break
        self.low = end
        if end >> 32:
            self.carry()
        return bytes(self.out + self.low.to_bytes(4, "big")[:size])


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


def write_record(layers):
    """Everything after the header is one stream."""
    writer = BitWriter()
    walk(Mixer(writer), layers)
    yield "stream", writer.finish()


def read_record(cursor, layers):
    """Fill layers (biases in steps) from the rest of the file."""
    walk(Mixer(bit_reader(bytes(cursor.rest))), layers)


def record_shares(layers):
    """Bits of positions, signs, magnitudes and biases in the record stream of layers."""
    meter = Meter()
    walk(meter, layers)
    return meter.bits


def dense_shares(layers):
    """One bit of each byte is the sign."""
    return {"signs": 1, "magnitudes": 7}


STREAM_SHARES = {"dense": dense_shares, "order0": order0_shares, "record": record_shares}
WRITERS = {
    "dense": by_layer(write_dense),
    "bitmask": by_layer(write_bitmask),
    "csr": by_layer(write_csr),
    "order0": by_layer(write_order0),
    "record": write_record,
}
READERS = {
    "dense": read_by_layer(read_dense),
    "bitmask": read_by_layer(read_bitmask),
    "csr": read_by_layer(read_csr),
    "order0": read_by_layer(read_order0),
    "record": read_record,
}

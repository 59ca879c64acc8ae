"""The format "context_mixing": each bit costs what its surroundings leave open about it.

Counters guess a bit, each from something else that is known; a logistic model that learns mixes the
guesses; an arithmetic coder spends -log2 of the mixed probability (Mahoney 2005, "Adaptive Weighing
of Context Models for Lossless Data Compression"). deploy/web/mixer.js has the same parts.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from math import isqrt, log2
from sys import maxsize

import numpy as np

from ..integer import IntegerLayer
from .header import PackedFileError, Port, check

_EDGE = 2559  # log-odds are integers in -_EDGE.._EDGE, in units of 1/256
_POWERS = [1 << 24]  # of exp(-1/256), in units of 2**-24
for _ in range(_EDGE):
    _POWERS.append((_POWERS[-1] * 16711808 + (1 << 23)) >> 24)
_UPPER = [(1 << 40) // ((1 << 24) + power) for power in _POWERS]
_SQUASH = [65536 - p for p in _UPPER[:0:-1]] + _UPPER  # log-odds + _EDGE -> probability in 1/65536
_STRETCH = [min(bisect_left(_SQUASH, 16 * p + 8), 2 * _EDGE) - _EDGE for p in range(4096)]
_LABELS = ("scales", "magnitudes", "positions", "biases", "biases", "positions", "signs",
           "magnitudes")


def mix(port: Port, layers: list[IntegerLayer]) -> None:
    """All layers, biases in steps, are one stream of bits, which `_LayerWalk` asks for."""
    mixed(port, layers, _walk_layers)


def mixed(port: Port, layers: Sequence[IntegerLayer], walk: Callable) -> None:
    """What `walk(mixer, layers)` asks of a mixer is one stream of bits, the rest of the file."""
    port.limit("lookups", sum(layer.weight.size for layer in layers))
    coder = _decoder(bytes(port.rest)) if port.reading else _Encoder()
    walk(_Mixer(coder, port.shares, maxsize if port.trusted else port.LIMITS["lookups"]), layers)
    stream = port.rest if port.reading else coder.finish()
    port.array("stream", np.frombuffer(stream, np.uint8))


def _walk_layers(mixer, layers):
    alive = list(range(layers[0].weight.shape[1]))
    for place, layer in enumerate(layers):
        used = layer.weight.any(1) | (layer.bias != 0)
        if place + 1 < len(layers):
            used |= layers[place + 1].weight.any(0)
        walk = _LayerWalk(mixer, layer, place, alive)
        alive = [unit for unit, truth in enumerate(used.tolist()) if walk.unit(unit, truth)]


class _Encoder:
    """Arithmetic coder of 32 bits, the mirror of `_decoder`. A carry waits in bit 8 of a byte."""

    def __init__(self):
        self.low, self.span, self.out = 0, 0xFFFFFFFF, []

    def __call__(self, p, truth):
        """Append `truth`, a bit that is 1 with p chances in 65536; return it."""
        part = self.span * p >> 16
        self.low, self.span = (self.low, part) if truth else (self.low + part, self.span - part)
        while self.span < 1 << 24:
            self.out.append(self.low >> 24)
            self.low, self.span = (self.low & 0xFFFFFF) << 8, self.span << 8
        return int(truth)

    def finish(self):
        """The stream, ended by the fewest bytes that name a number inside the last span."""
        for size in range(5):
            end = -(-self.low >> 32 - 8 * size) << 32 - 8 * size  # rounded up
            if end < self.low + self.span:
                break
        out = [*self.out, end >> 24, *(end & 0xFFFFFF).to_bytes(3, "big")]
        for place in range(len(out) - 1, 0, -1):
            out[place - 1] += out[place] >> 8
        return bytes(byte & 255 for byte in out[:len(self.out) + size])


def _decoder(data):
    """Arithmetic decoder of bytes: bit(p) is the next bit, which is 1 with p chances in 65536."""
    data = data + bytes(4)
    low, span, at = int.from_bytes(data[:4], "big"), 0xFFFFFFFF, 4

    def bit(p, truth=0):
        nonlocal low, span, at
        part = span * p >> 16
        one = low < part
        low, span = (low, part) if one else (low - part, span - part)
        while span < 1 << 24:
            check(at < len(data), "the stream ends too early")
            low, span, at = low << 8 | data[at], span << 8, at + 1
        return int(one)

    return bit


class _Mixer:
    """Predicts a bit from its contexts, has `coder` read or write it, and learns from it."""

    def __init__(self, coder, shares, most=maxsize):
        self.coder, self.shares = coder, shares  # shares: of each label, the bits that it took
        self.lookups, self.most = 0, most
        self.counters, self.weights = {}, {}  # of each kind of bit

    def bit(self, kind, contexts, truth=0):
        """One bit. kind and contexts: integers that say what is known; truth: the bit to write."""
        self.lookups += len(contexts) + 2  # as many take the time of a bit
        if self.lookups > self.most:
            raise PackedFileError(f"more than {self.most} lookups; trusted=True lifts the limit")
        if kind not in self.weights:
            self.counters[kind] = [{} for _ in contexts]
            self.weights[kind] = [72090 // len(contexts)] * len(contexts)
        weights, seen, inputs, total = self.weights[kind], [], [], 0
        for table, context, weight in zip(self.counters[kind], contexts, weights, strict=True):
            counter = table.get(context)  # probability of a 1 in units of 2**-22, how often seen
            if counter is None:
                counter = table[context] = [seen[0][0] if seen else 1 << 21, 0]
            guess = _STRETCH[counter[0] >> 10]
            seen.append(counter)
            inputs.append(guess)
            total += weight * guess
        p = _SQUASH[min(max(total >> 16, -_EDGE), _EDGE) + _EDGE]
        bit = self.coder(p, truth)
        self.shares[_LABELS[kind % 8]] += 16 - log2(p if bit else 65536 - p)
        goal, error = bit << 22, ((bit << 16) - p) * (2 + 200 // (seen[0][1] + 20))
        for place, counter in enumerate(seen):
            weights[place] += inputs[place] * error + 32768 >> 16
            chance, count = counter
            counter[0] = chance + (goal - chance) // (count + 2)
            counter[1] = min(count + 1, 1000)
        return bit

    def number(self, kind, contexts, most, truth=0):
        """An integer 0..most in Elias's gamma code: the size of value + 1, then its lower bits."""
        size, value, most, truth = 0, 1, most + 1, truth + 1
        contexts = [context << 16 for context in contexts]
        while 2 << size <= most and self.bit(kind, [c | size for c in contexts], truth >> size > 1):
            size += 1
        for place in range(size - 1, -1, -1):
            known = (size << 5 | place) << 5 | min(value, 31)
            bit = self.bit(kind, [c | known for c in contexts], truth >> place & 1)
            value = 2 * value + bit
        check(value <= most, "a number in the stream is out of range")
        return value - 1


class _LayerWalk:
    """What is asked of a layer, whose inputs `alive` may have weights; a reader ignores `truth`."""

    def __init__(self, mixer, layer, place, alive):
        inputs = layer.weight.shape[1]
        side = isqrt(inputs)
        self.side = side if place == 0 and side**2 == inputs else 0  # of a picture
        self.mixer, self.layer, self.kind, self.alive = mixer, layer, 8 * place, alive
        self.live, self.bias = 2, 0  # of the last unit; 2: there was none
        self.columns = {}  # of each input: the last 64 units with a weight, and its sign
        self.levels, present = [], np.unique(np.abs(layer.weight)).tolist()
        for size in range(1, 128):
            self.level(size, size in present)

    def level(self, size, truth):
        """Does a weight of this magnitude occur?"""
        known = 2 * (size == 127) + (size - 1 in self.levels[-1:])
        if self.mixer.bit(1, [known], truth):
            self.levels.append(size)

    def unit(self, unit, truth):
        """Is the unit used? If so, the change of its bias from the last one's, and its weights."""
        mixer, kind = self.mixer, self.kind
        self.live = mixer.bit(kind + 2, [self.live], truth)
        if not self.live:
            return False
        change = int(self.layer.bias[unit]) - self.bias
        step = mixer.number(kind + 3, [0], 1 << 32, abs(change))
        self.bias += -step if step and mixer.bit(kind + 4, [0], change < 0) else step
        check(-(1 << 31) <= self.bias < 1 << 31, "a bias is out of range")
        row = self.layer.weight[unit].tolist()
        # The unit's weights so far: 0 none, 1 negative, 2 positive; around a picture an empty edge.
        # And for each earlier unit, on how many inputs its sign agreed with this one's.
        self.here, self.agree = [0] * (len(row) + 2 * self.side + 3), {}
        for place in self.alive:
            row[place] = self.weight(unit, place, row[place])
        self.layer.bias[unit], self.layer.weight[unit] = self.bias, row
        return True

    def weight(self, unit, place, truth):
        """Is there a weight? If so, its sign and its magnitude."""
        mixer, here, side, spot = self.mixer, self.here, self.side, 0
        contexts, signs = [0, place, unit], [0]
        if side:
            spot = place + place // side + side + 2
            left, (corner, above, other) = here[spot - 1], here[spot - side - 2:spot - side + 1]
            contexts.append((left > 0) + 2 * (corner > 0) + 4 * (above > 0) + 8 * (other > 0))
            signs += [9 * left + 3 * above + corner, 9 * left + 3 * above + other]
        if not mixer.bit(self.kind + 5, contexts, truth != 0):
            return 0
        column = self.columns.get(place, [])
        mixer.lookups += len(column)
        vote = sum(self.agree.get(earlier, 0) * turn for earlier, turn in column)
        signs.append(2 * abs(vote).bit_length() + (vote > 0))
        sign = 2 * mixer.bit(self.kind + 6, signs, truth > 0) - 1
        for earlier, turn in column:
            self.agree[earlier] = self.agree.get(earlier, 0) + sign * turn
        self.columns[place], here[spot] = column[-63:] + [(unit, sign)], 1 + (sign > 0)
        rank = self.levels.index(abs(truth)) if truth else 0
        rank = mixer.number(self.kind + 7, [0, unit, contexts[-1]], len(self.levels) - 1, rank)
        return sign * self.levels[rank]

"""The record coder, decoding side: Python and NumPy only, and no float anywhere.

`walk` visits every weight and describes its surroundings by small integers ("contexts"); `Mixer`
turns them into a probability by logistic mixing, as Mahoney's paq and lpaq do; `bit_reader` turns
the probability and the stream into a bit. The encoder in `packing` runs the same walk, knowing the
bits. Integers stay below 2**53, so that JavaScript can follow line by line.
"""

from bisect import bisect_left
from math import isqrt

from .packed_format import check

EDGE = 2559  # log-odds are integers in -EDGE..EDGE, in units of 1/256
POWERS = [1 << 24]  # of exp(-1/256), in units of 2**-24
for _ in range(EDGE):
    POWERS.append((POWERS[-1] * 16711808 + (1 << 23)) >> 24)
UPPER = [(1 << 40) // ((1 << 24) + power) for power in POWERS]
SQUASH = [65536 - p for p in UPPER[:0:-1]] + UPPER  # log-odds + EDGE -> probability in 1/65536
STRETCH = [min(bisect_left(SQUASH, 16 * p + 8), 2 * EDGE) - EDGE for p in range(4096)]
RATE = [65536 * 10 // (10 * n + 16) for n in range(1000)]  # how far the n-th bit moves an estimate
AROUND = [(0, -1), (-1, 0), (-1, -1), (-1, 1), (0, 0), (0, 1), (1, -1), (1, 0), (1, 1)]
SHARES = (2, 2, 1, 1, 4, 2, 1, 2, 1)


def bit_reader(data):
    """Arithmetic decoder of bytes: bit(p) is the next bit, 1 with p chances in 65536."""
    low, span, at = int.from_bytes(data[:4].ljust(4, b"\0"), "big"), 0xFFFFFFFF, 4

    def bit(p, _):
        nonlocal low, span, at
        part = span * p >> 16
        one = low < part
        low, span = (low, part) if one else (low - part, span - part)
        while span < 1 << 24:
            check(at < len(data) + 4, "the stream ends too early")
            low, span = low << 8 | (data[at] if at < len(data) else 0), span << 8
            at += 1
        return int(one)

    return bit


class Mixer:
    """Predicts a bit from its contexts, has `coder` read (or write) it and learns from it."""

    def __init__(self, coder):
        self.coder, self.states, self.weights = coder, {}, {}

    def bit(self, kind, contexts, truth=0):
        """One bit. kind and contexts: integers that say what is known; truth: the bit, if writing."""
        states, inputs = [], []
        for key in enumerate(contexts, 16 * kind):
            if key not in self.states:  # probability of a 1 in units of 2**-22, how often seen
                self.states[key] = [states[0][0] if states else 1 << 21, 0]
            states.append(self.states[key])
            inputs.append(STRETCH[states[-1][0] >> 10])
        weights = self.weights.setdefault(kind, [19661] * len(contexts))  # 0.3 each
        total = sum(w * x for w, x in zip(weights, inputs, strict=True)) >> 16
        p = min(max(SQUASH[min(max(total, -EDGE), EDGE) + EDGE], 4), 65532)
        bit = self.coder(p, truth)
        error = ((bit << 16) - p) * 2
        for place, (x, state) in enumerate(zip(inputs, states, strict=True)):
            weights[place] += x * error + 32768 >> 16
            state[0] += ((bit << 22) - state[0]) * RATE[state[1]] >> 16
            state[1] = min(state[1] + 1, 999)
        return bit

    def number(self, kind, contexts, most, truth=0):
        """An integer 0..most in Elias's gamma code: the size of value + 1, then its lower bits."""
        size, value = 0, 1
        while 2 << size <= most + 1 and self.bit(
            kind, [c << 15 | size for c in contexts], int(truth + 1 >= 2 << size)
        ):
            size += 1
        for place in reversed(range(size)):
            node = (size << 5 | place) << 5 | min(value, 31)
            bit = self.bit(kind, [c << 15 | node for c in contexts], truth + 1 >> place & 1)
            value = 2 * value + bit
        check(value <= most + 1, "a number in the stream is out of range")
        return value - 1


def level(count):
    """A count's size class: 0 1 2 3 4 4 5 5 6 6 6 6 7 7 7 7 8 ..., two for each doubling."""
    return count if count < 4 else 2 * count.bit_length() + (count >> count.bit_length() - 2 & 1) - 2


def sign(value, most=1):
    """value brought into -most..most and made positive, to serve as a context."""
    return min(max(value, -most), most) + most


def walk(mixer, layers):
    """Read levels, weights and biases (in steps) into `layers`, or write those that are there."""
    alive = [1] * layers[0].weight.shape[1]
    for index, layer in enumerate(layers):
        (outputs, inputs), kind, book = layer.weight.shape, 8 * index + 1, []
        used = (layer.weight != 0).any(1) | (layer.bias != 0)
        if index < len(layers) - 1:
            used |= (layers[index + 1].weight != 0).any(0)
        present = set(abs(layer.weight).ravel().tolist())
        for size in range(1, 128):
            known = [0, 1 + (size == 127), 3 + (book[-1:] == [size - 1])]
            book += [size] * mixer.bit(0, known, int(size in present))
        side = isqrt(inputs) if index == 0 and isqrt(inputs) ** 2 == inputs else 0
        columns, smooth, around = [[] for _ in range(inputs)], [0] * (inputs + 1), []
        for place in range(inputs) if side else ():
            spots = [(place // side + r, place % side + c) for r, c in AROUND]
            around.append([r * side + c if 0 <= r < side > c >= 0 else inputs for r, c in spots])
        units = [2]
        for unit in range(outputs):
            units.append(mixer.bit(kind, [units[-1]], int(used[unit])))
            row, truth, agree = [0] * (inputs + 1), layer.weight[unit].tolist(), [0] * (unit + 1)
            filled = balance = 0
            for place in [place for place in range(inputs) if units[-1] and alive[place]]:
                column, contexts, turns = columns[place], [0, place, unit], [0]
                if side:
                    near = [sign(row[spot]) for spot in around[place][:4]]
                    dense = level(4 * smooth[place] // (unit + 1)) if unit else 99
                    contexts += [dense, sum((s != 1) << n for n, s in enumerate(near))]
                    turns += [3 * near[0] + near[1], 3 * near[2] + near[3]]
                if not mixer.bit(kind + 1, contexts, int(truth[place] != 0)):
                    continue
                vote = sum(agree[other] * turn for other, turn in column)
                turns += [sign(sum(turn for _, turn in column), 4), sign(balance, 4)]
                turns.append(level(abs(vote)) * 2 + (vote > 0))
                check(book, "a weight without levels")
                turn = 2 * mixer.bit(kind + 2, turns, int(truth[place] > 0)) - 1
                rank = book.index(abs(truth[place])) if truth[place] else 0
                known = [0, level(filled), level(len(column))]
                rank = mixer.number(kind + 3, known, len(book) - 1, rank)
                row[place], filled, balance = turn * book[rank], filled + 1, balance + turn
                for other, theirs in column:
                    agree[other] += turn * theirs
                column.append((unit, turn))
                for spot, share in zip(around[place], SHARES, strict=True) if side else ():
                    smooth[spot] += share
            layer.weight[unit] = row[:-1]
            if units[-1]:
                bias = int(layer.bias[unit])
                zigzag = 2 * bias if bias >= 0 else -2 * bias - 1
                zigzag = mixer.number(kind + 4, [0, level(filled)], (1 << 32) - 1, zigzag)
                layer.bias[unit] = -(zigzag + 1 >> 1) if zigzag & 1 else zigzag >> 1
        alive = units[1:]

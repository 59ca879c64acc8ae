"""packed/context_mixing"""

from bisect import bisect_left
from math import isqrt

from .header import check


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


def write_record(layers):
    """Everything after the header is one stream."""
    writer = BitWriter()
    walk(Mixer(writer), layers)
    yield "stream", writer.finish()


def read_record(cursor, layers):
    """Fill layers (biases in steps) from the rest of the file."""
    walk(Mixer(bit_reader(bytes(cursor.rest))), layers)
EDGE = 2559  # log-odds are integers in -EDGE..EDGE, in units of 1/256
POWERS = [1 << 24]  # of exp(-1/256), in units of 2**-24
for _ in range(EDGE):
    POWERS.append((POWERS[-1] * 16711808 + (1 << 23)) >> 24)
UPPER = [(1 << 40) // ((1 << 24) + power) for power in POWERS]
SQUASH = [65536 - p for p in UPPER[:0:-1]] + UPPER  # log-odds + EDGE -> probability in 1/65536
STRETCH = [min(bisect_left(SQUASH, 16 * p + 8), 2 * EDGE) - EDGE for p in range(4096)]


def bit_reader(data):
    """Arithmetic decoder of bytes: bit(p) is the next bit, which is 1 with p chances in 65536."""
    data = data + bytes(4)
    low, span, at = int.from_bytes(data[:4], "big"), 0xFFFFFFFF, 4

    def bit(p, _):
        nonlocal low, span, at
        part = span * p >> 16
        one = low < part
        low, span = (low, part) if one else (low - part, span - part)
        while span < 1 << 24:
            check(at < len(data), "the stream ends too early")
            low, span, at = low << 8 | data[at], span << 8, at + 1
        return int(one)

    return bit


class Mixer:
    """Predicts a bit from its contexts, has `coder` read (or write) it and learns from it."""

    def __init__(self, coder):
        self.coder, self.states, self.weights = coder, {}, {}

    def bit(self, kind, contexts, truth=0):
        """One bit. kind and contexts: integers that say what is known; truth: the bit to write."""
        states = []  # of each context: its probability of a 1 in units of 2**-22, how often seen
        for key in enumerate(contexts, 16 * kind):
            fresh = [states[0][0] if states else 1 << 21, 0]
            states.append(self.states.setdefault(key, fresh))
        inputs = [STRETCH[state[0] >> 10] for state in states]
        weights = self.weights.setdefault(kind, [72090 // len(contexts)] * len(contexts))
        total = sum(w * x for w, x in zip(weights, inputs, strict=True)) >> 16
        p = SQUASH[min(max(total, -EDGE), EDGE) + EDGE]
        bit = self.coder(p, truth)
        error = ((bit << 16) - p) * (2 + 200 // (states[0][1] + 20))
        for place, (x, state) in enumerate(zip(inputs, states, strict=True)):
            weights[place] += x * error + 32768 >> 16
            state[0] += ((bit << 22) - state[0]) // (state[1] + 2)
            state[1] = min(state[1] + 1, 1000)
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


def walk(mixer, layers):
    """Read levels, weights and biases (in steps) into `layers`, or write those that are there."""
    alive = [1] * layers[0].weight.shape[1]
    for index, layer in enumerate(layers):
        outputs, inputs = layer.weight.shape
        after = layers[index + 1].weight.any(0) if index < len(layers) - 1 else False
        used = (layer.weight.any(1) | (layer.bias != 0) | after).tolist()
        kind, levels, present = 8 * index, [], set(abs(layer.weight).ravel().tolist())
        for size in range(1, 128):
            known = 2 * (size == 127) + (size - 1 in levels[-1:])
            levels += [size] * mixer.bit(1, [known], size in present)
        side = isqrt(inputs) if index == 0 and isqrt(inputs) ** 2 == inputs else 0
        columns, live, bias = [[] for _ in range(inputs)], [2], 0
        for unit in range(outputs):
            live.append(mixer.bit(kind + 2, [live[-1]], used[unit]))
            if not live[-1]:
                continue
            change = int(layer.bias[unit]) - bias
            step = mixer.number(kind + 3, [0], 1 << 32, abs(change))
            bias += -step if step and mixer.bit(kind + 4, [0], change < 0) else step
            check(-(1 << 31) <= bias < 1 << 31, "a bias is out of range")
            layer.bias[unit], truth = bias, layer.weight[unit].tolist()
            here, agree = [0] * (inputs + 2 * side + 3), {}
            for place in [place for place in range(inputs) if alive[place]]:
                column, contexts, signs, spot = columns[place], [0, place, unit], [0], 0
                if side:  # a picture with empty edges; 0: no weight, 1: a negative, 2: a positive
                    spot = place + place // side + side + 2
                    near = left, corner, above, other = here[spot - 1], *here[spot - side - 2:][:3]
                    contexts.append(sum(1 << n for n, seen in enumerate(near) if seen))
                    signs += [9 * left + 3 * above + corner, 9 * left + 3 * above + other]
                if not mixer.bit(kind + 5, contexts, truth[place] != 0):
                    continue
                vote = sum(agree.get(earlier, 0) * turn for earlier, turn in column)
                signs.append(2 * abs(vote).bit_length() + (vote > 0))
                sign = 2 * mixer.bit(kind + 6, signs, truth[place] > 0) - 1
                rank = levels.index(abs(truth[place])) if truth[place] else 0
                rank = mixer.number(kind + 7, [0, unit, contexts[-1]], len(levels) - 1, rank)
                layer.weight[unit, place] = sign * levels[rank]
                here[spot] = 1 + (sign > 0)
                for earlier, turn in column:
                    agree[earlier] = agree.get(earlier, 0) + sign * turn
                columns[place] = column[-63:] + [(unit, sign)]
        alive = live[1:]

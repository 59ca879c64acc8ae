"""Networks of convolutions in context mixing: the second version of the format.

A few bytes say what each layer is; all numbers of all channels are one stream of bits. Scales are
not stored: 1 means the same, 1/255, in what each layer reads, only the logits have a scale.
"""

from dataclasses import replace

import numpy as np

from ..integer import IntegerConvolution
from .context_mixing import mixed
from .header import Port, check

VERSION = 2
_KIND = VERSION << 4 | 4  # context mixing is number 4 of `CODECS`
_PLACES = 1 << 20  # a layer's contexts begin at its number times this


def walk_convolutions(port: Port, layers: list[IntegerConvolution]) -> list[IntegerConvolution]:
    """Pass a whole file through a port: write these layers, or read some, when there are none."""
    for place, layer in enumerate(layers[:-1]):
        check(np.array_equal(layer.scale, _scale(layer)),
              f"layer {place}: scale must be multiplier / 2**shift of each channel, 1 without "
              f"them; got {layer.scale}")
    found = walk_shapes(port, layers)
    mixed(port, found, _walk_layers)
    most = 255
    for layer in found:
        layer.most = most
        most = layer.bound if layer.shift is None else 255
    for layer in found[:-1]:
        layer.scale = _scale(layer)
    return found


def walk_shapes(port: Port, layers: list[IntegerConvolution]) -> list[IntegerConvolution]:
    """All that stands before the stream: what each layer is, and the scale of the logits."""
    check(port.byte("header", _KIND) == _KIND, "convolutions have no such codec")
    count = port.byte("header", len(layers))
    check(0 < count < 64, f"a file holds 1 to 63 layers, not {count}")
    side = port.varint("header", layers[0].side if layers else 0)
    channels = port.varint("header", layers[0].inputs // side**2 if layers else 0)
    found: list[IntegerConvolution] = []
    for place in range(count):
        check(0 < side < 1 << 10 and 0 < channels <= Port.LIMITS["units"], "a picture is too large")
        found.append(_walk_shape(port, layers[place] if layers else None, side, channels))
        port.limit("units", found[-1].units)
        side, channels = found[-1].out_side, len(found[-1].weight)
    scale = port.scale(layers[-1].scale.item() if layers else 1.0)
    found[-1].scale = np.array(scale, np.float32)
    return found


def _walk_shape(port, layer, side, channels):
    """A copy of a layer, or zeros. One byte: kernel // 2 (two bits), stride - 1, pool (two bits),
    is it rescaled, is it depthwise (a channel out for each one in, in groups of one), are there
    groups otherwise; then, unless depthwise, the channels out, and such groups."""
    outputs, groups, form = 1, 1, 0
    if layer:
        outputs, groups = len(layer.weight), layer.groups
        depthwise = groups == channels == outputs
        check(layer.kernel < 8 and layer.stride < 3, "a file holds kernels to 7 and strides to 2")
        form = (layer.kernel // 2 | layer.stride - 1 << 2 | layer.pool << 3
                | (layer.shift is not None) << 5 | depthwise << 6
                | (groups > 1 and not depthwise) << 7)
    form = port.byte("header", form)
    kernel, stride, pool = 2 * (form & 3) + 1, (form >> 2 & 1) + 1, form >> 3 & 3
    outputs = channels if form & 64 else port.varint("header", outputs)
    groups = channels if form & 64 else port.varint("header", groups) if form & 128 else 1
    check(outputs and groups and pool < 3, "a layer without channels")
    check(channels % groups == 0 and outputs % groups == 0, "groups do not divide the channels")
    port.limit("weights", outputs * (channels // groups) * kernel**2)
    if layer:
        return replace(layer, weight=layer.weight.copy(), bias=layer.bias.copy())
    rescale = [np.ones(outputs, np.int32) for _ in range(2)] if form & 32 else [None, None]
    return IntegerConvolution(
        np.zeros((outputs, channels // groups, kernel, kernel), np.int8),
        np.zeros(outputs, np.int32), np.array(1, np.float32), *rescale, side, stride, groups, pool)


def _scale(layer):
    """What weight 1 means where 1 means the same in all layers."""
    if layer.shift is None:
        return np.array(1, np.float32)
    return (layer.multiplier / 2.0**layer.shift * np.ones(len(layer.weight))).astype(np.float32)


def _walk_layers(mixer, layers):
    for place, layer in enumerate(layers):
        _walk_layer(mixer, place, layer)


def _walk_layer(mixer, place, layer):
    """The step of the biases, then of each channel: multiplier, shift, bias, weights.

    What kind of bit it is depends on the window alone, so layers with the same learn together.
    """
    kind, base = 8 * (layer.kernel + 8 * (layer.groups > 1)), place * _PLACES
    step = max(1, int(np.gcd.reduce(layer.bias.astype(np.int64))))
    step = 1 << mixer.number(1, [0], 30, (step & -step).bit_length() - 1)
    bias = 0
    for unit in range(len(layer.weight)):
        if layer.shift is not None:
            for part, most, own in ((layer.multiplier, 2**24 - 1, 2), (layer.shift, 63, 3)):
                part[unit] = 1 + mixer.number(8 * own, [0, place], most - 1, int(part[unit]) - 1)
        change = int(layer.bias[unit]) // step - bias
        size = mixer.number(3, [place], 1 << 32, abs(change))
        bias += -size if size and mixer.bit(4, [place], change < 0) else size
        check(-(1 << 31) <= bias * step < 1 << 31, "a bias is out of range")
        layer.bias[unit] = bias * step
        row = layer.weight[unit].ravel().tolist()
        for at in range(len(row)):
            row[at] = _walk_weight(mixer, kind, layer.kernel, row, at, [0, base + at, base + unit])
        layer.weight[unit] = np.reshape(row, layer.weight.shape[1:])


def _walk_weight(mixer, kind, kernel, row, at, contexts):
    """Is there a weight? If so, its sign, which neighbors in the window hint at, and its size."""
    left = row[at - 1] if at % kernel else 0
    above = row[at - kernel] if at // kernel % kernel else 0
    if not mixer.bit(kind + 5, contexts, row[at] != 0):
        return 0
    near = 3 * ((left > 0) - (left < 0)) + (above > 0) - (above < 0) + 4
    sign = 2 * mixer.bit(kind + 6, [0, near], row[at] > 0) - 1
    return sign * (1 + mixer.number(kind + 7, contexts, 126, abs(row[at]) - 1))

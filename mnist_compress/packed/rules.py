"""What the layers of a network must be: what breaks a rule is neither written nor read."""

from collections.abc import Sequence

from ..integer import IntegerConvolution, IntegerLayer
from .header import check


def check_layers(layers: Sequence[IntegerLayer]) -> None:
    """PackedFileError for layers that break the rules of `IntegerLayer`, do not follow on each
    other, or could leave the 32 bits of an accumulator."""
    kinds = {type(layer) for layer in layers}
    check(len(kinds) == 1, "a file has convolutions or dense layers, not both")
    for place, layer in enumerate(layers):
        before = layers[place - 1] if place else None
        _check_layer(f"layer {place}: ", layer, before, place == len(layers) - 1)


def _check_layer(name, layer, before, last):
    weight, bias, count = layer.weight, layer.bias, layer.weight.shape[:1]
    moves, rescaled = isinstance(layer, IntegerConvolution), layer.shift is not None
    form = "out, in / groups, kernel, kernel" if moves else "out, in"
    check(weight.ndim == (4 if moves else 2) and weight.dtype == "i1" and weight.size
          and weight.min() > -128,
          f"{name}weights must be int8 ({form}), -127..127; got {weight.dtype} of {weight.shape}")
    check(bias.dtype == "i4" and bias.shape == count,
          f"{name}bias must be int32 of {count}; got {bias.dtype} of {bias.shape}")
    allowed = not rescaled if last else rescaled or moves
    check((layer.multiplier is not None) == rescaled and allowed,
          f"{name}hidden layers have multiplier and shift, the last one has none")
    if moves:
        _check_window(name, layer, before, last)
    units = before.units if before else layer.inputs
    check(layer.inputs == units, f"{name}{layer.inputs} inputs after {units} units")
    shapes, shape = ((), count) if rescaled else ((),), layer.scale.shape
    check(shape in shapes,
          f"{name}scale must have the shape {' or '.join(map(str, shapes))}; got {shape}")
    for part, most in ((layer.multiplier, 2**24 - 1), (layer.shift, 63)) if rescaled else ():
        check(part.shape == shape and part.min() >= 1 and part.max() <= most,
              f"{name}multiplier and shift must lie in 1..2**24 - 1 and 1..63; got {part}")
    check(layer.bound < 2**31, f"{name}an accumulator could reach {layer.bound}, beyond 32 bits")


def _check_window(name, layer, before, last):
    """The numbers that only a convolution has."""
    channels, _, height, width = layer.weight.shape
    check(height == width and height % 2,
          f"{name}a window must be square, its side odd; got {height} x {width}")
    check(1 <= layer.stride <= layer.side and layer.groups >= 1 and channels % layer.groups == 0,
          f"{name}stride must lie in 1..side, groups must divide {channels} channels; got stride "
          f"{layer.stride}, side {layer.side}, groups {layer.groups}")
    pools = (0,) if last else (1, 2) if layer.shift is not None and layer.places > 1 else (1,)
    check(layer.pool in pools, f"{name}pool must be one of {pools}; got {layer.pool}")
    side = before.out_side if before else layer.side
    check(layer.side == side, f"{name}a picture of side {layer.side} after one of {side}")
    most = before.bound if before and before.shift is None else 255
    check(layer.most == most,
          f"{name}most must be {most}, what an input can reach; got {layer.most}")

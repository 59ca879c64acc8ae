"""The exercises of 08_deployment: right functions, with switches for mistakes."""

import torch


def _sums(pixels, weight, dtype="int32"):
    kind = getattr(torch, dtype)
    return weight.to(kind) @ pixels.to(kind)


_ROW = torch.arange(0, 256, 5, dtype=torch.uint8)
_INT8 = torch.stack([torch.full((52,), 127), torch.arange(-127, 129, 5)]).to(torch.int8)
EXERCISES = {
    "my_sums": (_sums, [(_ROW, _INT8), (_ROW.flip(0), _INT8)]),
}

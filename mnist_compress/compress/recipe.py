"""All settings of the recipe, each with what it is for."""

import math
from dataclasses import dataclass, fields
from itertools import pairwise

from ..arguments import real, whole
from ..data import SIDE

_PIXELS, _CLASSES = SIDE**2, 10


@dataclass(frozen=True)
class Recipe:
    """All that `teach` and `compress` need to know; a step is one step of the optimizer.

    ValueError for a value that cannot be; it quotes the value.
    """

    widths: tuple[int, ...] = (_PIXELS, 128, _CLASSES)  # of the network that the file holds
    units: tuple[int, ...] = (32,)  # hidden units that may live; the others stay zero
    weights: int = 560  # that survive, over all layers; with tie, shared ones count once
    levels: tuple[int, ...] = (3, 3)  # magnitudes in the codebook of each layer, 127 at most
    tie: bool = True  # each 2x2 block of pixels shares its weights
    copies: int = 40  # of the training digits, all but the first augmented
    augmentation: float = 1.5  # strength of these changes
    teacher: tuple[int, ...] = (300,)  # hidden units of the dense teacher
    teacher_steps: int = 2000
    dense_steps: int = 600  # of the student before the first weight goes
    prune_steps: int = 2500
    quantize_steps: int = 1500
    batch: int = 250
    rate: float = 6e-3  # Adam's learning rate while pruning; half of it while quantizing
    rate_weight: float = 0.5  # how much a weight's bits count when it is judged; 0: not
    curvature: float = 0.5  # how much the loss's curvature counts; 0: magnitude alone, 1: as in OBD
    every: int = 20  # steps between two prunings
    bias_step: float = 0.25  # biases are about multiples of this

    def __post_init__(self) -> None:
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            if field.type is int:
                value = whole(name, value, 0 if name == "dense_steps" else 1)
            elif field.type is float:
                value = real(name, value, 0)
            elif field.type is not bool:
                value = wholes(name, value)
            object.__setattr__(self, name, value)
        hidden = self.widths[1:-1]
        if not hidden or (self.widths[0], self.widths[-1]) != (_PIXELS, _CLASSES):
            raise ValueError(f"widths must go from {_PIXELS} to {_CLASSES} over a hidden layer; "
                             f"got {self.widths}")
        if type(self.tie) is not bool:
            raise ValueError(f"tie must be True or False; got {self.tie!r}")
        wholes("units", self.units, hidden)
        wholes("levels", self.levels, (127,) * len(self.widths[1:]))
        whole("weights", self.weights, 1, sum(i * o for i, o in pairwise(self.student_widths)))
        real("rate", self.rate, above=0, below=1)
        real("bias_step", self.bias_step, above=0)

    @property
    def student_widths(self) -> tuple[int, ...]:
        """Units from input to output of the network that is trained; tied pixels are one input."""
        return _PIXELS // 4 if self.tie else _PIXELS, *self.units, _CLASSES


def wholes(name: str, values: tuple[int, ...], most: tuple[float, ...] = ()) -> tuple[int, ...]:
    """`values` as a tuple of ints, 1 or more; with `most`, as many, each one up to its own there.

    ValueError for anything else.
    """
    count = len(values) if isinstance(values, (tuple, list)) else 0
    if count == 0 or (most and count != len(most)):
        many = len(most) or "one or more"
        raise ValueError(f"{name} must be a tuple of {many} whole numbers; got {values!r}")
    limits = most or (math.inf,) * count
    return tuple(whole(f"each of {name}", value, 1, limit)
                 for value, limit in zip(values, limits, strict=True))

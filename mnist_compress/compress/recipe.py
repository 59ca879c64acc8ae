"""All settings of the recipe, each with what it is for."""

from dataclasses import dataclass
from itertools import pairwise

from ..arguments import whole
from ..data import SIDE

_PIXELS, _CLASSES = SIDE**2, 10


@dataclass(frozen=True)
class Recipe:
    """All that `teach` and `compress` need to know; a step is one step of the optimizer. ValueError
    for more weights than there are."""

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
        most = sum(inputs * units for inputs, units in pairwise(self.student_widths))
        object.__setattr__(self, "weights", whole("weights", self.weights, 1, most))

    @property
    def student_widths(self) -> tuple[int, ...]:
        """Units from input to output of the network that is trained; tied pixels are one input."""
        return _PIXELS // 4 if self.tie else _PIXELS, *self.units, _CLASSES

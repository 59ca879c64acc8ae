"""`show_me("same-size")`: what decides this question, computed with the course's own network.

A question of `questions/03_pruning.json` whose "show_me" is "saved_sizes" is decided by the
function `_saved_sizes` of the module `pruning` here, which returns one sentence. It counts, or
uses fixed seeds: no clock decides a question.
"""

from importlib import import_module

import numpy as np

from ...integer import IntegerLayer
from ..questions import ask
from ..state import Sentence


def show_me(name: str) -> Sentence:
    """Compute what decides the question with this id, and say it in one sentence.

    ValueError for an unknown question, and for one without such a computation.
    """
    question = ask(name)
    if not question.show_me:
        raise ValueError(f"no computation decides {name!r}: its feedback says why")
    module = import_module(f".{question.module}", __name__)
    return Sentence(getattr(module, f"_{question.show_me}")())


def one_unit(pixels, weights, bias: int, multiplier: int, shift: int) -> tuple[int, int]:
    """The accumulator of the package's own layer of one unit, and what it hands on."""
    numbers = {"bias": [bias], "multiplier": multiplier, "shift": shift}
    arrays = {name: np.array(value, np.int32) for name, value in numbers.items()}
    layer = IntegerLayer(np.array([weights], np.int8), scale=np.float32(1), **arrays)
    total = layer.accumulate(np.array([pixels], np.uint8))
    return total.item(), layer.rescale(total).item()

"""`show_me("same-size")`: what decides this question, computed with the course's own network.

A question whose "show_me" is ["pruning", "after_adam", 0.9] is decided by `_after_adam(0.9)` of
the module `pruning` here, which returns one sentence. It counts, or uses fixed seeds: no clock
decides a question. Questions of 06 share computations with those that they ask again.
"""

from importlib import import_module

import torch

from ...data import Digits, load_sample
from ...model import DigitClassifier
from ...training import evaluate, trained_model
from ..questions import ask
from ..state import Sentence


def show_me(name: str) -> Sentence:
    """Compute what decides the question with this id, and say it in one sentence.

    ValueError for an unknown question, and for one without such a computation.
    """
    question = ask(name)
    if not question.show_me:
        raise ValueError(f"no computation decides {name!r}: its feedback says why")
    module, function, *arguments = question.show_me
    computation = getattr(import_module(f".{module}", __name__), f"_{function}")
    return Sentence(computation(*arguments))


def course(seed: int = 7) -> tuple[DigitClassifier, Digits, Digits]:
    """The course's own network, its training digits and the validation digits."""
    return trained_model(seed), *load_sample()[:2]


def per_cent(network: torch.nn.Module, digits: Digits) -> str:
    """How many of the digits it reads right, such as "87.3"."""
    return f"{100 * evaluate(network, digits).accuracy:.1f}"

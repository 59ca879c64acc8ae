"""`show_me("same-size")`: what decides this question, computed with the course's own network.

A question of `questions/03_pruning.json` whose "show_me" is "saved_sizes" is decided by the
function `_saved_sizes` of the module `pruning` here, which returns one sentence.
"""

from importlib import import_module

from ...data import load_sample
from ...measure import latency_rows
from ...pruning import prune
from ...quantization import quantize_model
from ...training import trained_model
from ..questions import ask
from ..state import Sentence


def show_me(name: str) -> Sentence:
    """Compute what decides the question with this id, and say it in one sentence."""
    question = ask(name)
    module = import_module(f".{question.module}", __name__)
    return Sentence(getattr(module, f"_{question.show_me}")())


def times(batch: int, *names: str) -> str:
    """Rows of the table of microseconds, in words: `batch` digits at a time, on this machine."""
    train, test, _ = load_sample()
    model = trained_model()
    rows = latency_rows(model, prune(model, 0.9), quantize_model(model, train), test,
                        batches=(batch,), rounds=9, names=names)
    return "; ".join(f"{row.name} {row.median:,.0f} microseconds" for row in rows)

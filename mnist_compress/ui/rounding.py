"""What 04_quantization shows: changed answers, kinds of int8, training with the rounding on."""

import pandas as pd

from ..measure import changed_answers
from ..training import evaluate
from .state import Sentence
from .tables import Table


def say_changes(before, after, digits, against: str = "") -> Sentence:
    """What `measure.changed_answers` says, as a paragraph, which may begin with a name."""
    told = changed_answers(before, after, digits).sentence
    return Sentence(f"{against}: {told}" if against else told)


def kinds_table(kinds: dict, model, digits) -> Table:
    """{name: (network, scale of its hidden values, what it multiplies)} -> accuracy of each kind,
    and answers that differ from those of `model`, the floats it was made of."""
    frame, told = [], []
    for name, (network, scale, factors) in kinds.items():
        changes = len(changed_answers(model, network, digits).places)
        frame.append({"kind": name, "scale of hidden values": scale, "multiplies": factors,
                      "right": f"{evaluate(network, digits).accuracy:.1%}",
                      "answers changed": f"{changes} of {len(digits):,}"})
        told.append(f"{name} {changes}")
    return Table(pd.DataFrame(frame).set_index("kind"), f"Answers changed: {', '.join(told)}.")


def rounding_table(networks: list[tuple], digits) -> Table:
    """(bits, {way: network rounded so}), one for each seed and number of bits -> lowest and highest
    accuracy, and in how many seeds the last way was two points or more ahead of each other one."""
    frame = pd.DataFrame([{"bits": bits, **{way: evaluate(network, digits).accuracy
                                            for way, network in ways.items()}}
                          for bits, ways in networks])
    groups = frame.groupby("bits", sort=False)
    # whole per cents and two points: another processor may train to a few other answers of 1,000
    shown = groups.min().map("{:.0%}".format) + " to " + groups.max().map("{:.0%}".format)
    *others, last = frame.columns[1:]
    counts = ", ".join(map(str, shown.index))
    told = []
    for way in others:
        wins = (frame[last] - frame[way]).round(4).ge(0.02).groupby(frame["bits"], sort=False).sum()
        told.append(f"of {way!r} in {', '.join(map(str, wins))}")
    return Table(shown, f"{last.capitalize()}, at {counts} bits, is two points or more ahead "
                 f"{'; '.join(told)} of {len(frame) // len(shown)} seeds.")

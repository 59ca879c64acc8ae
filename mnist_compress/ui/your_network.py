"""What 10_your_network shows: trials beside a target, the judgment on test digits, a decision read.

A target is {"bytes": at most, "points": lost at most, "digit": points that one digit may lose,
"seeds": how many must keep it}.
"""

import copy
import re

import pandas as pd
import torch

from ..measure import ChangedAnswers, dense_file
from ..training import evaluate
from .state import Sentence
from .tables import Table, rates
from .waiting import bar


def _changes(before, after, digits):
    return ChangedAnswers(before.predictions, after.predictions, digits[1])


def _worst(changes):
    """Points of the digit that loses most; one that does not occur loses nothing."""
    return changes.by_digit.nan_to_num(100).min().item()


def _keeps(changes, target):
    return changes.difference >= -target["points"] and _worst(changes) >= -target["digit"]


class Trials:
    """Networks that were tried, the float one first; a cell shows what each costs on `digits`, and
    whether that is within the target."""

    def __init__(self, digits, target):
        self.digits, self.target = digits, target
        self.networks = {}  # {name: (network or function, bytes of its file)}
        self._found = {}  # {name: its answers on the digits}

    def add(self, name: str, network, size: int | None = None):
        """Note a network and hand it back. size: bytes of its file; None: of what torch.save
        writes. What float16 stores is computed in float32, so that every processor agrees."""
        if size is None:
            size = dense_file(name, network, tuple(part[:9] for part in self.digits)).bytes
        kinds = {part.dtype for part in getattr(network, "parameters", list)()}
        computed = copy.deepcopy(network).float() if torch.float16 in kinds else network
        self.networks[name] = computed, size
        self._found[name] = evaluate(computed, self.digits)
        return network

    def table(self) -> Table:
        """What each costs against the first."""
        rows, kept, first = [], {}, next(iter(self._found.values()))
        for name, found in self._found.items():
            size, changes = self.networks[name][1], _changes(first, found, self.digits)
            if size <= self.target["bytes"] and _keeps(changes, self.target):
                kept[name] = size
            rows.append({"network": name, "bytes": f"{size:,}",
                         "right": f"{100 * found.accuracy:.1f} %",
                         "points": f"{changes.difference:+z.1f}",
                         "worst digit, points": f"{_worst(changes):+z.1f}",
                         "answers changed": len(changes.places),
                         "within the target": "yes" if name in kept else "no"})
        told = "None is within the target."
        if kept:
            least = min(kept, key=kept.get)
            told = f"{len(kept)} of {len(rows)} within the target; the smallest: {least}."
        return Table(pd.DataFrame(rows).set_index("network"), told)

    def __repr__(self):
        return repr(self.table())

    def _ipython_display_(self):
        self.table()._ipython_display_()


class _Judgment(Table):
    """A table of seeds; `numbers` that a decision must name, and `release`, whether it may."""

    def __init__(self, frame, sentence, numbers, release):
        super().__init__(frame, sentence)
        self.numbers, self.release = numbers, release


def judge(pairs, digits, size: int, target) -> _Judgment:
    """{seed: (float network, chosen one)} and the bytes of the chosen file -> by seed what changed,
    before and after, and on how many seeds the target is kept."""
    columns, points, kept = {}, [], 0
    for seed, networks in bar(pairs.items(), "seeds"):
        before, after = (evaluate(network, digits) for network in networks)
        changes = _changes(before, after, digits)
        points.append(changes.difference)
        kept += _keeps(changes, target)
        both = zip(rates(before), rates(after), strict=True)
        low, high = changes.interval
        columns[f"seed {seed}"] = [
            *(f"{old:.1f} → {new:.1f}" for old, new in both), f"{len(changes.places)}",
            f"{changes.difference:+z.1f} ({low:+z.1f} to {high:+z.1f})"]
    lines = ["right, %", *(f"{digit}s, %" for digit in range(len(changes.by_digit))),
             "mean top probability, %", "answers changed", "points (95 % interval)"]
    seeds, worst, best = f"{kept} of {len(pairs)}", f"{min(points):+z.1f}", f"{max(points):+z.1f}"
    numbers = {"bytes": f"{size:,}", "seeds within the target": seeds,
               "points on the worst seed": worst, "points on the best seed": best}
    told = (f"{size:,} bytes; on {seeds} seeds within the target in points; {worst} to {best} "
            "points.")
    release = size <= target["bytes"] and kept >= target["seeds"]
    return _Judgment(pd.DataFrame(columns, index=lines), told, numbers, release)


def check_decision(sentence: str, judgment: _Judgment) -> Sentence:
    """Read a release note of one sentence: does it say what was found, and decide as the target
    demands?"""
    text = sentence.strip()
    if not text:
        return Sentence("No decision yet. Begin with Release or Keep, and name: "
                        f"{', '.join(judgment.numbers)}.")
    wanted, faults = "Release" if judgment.release else "Keep", []
    if not re.match(rf"{wanted}\b", text, re.IGNORECASE):
        faults.append(f"begin with {wanted}: the target that you set before says so")
    named = re.findall(r"\d+ of \d+|\d+(?:\.\d+)?", text.replace(",", ""))
    faults += [f"name the {what} ({number})" for what, number in judgment.numbers.items()
               if number.lstrip("+-").replace(",", "") not in named]
    if len(re.findall(r"[.!?](?=\s|$)", text)) != 1:
        faults.append("make it one sentence, with a full stop")
    if faults:
        return Sentence(f"Not yet: {'; '.join(faults)}.")
    return Sentence("Right. Your note decides by the target and names what it rests on.")

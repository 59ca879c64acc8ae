"""What 10_your_network shows: trials beside a target, the judgment on test digits, a decision read.

A target is {"bytes": at most, "points": lost at most, "digit": points that one digit may lose,
"seeds": how many must keep it}.
"""

import copy
import re
from collections.abc import Mapping
from types import SimpleNamespace

import pandas as pd
import torch
from torch import nn

from ..data import inputs_and_labels
from ..measure import ChangedAnswers, dense_file
from ..training import logits
from .state import Sentence
from .tables import Table
from .waiting import bar


def _seen(network, digits):
    """What a network does on some digits, asked once: shares of right answers in percent, on all
    digits and on each, confidence, answers and labels."""
    labels, found = inputs_and_labels(digits)[1], logits(network, digits).double()
    correct = found.argmax(1) == labels
    each = 100 * torch.bincount(labels, correct.double()) / torch.bincount(labels)
    sure = 100 * torch.softmax(found, 1).amax(1).mean().item()
    return SimpleNamespace(right=100 * correct.double().mean().item(), each=each, sure=sure,
                           answers=found.argmax(1), labels=labels)


def _lost(before, after):
    """Points lost on all digits, and on the one that loses most."""
    each = (before.each - after.each).nan_to_num(-100)  # a digit that does not occur loses nothing
    return round(before.right - after.right, 6), round(each.max().item(), 6)


def _keeps(before, after, target):
    lost, digit = _lost(before, after)
    return lost <= target["points"] and digit <= target["digit"]


class Trials:
    """Networks that were tried, the float one first; a cell shows what each costs on `digits`, and
    whether that is within the target."""

    def __init__(self, digits, target: Mapping):
        self.digits, self.target = digits, target
        self.networks: dict[str, tuple] = {}  # {name: (network or function, bytes of its file)}
        self._seen: dict[str, SimpleNamespace] = {}

    def add(self, name: str, network, size: int | None = None):
        """Note a network and hand it back. size: bytes of its file; None: of what torch.save
        writes. What float16 stores is computed in float32, so that every processor agrees."""
        if size is None:
            size = dense_file(name, network, (self.digits[0][:9], self.digits[1][:9])).bytes
        computed = network
        if isinstance(network, nn.Module):
            computed = copy.deepcopy(network)
            if any(part.dtype == torch.float16 for part in network.parameters()):
                computed = computed.float()
        self.networks[name] = computed, size
        self._seen.pop(name, None)
        return network

    def table(self) -> Table:
        """What each costs against the first."""
        rows, kept = [], {}
        for name, (network, _) in self.networks.items():
            self._seen[name] = self._seen.get(name) or _seen(network, self.digits)
        base = self._seen[next(iter(self.networks))]
        for name, (_, size) in self.networks.items():
            seen = self._seen[name]
            lost, digit = _lost(base, seen)
            if size <= self.target["bytes"] and _keeps(base, seen, self.target):
                kept[name] = size
            rows.append({"network": name, "bytes": f"{size:,}", "right": f"{seen.right:.1f} %",
                         "points": _signed(-lost), "worst digit, points": _signed(-digit),
                         "answers changed": int((seen.answers != base.answers).sum()),
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


def judge(pairs: Mapping, digits, size: int, target: Mapping) -> _Judgment:
    """{seed: (float network, chosen one)} and the bytes of the chosen file -> by seed what changed,
    before and after, and on how many seeds the target is kept."""
    columns, points, kept = {}, [], 0
    for seed, networks in bar(pairs.items(), "seeds"):
        before, after = (_seen(network, digits) for network in networks)
        points.append(after.right - before.right)
        kept += _keeps(before, after, target)
        columns[f"seed {seed}"] = _column(before, after)
    lines = ["right, %", *(f"{digit}s, %" for digit in range(len(before.each))),
             "mean top probability, %", "answers changed", "points (95 % interval)"]
    release = size <= target["bytes"] and kept >= target["seeds"]
    numbers = {"bytes": f"{size:,}", "seeds within the target": f"{kept} of {len(pairs)}",
               "points on the worst seed": _signed(min(points)),
               "points on the best seed": _signed(max(points))}
    told = (f"{size:,} bytes; on {kept} of {len(pairs)} seeds within the target in points; "
            f"{_signed(min(points))} to {_signed(max(points))} points.")
    return _Judgment(pd.DataFrame(columns, index=lines), told, numbers, release)


def _column(before, after):
    """Of one seed: right answers, all and by digit, and confidence, before and after; changes."""
    rates = [[seen.right, *seen.each.tolist(), seen.sure] for seen in (before, after)]
    changes = ChangedAnswers(before.answers, after.answers, before.labels)
    low, high = changes.interval
    return [*(f"{old:.1f} → {new:.1f}" for old, new in zip(*rates, strict=True)),
            f"{len(changes.places)}",
            "{} ({} to {})".format(*map(_signed, (changes.difference, low, high)))]


def _signed(points):
    return f"{round(points, 1) + 0.0:+.1f}"  # +0.0, never -0.0


def check_decision(sentence: str, judgment: _Judgment) -> Sentence:
    """Read a release note of one sentence: does it say what was found, and decide as the target
    demands?"""
    if not sentence.strip():
        return Sentence("No decision yet. Begin with Release or Keep, and name: "
                        f"{', '.join(judgment.numbers)}.")
    found = re.findall(r"\d+ of \d+|\d[\d,]*(?:\.\d+)?", sentence)
    plain = {text.replace(",", "") for text in found}
    missing = [f"{what} ({text})" for what, text in judgment.numbers.items()
               if text.lstrip("+-").replace(",", "") not in plain]
    wanted = "release" if judgment.release else "keep"
    faults = [] if re.match(rf"{wanted}\b", sentence.strip(), re.IGNORECASE) else [
        f"begin with {wanted.capitalize()}: the target that you set before says so"]
    faults += [f"name the {each}" for each in missing]
    if len(re.findall(r"[.!?](?=\s|$)", sentence.strip())) != 1:
        faults.append("make it one sentence, with a full stop")
    if faults:
        return Sentence(f"Not yet: {'; '.join(faults)}.")
    return Sentence("Right. Your note decides by the target and names what it rests on.")

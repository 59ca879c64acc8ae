"""Tables of notebook 07: what each step gives, fair references, what others published."""

from itertools import pairwise
from pathlib import Path
from statistics import mean

import pandas as pd

from .. import pretrained
from .tables import Table

_STEPS = {  # of the recipe, by the name that the field gives them: the change that takes it away
    "the whole recipe": "",
    "no augmentation": "augmentation",
    "no distillation": "distillation",
    "pruning at once": "gradual pruning",
    "pruning by magnitude alone": "gradual pruning",
    "no shared pixels": "weight tying",
    "127 magnitudes a layer": "codebook quantization",
    "rounding after training": "quantization-aware training",
    "order0 in place of context mixing": "context mixing",
}


def steps_table() -> Table:
    """The recipe with one step changed at a time, as it was recorded: bytes, official errors, and
    in how many seeds the whole recipe had fewer of either."""
    found = pretrained.steps()
    first, *others = _STEPS
    whole, seeds, rows, told = found[first], len(found[first].bytes), [], []
    for change, step in _STEPS.items():
        each = found[change]
        fewer = {what: sum(a < b for a, b in zip(getattr(whole, what), getattr(each, what),
                                                 strict=True))
                 for what in ("bytes", "official_errors")}
        rows.append({
            "step": step, "bytes": _span(each.bytes, "{:,.0f}"),
            "wrong, %": _span([100 * error for error in each.official_errors], "{:.1f}"),
            "whole is smaller": f"{fewer['bytes']} of {seeds}" if step else "",
            "whole errs less": f"{fewer['official_errors']} of {seeds}" if step else ""})
        if change in others and fewer["bytes"] < seeds and fewer["official_errors"] < seeds:
            told.append(change)
    frame = pd.DataFrame(rows, index=pd.Index(_STEPS, name="recorded, one change at a time"))
    sure = [change for change in others if change not in told]
    return Table(frame, f"In all {seeds} seeds the whole recipe is smaller or errs less than with "
                 f"{', '.join(sure)}." + f" Not in all: {', '.join(told)}." * bool(told))


def _span(values, form):
    """Mean (lowest to highest)."""
    return "{} ({} to {})".format(*(form.format(one(values)) for one in (mean, min, max)))


def references_table(*names: str) -> Table:
    """Finished networks beside float networks with the same means: bytes, official errors over the
    seeds, and how many times larger than the file. Names such as "lenet" that have references."""
    rows, told = [], []
    for name in names:
        small, shape = pretrained.measured(name), pretrained.recipe(name)
        units = {"same shape in float": shape.widths, "student in float": shape.student_widths,
                 "teacher": (shape.student_widths[0], *shape.teacher, 10)}
        floats = {kind: pretrained.measured(f"{name} {kind}")
                  for kind in ("teacher", "same shape in float", "student in float")}
        for kind, each in {**floats, "packed file": small}.items():
            rows.append({
                "network": name, "what": kind,
                "units": "-".join(map(str, units.get(kind, shape.widths))),
                "bytes": f"{each.mean_bytes:,.0f}",
                "wrong": _span([100 * e for e in each.official_errors], "{:.2f}") + " %",
                "times the file": f"{each.mean_bytes / small.mean_bytes:,.0f}"})
        told.append(f"{name} {_against(small, floats['student in float'])} its own float start, "
                    f"and {_against(small, floats['same shape in float'])} the shape it is padded "
                    "to, trained in float")
    return Table(pd.DataFrame(rows).set_index(["network", "what"]), f"{'; '.join(told)}.")


def _against(small, large):
    """How much smaller, and what it costs."""
    points = 100 * (small.official_error - large.official_error)
    return (f"takes {large.mean_bytes / small.mean_bytes:,.0f} times fewer bytes and errs "
            f"{points:.2f} points more than")


def literature_table(*names: str) -> Table:
    """Published results for MNIST beside our measured ones, means over the seeds: test error, bytes
    and ratio as published, empty where a paper does not say.

    ValueError for a name whose network is no LeNet-300-100.
    """
    widths = pretrained.recipe("lenet").widths
    if wrong := [name for name in names if pretrained.recipe(name).widths != widths]:
        raise ValueError(f"only LeNet-300-100 compares with the papers; got {wrong[0]!r}")
    papers = pd.read_csv(Path(__file__).with_name("papers.csv"))
    ours = pd.DataFrame([_ours(name) for name in names])
    alike = papers["network"] == ours["network"][0]
    every = pd.concat([papers[alike], ours, papers[~alike]])
    frame = pd.DataFrame({
        "network": every["network"], "test error": every["error"].map("{:.2f} %".format),
        "bytes": every["bytes"].astype(object).map("{:,.0f}".format, "ignore").fillna(""),
        "times smaller": every["ratio"].map(lambda ratio: ratio if isinstance(ratio, str) else
                                            "" if pd.isna(ratio) else f"{ratio:,.0f}"),
        "counted": every["counted"]})
    frame.index = pd.Index(every["source"], name="published, and here")
    return Table(frame, f"{_compared(ours, papers, alike)} The papers train on undistorted digits, "
                 "so this is not like for like.")


def _ours(name):
    """What was measured of one of our networks, as papers.csv has it of others."""
    found, recipe = pretrained.measured(name), pretrained.recipe(name)
    padded, start = (sum(4 * (inputs + 1) * units for inputs, units in pairwise(widths))
                     / found.mean_bytes for widths in (recipe.widths, recipe.student_widths))
    means = "distorted digits, teacher" + ", 2x2 sharing" * recipe.tie
    low, high = (f"{100 * end(found.official_errors):.2f}" for end in (min, max))
    return {"network": "LeNet-300-100", "source": f"here: {name}",
            "error": 100 * found.official_error, "bytes": found.mean_bytes,
            "ratio": f"{start:.0f} than its float start, {padded:.0f} than its padded shape",
            "counted": f"file; {means}; {len(found.bytes)} seeds, {low} to {high} %"}


def _compared(ours, papers, alike):
    """Where ours are better than the smallest published file of their shape, and where a smaller
    file of another network is better than ours."""
    least = papers[alike].nsmallest(1, "bytes").iloc[0]
    names = ours["source"].str.removeprefix("here: ")
    good = names[(ours["bytes"] < least["bytes"]) & (ours["error"] <= least["error"])]
    lost = []
    for name, mine in zip(names, ours.itertuples(), strict=True):
        better = (papers["bytes"] <= mine.bytes) & (papers["error"] <= mine.error)
        lost += [f"{name} by {better.sum()}"] * bool(better.any())
    return ("Smaller than the smallest LeNet-300-100 that we found published, "
            f"{least['bytes']:,.0f} bytes, with no more errors on average: "
            f"{', '.join(good) or 'none'}. Beaten in both by published results of other networks: "
            f"{', '.join(lost) or 'none'}.")

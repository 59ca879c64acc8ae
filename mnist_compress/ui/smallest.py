"""Where bytes go, the frontier, what each step gives, what others published (07); QR codes (08)."""

from itertools import pairwise
from operator import lt
from pathlib import Path
from statistics import mean

import numpy as np
import pandas as pd
import segno

from .. import pretrained
from ..deploy import QR_BYTES, QR_PREFIX
from ..packed import breakdown, pack
from ..training import evaluate
from .plots import HATCHES, Picture, canvas, draw_front, in_style
from .tables import Table

_STEPS = {  # of the recipe, by the name that the field gives them: the change that takes it away
    "no augmentation": "augmentation",
    "no distillation": "distillation",
    "pruning at once": "gradual pruning",
    "pruning by magnitude alone": "gradual pruning",
    "no shared pixels": "weight tying",
    "127 magnitudes a layer": "codebook quantization",
    "rounding after training": "quantization-aware training",
    "order0 in place of context mixing": "context mixing",
}


@in_style()
def show_breakdown(files: dict[str, bytes]) -> Picture:
    """Stacked bars, to scale, of what the bytes of packed files are for."""
    parts = pd.DataFrame({name: breakdown(data) for name, data in files.items()})
    figure, axes = canvas((8, 1.2 + 0.6 * len(files)))
    names = [f"{name}\n{len(data):,} B" for name, data in files.items()]
    left = 0
    for number, (label, sizes) in enumerate(parts.iterrows()):
        axes.barh(range(len(files)), sizes, left=left, tick_label=names, color=f"C{number}",
                  edgecolor="white", hatch=HATCHES[number], label=label)
        left += sizes
    axes.set(xlabel="bytes")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.invert_yaxis()
    axes.grid(False)
    figure.legend(loc="outside upper center", ncols=len(parts))
    told = []
    for name, sizes in parts.items():
        largest = sizes.sort_values(ascending=False, kind="stable")[:2]
        most = " and ".join(f"{label} ({size:,})" for label, size in largest.items())
        told.append(f"{name}, {sizes.sum():,} bytes: most for {most}")
    return Picture(figure, ". ".join(told) + ".")


@in_style()
def show_zoomed(sizes: dict[str, int], zoom: int) -> Picture:
    """Files as bars to scale, {name: bytes}, the largest first; on the right the same bars, longer
    by so much, that bars which do not fit run out of."""
    figure, (left, right) = canvas((8, 0.9 + 0.42 * len(sizes)), 1, 2, sharey=True)
    names, each = [f"{name}\n{size:,} B" for name, size in sizes.items()], list(sizes.values())
    for axes, reach in ((left, max(each)), (right, max(each) / zoom)):
        fits = [size <= reach for size in each]
        axes.barh(range(len(each)), np.minimum(each, reach), tick_label=names, edgecolor="white",
                  color=["C0" if fit else "#BBBBBB" for fit in fits],
                  hatch=["" if fit else "//" for fit in fits])
        axes.set(xlim=(0, reach), xlabel=f"bytes, 0 to {reach:,.0f}", xticks=[])
        axes.grid(False)
    left.set(title="to scale")
    right.set(title=f"{zoom} times longer (gray: runs out)")
    left.invert_yaxis()
    first, *_, last = sizes.items()
    told = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
    return Picture(figure, f"Bytes: {told}. {last[0].capitalize()} would fit "
                   f"{first[1] / last[1]:,.0f} times into {first[0]}.")


@in_style()
def show_front(networks: dict, digits) -> Picture:
    """Bytes and errors on these digits, beside the finished networks of as many training digits.

    networks: {name: (bytes, network)}, the dense one first, the learner's last. The sentence tells
    of that only what holds on every machine, as its training does not.
    """
    finished = {name: (pretrained.path(name).stat().st_size, pretrained.load(name))
                for name in pretrained.RECIPES if "thousand" in name}
    points = {name: (size, 100 * (1 - evaluate(network, digits).accuracy))
              for name, (size, network) in {**finished, **networks}.items()}
    figure, axes = canvas((7.6, 3.8))
    draw_front(axes, points, list(networks)[-1])
    axes.set(xscale="log", xlabel="bytes of the file, each line ten times the one before",
             ylabel="wrong answers, %")
    dense, *_, mine = networks
    size, wrong = points.pop(mine)
    told = [f"{name} takes {each[0]:,} bytes and errs on {each[1]:.1f}%"
            for name, each in points.items()]
    return Picture(figure, f"Of {len(digits):,} digits: {'; '.join(told)}. Yours: "
                   f"{'below' if size < 1000 else 'above'} 1,000 bytes, "
                   f"{'no more' if wrong <= points[dense][1] else 'more'} errors than {dense}.")


@in_style()
def show_shapes(*names: str) -> Picture:
    """Bytes and official errors of finished networks, each seed as it was recorded. A network with
    "convolution" in its name is drawn as one."""
    figure, axes = canvas((7.6, 3.8))
    told = []
    for number, name in enumerate(names):
        found = pretrained.measured(name)
        axes.plot(found.bytes, [100 * error for error in found.official_errors], linestyle="",
                  color=f"C{number}", markersize=9, marker="D" if "convolution" in name else "o",
                  label=name)
        told.append(f"{name} {found.mean_bytes:,.0f} bytes at {found.official_error:.2%}")
    axes.set(xlabel="bytes of the file", ylabel="wrong official answers, %", xlim=(0, None),
             ylim=(0, None))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    figure.legend(loc="outside upper center", ncols=3)
    return Picture(figure, f"Means of {len(found.bytes)} seeds: {', '.join(told)}.")


def steps_table() -> Table:
    """The recipe with one step changed at a time, as it was recorded: bytes, official errors, and
    in how many seeds the whole recipe had fewer of either."""
    found = pretrained.steps()
    whole = next(iter(found.values()))
    seeds, rows, sure, doubtful = len(whole.bytes), [], [], []
    for change, each in found.items():
        smaller = sum(map(lt, whole.bytes, each.bytes))
        better = sum(map(lt, whole.official_errors, each.official_errors))
        rows.append({
            "recorded, one change at a time": change, "step": _STEPS.get(change, ""),
            "bytes": _span(each.bytes, ",.0f"), "wrong, %": _span(_per_cent(each), ".1f"),
            "whole is smaller": f"{smaller} of {seeds}" if change in _STEPS else "",
            "whole errs less": f"{better} of {seeds}" if change in _STEPS else ""})
        if change in _STEPS:
            (sure if seeds in (smaller, better) else doubtful).append(change)
    return Table(pd.DataFrame(rows).set_index("recorded, one change at a time"),
                 f"In all {seeds} seeds the whole recipe is smaller or errs less than with "
                 f"{', '.join(sure)}." + f" Not in all: {', '.join(doubtful)}." * bool(doubtful))


def _span(values, form):
    """Mean (lowest to highest)."""
    return f"{mean(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def _per_cent(measured):
    return [100 * error for error in measured.official_errors]


def references_table(*names: str) -> Table:
    """Finished networks beside float networks with the same means: bytes, official errors over the
    seeds, and how many times larger than the file. Names such as "lenet" that have references."""
    rows, told = [], []
    for name in names:
        file, shape = pretrained.measured(name), pretrained.RECIPES[name]
        against = []
        for kind, units in (("teacher", (shape.student_widths[0], *shape.teacher, 10)),
                            ("same shape in float", shape.widths),
                            ("student in float", shape.student_widths),
                            ("packed file", shape.widths)):
            each = file if kind == "packed file" else pretrained.measured(f"{name} {kind}")
            times = f"{each.mean_bytes / file.mean_bytes:,.0f}"
            points = 100 * (file.official_error - each.official_error)
            against.append(f"takes {times} times fewer bytes and errs {points:.2f} points more "
                           "than")
            rows.append({
                "network": name, "what": kind, "units": "-".join(map(str, units)),
                "bytes": f"{each.mean_bytes:,.0f}",
                "wrong": _span(_per_cent(each), ".2f") + " %", "times the file": times})
        _, shaped, student, _ = against
        told.append(f"{name} {student} its own float start, and {shaped} the shape it is padded "
                    "to, trained in float")
    return Table(pd.DataFrame(rows).set_index(["network", "what"]), f"{'; '.join(told)}.")


def literature_table(*names: str) -> Table:
    """Published results for MNIST beside ours of LeNet-300-100, means over the seeds: test error,
    bytes and ratio as published, empty where a paper does not say."""
    papers = pd.read_csv(Path(__file__).with_name("papers.csv"), dtype={"ratio": str})
    ours = pd.DataFrame(map(_ours, names))
    alike = papers["network"] == ours["network"][0]
    every = pd.concat([papers[alike], ours, papers[~alike]]).set_index("source")
    frame = pd.DataFrame({
        "network": every["network"], "test error": every["error"].map("{:.2f} %".format),
        "bytes": every["bytes"].astype(object).map("{:,.0f}".format, "ignore").fillna(""),
        "times smaller": every["ratio"].fillna(""), "counted": every["counted"]})
    return Table(frame.rename_axis("published, and here"), _compared(ours, papers, alike))


def _ours(name):
    """What was measured of one of our networks, as papers.csv has it of others."""
    found, recipe = pretrained.measured(name), pretrained.RECIPES[name]
    padded, start = (sum(4 * (inputs + 1) * units for inputs, units in pairwise(widths))
                     / found.mean_bytes for widths in (recipe.widths, recipe.student_widths))
    means = "distorted digits, teacher" + ", 2x2 sharing" * recipe.tie
    errors = _per_cent(found)
    return {"network": "LeNet-300-100", "source": f"here: {name}", "error": mean(errors),
            "bytes": found.mean_bytes,
            "ratio": f"{start:.0f} than its float start, {padded:.0f} than its padded shape",
            "counted": f"file; {means}; {len(errors)} seeds, {min(errors):.2f} to "
                       f"{max(errors):.2f} %"}


def _compared(ours, papers, alike):
    """Where ours are better than the smallest published file of their shape, and where a smaller
    file of another network is better than ours."""
    least = papers[alike].nsmallest(1, "bytes").iloc[0]
    good, lost = [], []
    for mine in ours.itertuples():
        name = mine.source.removeprefix("here: ")
        if mine.bytes < least["bytes"] and mine.error <= least["error"]:
            good.append(name)
        better = ((papers["bytes"] <= mine.bytes) & (papers["error"] <= mine.error)).sum()
        if better:
            lost.append(f"{name} by {better}")
    return ("Smaller than the smallest LeNet-300-100 that we found published, "
            f"{least['bytes']:,.0f} bytes, with no more errors on average: "
            f"{', '.join(good) or 'none'}. Beaten in both by published results of other networks: "
            f"{', '.join(lost) or 'none'}. The papers train on undistorted digits, so this is not "
            "like for like.")


def show_qr(model) -> Picture:
    """The packed file of a model as a picture that a scanner reads."""
    data = pack(model, reorder=True)
    return _draw_qr(data, f"{len(data):,} bytes", "the whole network", 4)


def show_qr_page(path: Path) -> Picture:
    """The page that `export_qr_page` wrote to `path` as a picture, with the prefix that makes it an
    address: what a scanner reads is to be pasted into the address bar."""
    text = QR_PREFIX + Path(path).read_text("ascii")
    size = f"About {round(len(text), -2):,} of the {QR_BYTES:,} bytes that fit"  # zlib's version
    return _draw_qr(text, size, "network, decoder and draw pad", 7.4)


@in_style()
def _draw_qr(data, size, content, inches):
    code = segno.make_qr(data, error="l", mode="byte", boost_error=False)
    figure, axes = canvas((inches, inches))
    axes.imshow(list(code.matrix_iter(border=4)), cmap="gray_r", interpolation="nearest")
    axes.axis("off")
    side = len(code.matrix)
    return Picture(figure, f"{size} make a QR code of version {code.version}: {side} x {side} "
                   f"squares hold {content}.")

"""Pictures and tables of notebook 07: where bytes go, the frontier, the literature, QR codes."""

from itertools import pairwise
from pathlib import Path

import pandas as pd
import segno

from .. import pretrained
from ..deploy.page import QR_BYTES, QR_PREFIX
from ..packed import breakdown, pack
from .plots import HATCHES, Picture, canvas, in_style, pareto
from .tables import Table


@in_style
def show_breakdown(files: dict[str, bytes]) -> Picture:
    """Stacked bars of what the bytes of packed files are for. ValueError for none, or for what is
    no packed file."""
    if not files:
        raise ValueError(f"need at least one packed file to break down; got {files!r}")
    parts = pd.DataFrame({name: breakdown(data) for name, data in files.items()})
    figure, axes = canvas((8, 1.2 + 0.7 * len(files)))
    left, places = 0, range(len(files))
    for number, (label, share) in enumerate((100 * parts / parts.sum()).iterrows()):
        axes.barh(places, share, left=left, color=f"C{number}", edgecolor="white",
                  hatch=HATCHES[number], label=label)
        left += share
    axes.set(xlabel="share of the file, %", xlim=(0, 100), yticks=places,
             yticklabels=[f"{name}\n{len(data):,} B" for name, data in files.items()])
    axes.invert_yaxis()
    axes.grid(False)
    figure.legend(loc="outside upper center", ncols=len(parts))
    told = []
    for name, sizes in parts.items():
        largest = sizes.sort_values(ascending=False, kind="stable")[:2]
        most = " and ".join(f"{label} ({size:,})" for label, size in largest.items())
        told.append(f"{name}, {sizes.sum():,} bytes: most for {most}")
    return Picture(figure, ". ".join(told) + ".")


@in_style
def show_front(mine: tuple, dense: tuple, others: dict | None = None) -> Picture:
    """Bytes and error on the sample's 4,000 test digits, with the learner's point.

    mine and dense: pairs of bytes and error, a share of 1; others: {name: such a pair}. The
    sentence tells of `mine` only what holds on every machine, as its training does not.
    """
    rows = [pretrained.measured(name) for name in pretrained.RECIPES if "thousand" in name]
    points = {row.name: (row.mean_bytes, row.validation_error) for row in rows}
    every = {"dense float32": dense, **(others or {}), **points, "yours": mine}
    figure, axes = canvas((7.6, 3.8))
    for name, (size, wrong) in every.items():
        axes.plot(size, 100 * wrong, linestyle="", markersize=9, label=name)
    sizes, wrongs = zip(*pareto(every.values()), strict=True)
    axes.step(sizes, [100 * wrong for wrong in wrongs], where="post", marker="", color="#555555",
              linewidth=1, linestyle="--", label="Pareto front")
    axes.set(xscale="log", xlabel="bytes of the file", ylabel="wrong answers, %")
    figure.legend(loc="outside upper center", ncols=4)
    good = max(dense[1], min(row.validation_error for row in rows))  # or else as good as any
    best = min((row for row in rows if row.validation_error <= good),
               key=lambda row: row.mean_bytes)
    yours = "below 1,000 bytes" if mine[0] < 1000 else "above 1,000 bytes"
    right = "no more errors than dense" if mine[1] <= dense[1] else "more errors than dense"
    return Picture(figure, f"Over {len(best.bytes)} seeds, {best.name} takes {best.mean_bytes:,.0f}"
                   f" bytes on average and errs on {best.validation_error:.1%}; the dense network "
                   f"takes {dense[0]:,} and errs on {dense[1]:.1%}. Yours: {yours}, {right}.")


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


@in_style
def _draw_qr(data, size, content, inches):
    code = segno.make_qr(data, error="l", mode="byte", boost_error=False)
    figure, axes = canvas((inches, inches))
    axes.imshow(list(code.matrix_iter(border=4)), cmap="gray_r", interpolation="nearest")
    axes.axis("off")
    side = len(code.matrix)
    return Picture(figure, f"{size} make a QR code of version {code.version}: {side} x {side} "
                   f"squares hold {content}.")


def literature_table(*names: str) -> Table:
    """Published LeNet-300-100 files beside our measured ones: means over the seeds.

    ValueError for the name of another network.
    """
    widths = pretrained.recipe("lenet").widths
    if wrong := [name for name in names if pretrained.recipe(name).widths != widths]:
        raise ValueError(f"only LeNet-300-100 compares with the papers; got {wrong[0]!r}")
    dense = sum(4 * (a + 1) * b for a, b in pairwise(widths))  # float32, no header
    papers = pd.read_csv(Path(__file__).with_name("papers.csv"))
    ours = pd.DataFrame([_ours(name) for name in names])
    every = pd.concat([papers, ours])
    sizes = every["bytes"].astype(object)
    frame = pd.DataFrame({
        "test error": every["error"].map("{:.2f} %".format),
        "bytes": sizes.map("{:,.0f}".format, "ignore").fillna("not given"),
        "times smaller": (dense / sizes).map("{:.0f}".format, "ignore").fillna(""),
        "counted": every["counted"]})
    frame.index = pd.Index(every["source"], name=f"LeNet-300-100, {dense:,} bytes")
    told = []
    for name, mine in zip(names, ours.itertuples(), strict=True):
        told.append(f"{name} beats no published file in both columns")
        beaten = papers[(papers["bytes"] > mine.bytes) & (papers["error"] >= mine.error)]
        for paper in beaten.nsmallest(1, "bytes").itertuples():
            told[-1] = (f"{name} is {paper.bytes / mine.bytes:.1f} times smaller than "
                        f"{paper.source.split(',')[0]} with no more errors on average")
    return Table(frame, f"{'; '.join(told)}. The papers train on undistorted digits, so this is "
                 "not like for like.")


def _ours(name):
    """What was measured of one of our networks, as papers.csv has it of others."""
    found = pretrained.measured(name)
    low, high = (f"{100 * end(found.official_errors):.2f}" for end in (min, max))
    means = "distorted digits" + ", 2x2 sharing" * pretrained.recipe(name).tie
    return {"source": f"here: {name}", "error": 100 * found.official_error,
            "bytes": found.mean_bytes,
            "counted": f"file; {means}; {len(found.bytes)} seeds, {low} to {high} %"}

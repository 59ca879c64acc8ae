"""Pictures and tables of notebook 07: where bytes go, the frontier, the literature, QR codes."""

from pathlib import Path

import pandas as pd
import segno

from .. import pretrained
from ..deploy.page import QR_BYTES, QR_PREFIX
from ..packed.breakdown import breakdown
from ..packed.file import pack
from .plots import HATCHES, draw, pareto
from .tables import Table

LENET = (784, 300, 100, 10)  # widths
DENSE_BYTES = {(784, 128, 10): 407_080, LENET: 1_066_440}  # float32, no header
PAPERS = (  # LeNet-300-100 on MNIST: source, where, error in %, bytes or None, what was counted
    ("Han et al. 2015, pruning", "arXiv 1506.02626", 1.59, None, "weights, 12 times fewer"),
    ("Guo et al. 2016, surgery", "arXiv 1608.04493", 1.99, None, "weights, 56 times fewer"),
    ("Han et al. 2016, Deep Compression", "arXiv 1510.00149", 1.58, 27_000, "file"),
    ("Molchanov et al. 2017, variational dropout", "arXiv 1701.05369", 1.92, None,
     "weights, 68 times fewer"),
    ("Oktay et al. 2020, entropy penalty", "arXiv 1906.06624", 1.9, 8_560, "file"),
)
EXTRAS = {True: "distorted digits, 2x2 sharing", False: "distorted digits"}


def show_breakdown(files):
    """Stacked bars of what the bytes of packed files are for. files: {name: bytes}, at least one.

    ValueError without any, or for what is no packed file.
    """
    if not files:
        raise ValueError(f"need at least one packed file to break down; got {files!r}")
    parts = {name: breakdown(data) for name, data in files.items()}
    labels = list(next(iter(parts.values())))

    def paint(axes):
        for place, (name, sizes) in enumerate(parts.items()):
            left = 0
            for number, label in enumerate(labels):
                share = 100 * sizes[label] / len(files[name])
                axes.barh(place, share, left=left, color=f"C{number}", edgecolor="white",
                          hatch=HATCHES[number],
                          label=None if place else label)
                left += share
        axes.set(yticks=range(len(files)), xlabel="share of the file, %", xlim=(0, 100),
                 yticklabels=[f"{name}\n{len(data):,} B" for name, data in files.items()])
        axes.invert_yaxis()
        axes.grid(False)
        axes.figure.legend(loc="outside upper center", ncols=len(labels))

    told = []
    for name, sizes in parts.items():
        largest = sorted(sizes, key=sizes.get, reverse=True)[:2]
        told.append(f"{name}, {len(files[name]):,} bytes: most for "
                    + " and ".join(f"{label} ({sizes[label]:,})" for label in largest))
    return draw(paint, ". ".join(told) + ".", (8, 1.2 + 0.7 * len(files)))


def show_front(mine, dense, others=None):
    """Bytes and error on the sample's 4,000 test digits, with the learner's point.

    mine and dense: pairs of bytes and error, a share of 1; others: {name: such a pair}. The
    sentence tells of `mine` only what holds on every machine, as its training does not.
    """
    names = [name for name in pretrained.RECIPES if name.startswith("thousand")]
    rows = [pretrained.measured(name) for name in names]
    points = {row.name: (row.mean_bytes, row.validation_error) for row in rows}

    def paint(axes):
        every = {"dense float32": dense, **(others or {}), **points, "yours": mine}
        for name, (size, wrong) in every.items():
            axes.plot(size, 100 * wrong, linestyle="", markersize=9, label=name)
        sizes, wrongs = zip(*pareto(every.values()), strict=True)
        axes.step(sizes, [100 * wrong for wrong in wrongs], where="post", marker="",
                  color="#555555", linewidth=1, linestyle="--", label="Pareto front")
        axes.set(xscale="log", xlabel="bytes of the file", ylabel="wrong answers, %")
        axes.figure.legend(loc="outside upper center", ncols=4)

    good = [row for row in rows if row.validation_error <= dense[1]]
    best = (min(good, key=lambda row: row.mean_bytes) if good else
            min(rows, key=lambda row: row.validation_error))
    yours = "below 1,000 bytes" if mine[0] < 1000 else "above 1,000 bytes"
    right = "no more errors than dense" if mine[1] <= dense[1] else "more errors than dense"
    return draw(paint, f"Over {len(best.bytes)} seeds, {best.name} takes {best.mean_bytes:,.0f} "
                f"bytes on average and errs on {best.validation_error:.1%}; the dense network "
                f"takes {dense[0]:,} and errs on {dense[1]:.1%}. "
                f"Yours: {yours}, {right}.", (7.6, 3.8))


def qr_code(data):
    """Bytes, or ASCII text, as a QR code (segno) that any scanner reads back.

    Error correction level L, binary mode. segno.DataOverflowError above 2,953 bytes.
    """
    return segno.make_qr(data, error="l", mode="byte", boost_error=False)


def show_qr(model):
    """The packed file of a model as a picture that a scanner reads."""
    data = pack(model, reorder=True)
    return _draw_qr(data, f"{len(data):,} bytes", "the whole network", 4)


def show_qr_page(path):
    """The page that `export_qr_page` wrote to `path` as a picture, with the prefix that makes it an
    address: what a scanner reads is to be pasted into the address bar."""
    text = QR_PREFIX + Path(path).read_text("ascii")
    size = f"About {round(len(text), -2):,} of the {QR_BYTES:,} bytes that fit"  # zlib's version
    return _draw_qr(text, size, "network, decoder and draw pad", 7.4)


def _draw_qr(data, size, content, inches):
    code = qr_code(data)
    modules = [list(row) for row in code.matrix_iter(border=4)]

    def paint(axes):
        axes.imshow(modules, cmap="gray_r", interpolation="nearest")
        axes.axis("off")

    return draw(paint, f"{size} make a QR code of version {code.version}: "
                f"{len(code.matrix)} x {len(code.matrix)} squares hold {content}.",
                (inches, inches))


def literature_table(*names):
    """Published LeNet-300-100 files beside our measured ones: means over the seeds.

    ValueError for the name of another network.
    """
    for name in names:
        if pretrained.recipe(name).widths != LENET:
            fitting = [each for each, made in pretrained.RECIPES.items() if made.widths == LENET]
            raise ValueError(f"only LeNet-300-100 compares with the papers: {', '.join(fitting)}; "
                             f"got {name!r}")
    dense = DENSE_BYTES[LENET]
    rows = [(f"{who} ({where})", *figures) for who, where, *figures in PAPERS]
    for name in names:
        found, tie = pretrained.measured(name), pretrained.recipe(name).tie
        low, high = (f"{100 * end(found.official_errors):.2f}" for end in (min, max))
        note = f"file; {EXTRAS[tie]}; {len(found.bytes)} seeds, {low} to {high} %"
        rows.append((f"here: {name}", 100 * found.official_error, found.mean_bytes, note))
    frame = pd.DataFrame({
        "test error": [f"{wrong:.2f} %" for _, wrong, _, _ in rows],
        "bytes": ["not given" if size is None else f"{size:,.0f}" for _, _, size, _ in rows],
        "times smaller": ["" if size is None else f"{dense / size:.0f}" for _, _, size, _ in rows],
        "counted": [note for *_, note in rows],
    }, index=pd.Index([name for name, *_ in rows], name=f"LeNet-300-100, {dense:,} bytes"))
    files = [row for row in rows[:len(PAPERS)] if row[2]]
    told = []
    for name, wrong, size, _ in rows[len(PAPERS):]:
        beaten = [paper for paper in files if paper[2] > size and paper[1] >= wrong]
        paper = min(beaten, key=lambda row: row[2], default=None)
        told.append(f"{name.removeprefix('here: ')} is {paper[2] / size:.1f} times smaller than "
                    f"{paper[0].split(',')[0]} with no more errors on average" if paper else
                    f"{name.removeprefix('here: ')} beats no published file in both columns")
    return Table(frame, f"{'; '.join(told)}. The papers train on undistorted digits, so this is "
                 "not like for like.")

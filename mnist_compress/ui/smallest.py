"""Pictures of notebook 07: files to scale, where bytes go, the frontier, QR codes."""

from pathlib import Path

import pandas as pd
import segno

from .. import pretrained
from ..deploy import QR_BYTES, QR_PREFIX
from ..packed import breakdown, pack
from ..training import evaluate
from .plots import HATCHES, Picture, canvas, in_style, pareto


@in_style
def show_breakdown(files: dict[str, bytes]) -> Picture:
    """Stacked bars, to scale, of what the bytes of packed files are for."""
    parts = pd.DataFrame({name: breakdown(data) for name, data in files.items()})
    figure, axes = canvas((8, 1.2 + 0.6 * len(files)))
    left, places = 0, range(len(files))
    for number, (label, sizes) in enumerate(parts.iterrows()):
        axes.barh(places, sizes, left=left, color=f"C{number}", edgecolor="white",
                  hatch=HATCHES[number], label=label)
        left += sizes
    axes.set(xlabel="bytes", yticks=places,
             yticklabels=[f"{name}\n{len(data):,} B" for name, data in files.items()])
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


@in_style
def show_zoomed(sizes: dict[str, int], zoom: int) -> Picture:
    """Files as bars to scale, {name: bytes}, the largest first; on the right the same bars, longer
    by so much, that bars which do not fit run out of."""
    figure, (left, right) = canvas((8, 0.9 + 0.42 * len(sizes)), 1, 2, sharey=True)
    most, places = max(sizes.values()), range(len(sizes))
    for axes, reach in ((left, most), (right, most / zoom)):
        for place, size in enumerate(sizes.values()):
            axes.barh(place, min(size, reach), color="C0" if size <= reach else "#BBBBBB",
                      hatch="" if size <= reach else "//", edgecolor="white")
        axes.set(xlim=(0, reach), xlabel=f"bytes, 0 to {reach:,.0f}", xticks=[])
        axes.grid(False)
    left.set(title="to scale")
    right.set(title=f"{zoom} times longer (gray: runs out)", yticks=places, yticklabels=[
        f"{name}\n{size:,} B" for name, size in sizes.items()])
    left.invert_yaxis()
    first, *_, last = sizes.items()
    told = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
    return Picture(figure, f"Bytes: {told}. {last[0].capitalize()} would fit "
                   f"{first[1] / last[1]:,.0f} times into {first[0]}.")


@in_style
def show_front(networks: dict, digits) -> Picture:
    """Bytes and errors on these digits, beside the finished networks of as many training digits.

    networks: {name: (bytes, network)}, the dense one first, the learner's last. The sentence tells
    of that only what holds on every machine, as its training does not.
    """
    names = [name for name in pretrained.RECIPES if "thousand" in name]
    finished = {name: (pretrained.path(name).stat().st_size, pretrained.load(name))
                for name in names}
    points = {name: (size, 1 - evaluate(network, digits).accuracy)
              for name, (size, network) in {**finished, **networks}.items()}
    figure, axes = canvas((7.6, 3.8))
    for name, (size, wrong) in points.items():
        mine = name == list(networks)[-1]  # a ring, for it may lie upon another one
        axes.plot(size, 100 * wrong, linestyle="", markersize=15 if mine else 9, label=name,
                  fillstyle="none" if mine else "full", markeredgewidth=2)
    sizes, wrongs = zip(*pareto(points.values()), strict=True)
    axes.step(sizes, [100 * wrong for wrong in wrongs], where="post", marker="", color="#555555",
              linewidth=1, linestyle="--", label="front")
    axes.set(xscale="log", xlabel="bytes of the file, each line ten times the one before",
             ylabel="wrong answers, %")
    figure.legend(loc="outside upper center", ncols=4)
    dense, *_, mine = [points[name] for name in networks]
    told = [f"{name} takes {size:,} bytes and errs on {wrong:.1%}" for name, (size, wrong)
            in points.items() if (size, wrong) != mine or name in names]
    yours = "below 1,000 bytes" if mine[0] < 1000 else "above 1,000 bytes"
    right = "no more errors" if mine[1] <= dense[1] else "more errors"
    return Picture(figure, f"Of {len(digits):,} digits: {'; '.join(told)}. "
                   f"Yours: {yours}, {right} than {next(iter(networks))}.")


@in_style
def show_shapes(*names: str) -> Picture:
    """Bytes and official errors of finished networks, each seed as it was recorded. A network with
    "convolution" in its name is drawn as one. ValueError for a name without a record."""
    figure, axes = canvas((7.6, 3.8))
    told = []
    for number, name in enumerate(names):
        found = pretrained.measured(name)
        wrong = [100 * error for error in found.official_errors]
        axes.plot(found.bytes, wrong, linestyle="", color=f"C{number}", markersize=9,
                  marker="D" if "convolution" in name else "o", label=name)
        told.append(f"{name} {found.mean_bytes:,.0f} bytes at {found.official_error:.2%}")
    axes.set(xlabel="bytes of the file", ylabel="wrong official answers, %", xlim=(0, None),
             ylim=(0, None))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    figure.legend(loc="outside upper center", ncols=3)
    return Picture(figure, f"Means of {len(found.bytes)} seeds: {', '.join(told)}.")


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

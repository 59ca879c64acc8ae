"""Pictures of the course. Each comes with one sentence, computed from the same numbers."""

import base64
import contextlib
import html
import io
from pathlib import Path

import numpy as np
import torch

from ..arguments import real, whole
from ..model import weight_layers
from ..stages import STAGES
from .state import Sentence

HATCHES = ("", "//", "..", "xx", "--", "\\\\")
INK = {"cmap": "gray_r", "vmin": 0, "vmax": 255}  # for `imshow`, of pixels


@contextlib.contextmanager
def in_style():
    """`@in_style()`: a function draws in the course's style. matplotlib is loaded when it does."""
    import matplotlib

    with matplotlib.rc_context(fname=Path(__file__).with_name("course.mplstyle")):
        yield


class Picture:
    """A matplotlib Figure and its sentence; a cell shows both, the picture with it as alt text."""

    def __init__(self, figure, sentence: str):
        self.figure, self.sentence = figure, sentence

    def __repr__(self):
        return self.sentence

    @in_style()
    def png(self) -> bytes:
        """The picture as bytes of a PNG file."""
        with io.BytesIO() as file:
            self.figure.savefig(file, format="png")
            return file.getvalue()

    def _repr_html_(self):
        width = round(96 * self.figure.get_figwidth())  # on the screen, though it is drawn sharper
        return image_tag(self.png(), self.sentence, width) + Sentence(self.sentence)._repr_html_()


def image_tag(png: bytes, alt: str, width: int) -> str:
    """An <img>. As `image/png`, JupyterLab would show the picture without its alt text."""
    return (f'<img alt="{html.escape(alt)}" width="{width}" '
            f'src="data:image/png;base64,{base64.b64encode(png).decode()}">')


def canvas(size=(6.4, 3.2), rows=1, columns=1, **options):
    """A new figure of that size in inches, and its axes or an array of them: draw `in_style`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size)
    return figure, figure.subplots(rows, columns, **options)


class Strip:
    """The six stages in a row, some of them lit; it heads every notebook."""

    def __init__(self, *lit: int):
        self.lit = [whole("stage", number, 1, 6) for number in lit] or range(1, 7)

    def __repr__(self):
        return "\n".join(f"{'>' if n in self.lit else ' '} {n} {name}"
                         for n, name in enumerate(STAGES, 1))

    def _repr_html_(self):
        boxes = ""
        for number, name in enumerate(STAGES, 1):
            look, text = "border-color: #888888", f"{number}. {name}"
            if number in self.lit:
                look = ("border-color: var(--jp-brand-color1, #0072B2); border-width: 3px; "
                        "font-weight: bold")
                text += " <span>(here)</span>" if len(self.lit) < 6 else ""
            boxes += ('<li style="flex: 1 1 7em; border-style: solid; border-width: 1px; '
                      f'border-radius: 4px; padding: 0.4em; margin: 0; {look}">{text}</li>')
        return ('<ol aria-label="The six stages" style="display: flex; flex-wrap: wrap; gap: 0.4em;'
                f' list-style: none; margin: 0; padding: 0">{boxes}</ol>')


@in_style()
def show_digits(digits, answers=None, before=None) -> Picture:
    """Digits side by side, ten in a row, with their labels; with the answers (n,) of a model
    beside them, or with those before and after a change."""
    table = [column.tolist() for column in (digits.labels, before, answers) if column is not None]
    what, form = (("each under its label", "{}"), ("label and answer", "{} read {}"),
                  ("label, answer before and after", "{}: {} → {}"))[len(table) - 1]
    titles = [form.format(*line) for line in zip(*table, strict=True)]
    rows, columns = max(1, -(-len(titles) // 10)), max(1, min(10, len(titles)))
    figure, grid = canvas((0.9 * columns, 1.2 * rows), rows, columns, squeeze=False)
    figure.get_layout_engine().set(h_pad=0.1)  # titles keep away from the edge
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, image, title in zip(grid.flat, digits.images.numpy(), titles, strict=False):
        axes.imshow(image, **INK)
        axes.set_title(title, fontsize=10)
    return Picture(figure, f"{len(titles):,} digits, {what}: {', '.join(titles)}.")


@in_style()
def show_pixels(image: torch.Tensor) -> Picture:
    """One image (28, 28) uint8 as the numbers it is made of, where there is ink."""
    spots = (image > 0).nonzero()
    (top, left), (bottom, right) = spots.amin(0).tolist(), spots.amax(0).tolist()
    figure, axes = canvas((0.36 * (right - left + 3), 0.36 * (bottom - top + 3)))
    axes.imshow(image.numpy(), **INK)
    axes.grid(False)
    axes.set(xlabel="column", xlim=(left - 1, right + 1), xticks=range(left, right + 1, 2),
             ylabel="row", ylim=(bottom + 1, top - 1), yticks=range(top, bottom + 1, 2))
    for y, x in spots.tolist():
        axes.text(x, y, int(image[y, x]), ha="center", va="center", fontsize=9,
                  color="white" if image[y, x] > 127 else "black")
    return Picture(figure, f"{len(spots)} of {image.numel()} pixels have ink; the darkest is "
                   f"{image.max()}, the mean {image.float().mean():.0f}. All others are 0.")


@in_style()
def show_ink_map(digits) -> Picture:
    """How often each pixel has ink, in per cent of the digits."""
    often = 100 * (digits.images > 0).double().mean(0)
    figure, axes = canvas((5, 3.8))
    axes.grid(False)
    figure.colorbar(axes.imshow(often.numpy(), cmap="viridis"), label="digits with ink here, %")
    return Picture(figure, f"{int((often == 0).sum())} of {often.numel()} pixels have no ink in "
                   f"any of the {len(digits):,} digits.")


@in_style()
def show_seeds(histories: dict, course: int) -> Picture:
    """{seed: History} as bands, from the worst to the best network after each epoch, on training
    and on validation digits; the seed `course` as a line."""
    epochs, place = [row.epoch for row in histories[course]], list(histories).index(course)
    figure, axes = canvas((7, 3.4))
    told = []
    for part, name, color in (("train", "training", "C0"), ("validation", "validation", "C1")):
        runs = 100 * np.array([[getattr(row, f"{part}_accuracy") for row in history]
                               for history in histories.values()])
        axes.fill_between(epochs, runs.min(0), runs.max(0), color=color, alpha=0.25,
                          label=f"{len(runs)} seeds, {name} digits")
        axes.plot(epochs, runs[place], color=color, label=f"seed {course}, {name} digits")
        last = runs[:, -1]
        told.append(" to ".join(dict.fromkeys((f"{last.min():.1f}", f"{last.max():.1f}"))))
    axes.set(xlabel="epoch", ylabel="accuracy, %",
             xticks=epochs if len(epochs) < 11 else epochs[4::5])
    axes.legend()
    return Picture(figure, f"After epoch {epochs[-1]}, {len(runs)} seeds read {told[0]} % of the "
                   f"training digits and {told[1]} % of the validation digits right; there the "
                   f"median is {np.median(last):.4g} %, and seed {course} reads {last[place]:.1f} "
                   "%.")


@in_style()
def show_curves(curves: dict, dense: list, longer: list) -> Picture:
    """Accuracy against sparsity, for several seeds: bands from the worst to the best, and medians.

    curves: {name: a list of ScanPoint for each seed}; dense: the accuracy 0..1 of each seed's dense
    network, from which all is counted in points; longer: that of the dense network trained on, with
    which the sentence compares the last of the curves.
    """
    more = 100 * np.subtract(longer, dense)
    figure, axes = canvas((7, 3.6))
    axes.axhline(0, color="#555555", linewidth=1, linestyle="--")
    axes.axhspan(more.min(), more.max(), color="#777777", alpha=0.3, label="dense, trained on")
    told = [f"Dense, trained on: {_range(more)}"]
    alike = set.intersection(*({point.sparsity for point in runs[0]} for runs in curves.values()))
    for number, (name, runs) in enumerate(curves.items()):
        shares = np.array([point.sparsity for point in runs[0]])
        accuracies = np.array([[point.accuracy for point in run] for run in runs])
        points = 100 * (accuracies.T - dense)  # (shares, seeds)
        axes.fill_between(100 * shares, points.min(1), points.max(1), color=f"C{number}",
                          alpha=0.25)
        axes.plot(100 * shares, np.median(points, 1), color=f"C{number}", label=name)
        each = [f"{_range(values)} at {share:.0%}"
                for share, values in zip(shares, points, strict=True) if share in alike]
        told.append(f"{name}: {', '.join(each)}")
    axes.set(xlabel="weights that are zero, %", ylabel="points against dense")
    axes.legend(loc="lower left")
    wins = [f"{(values > more).sum()} at {share:.0%}"
            for share, values in zip(shares, points, strict=True)]
    return Picture(figure, f"Points against the dense network of the same seed, worst to best of "
                   f"{len(dense)} seeds. {'; '.join(told)}. How many of {len(dense)} seeds "
                   f"are better {name} than dense and trained on: {', '.join(wins)}.")


def _range(values):
    return f"{values.min():+.1f} to {values.max():+.1f}"


@in_style()
def show_weights(model, sparsity: float) -> Picture:
    """The weights of all layers together and how small those are that pruning takes."""
    weights = torch.cat([layer.weight.detach().flatten() for _, layer in weight_layers(model)])
    count = round(real("sparsity", sparsity, 0, below=1) * len(weights))
    limit = weights.abs().sort().values[count - 1].item() if count else 0
    figure, axes = canvas()
    axes.hist(weights.numpy(), bins=101)
    axes.set(xlabel="weight", ylabel="how many")
    axes.axvspan(-limit, limit, color="#E69F00", alpha=0.5, zorder=3)
    return Picture(figure, f"The smallest {100 * sparsity:.0f} % of the weights lie between "
                   f"-{limit:.4f} and {limit:.4f}; the largest magnitude is "
                   f"{weights.abs().max():.2f}.")


@in_style()
def show_guesses(rows: list, sentence: str) -> Picture:
    """Each guess and what was measured, joined by a line, on a scale of its own from 0.

    rows: (topic, guess, measured, both as a text).
    """
    figure, axes = canvas((7.2, 1 + 0.4 * len(rows)))
    for place, (_, guess, truth, text) in enumerate(rows):
        most = max(guess, truth) or 1
        axes.plot([guess / most, truth / most], [place] * 2, color="#888888", marker="", zorder=1)
        axes.scatter(guess / most, place, 70, facecolor="white", edgecolor="C1", linewidth=2)
        axes.scatter(truth / most, place, 70, color="C0")
        axes.text(1.06, place, text, va="center")
    axes.set(xlim=(-0.03, 1.03), xticks=[0, 1], xticklabels=["0", "the larger of the two"],
             ylim=(len(rows) - 0.5, -0.5), yticks=range(len(rows)),
             yticklabels=[topic for topic, *_ in rows])
    axes.legend(axes.collections[:2], ["guessed", "measured"], loc="lower left",
                bbox_to_anchor=(0, 1), ncols=2)
    return Picture(figure, sentence)


def log_scale(axes, *names: str):
    """Give some of "x", "y" a logarithmic scale with ticks at 1, 2, 5, 10, 20 and so on."""
    from matplotlib.ticker import LogLocator, NullLocator

    for name in names:
        axes.set(**{f"{name}scale": "log"})
        getattr(axes, f"{name}axis").set(
            major_locator=LogLocator(subs=(1, 2, 5)), major_formatter="{x:,g}",
            minor_locator=NullLocator())


def pareto(points, cost=tuple) -> list:
    """Those of `points` that no other beats, ascending; cost(point) is a pair, such as bytes and
    errors. One beats another if it costs less of one and not more of the other; equals both stay.
    """
    front = []
    for point in sorted(points, key=cost):
        if not front or cost(point)[1] < cost(front[-1])[1] or cost(point) == cost(front[-1]):
            front.append(point)
    return front


def draw_front(axes, points: dict, mine: str) -> list:
    """Draw {name: (cost, cost)}, with a ring around `mine`, for it may lie upon another one, and
    the line of those that no other beats; returns their names."""
    for name, (across, up) in points.items():
        look = {"markersize": 15, "fillstyle": "none"} if name == mine else {"markersize": 9}
        axes.plot(across, up, linestyle="", label=name, markeredgewidth=2, **look)
    front = pareto(points, points.get)
    axes.step(*zip(*map(points.get, front), strict=True), where="post", marker="",
              color="#555555", linewidth=1, linestyle="--", label="Pareto front")
    axes.figure.legend(loc="outside upper center", ncols=4)
    return front

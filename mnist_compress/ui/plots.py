"""Pictures of the course. Each comes with one sentence, computed from the same numbers."""

import html
import io
import math
from pathlib import Path

import matplotlib
import torch
from IPython.display import display
from matplotlib.figure import Figure

from ..data import SIDE, real
from ..stages import STAGES

STYLE = Path(__file__).with_name("course.mplstyle")
INK = "#0072B2"
HATCHES = ("", "//", "..", "xx", "--", "\\\\")


class Picture:
    """A matplotlib Figure and its sentence; a cell shows both, the picture with it as alt text."""

    def __init__(self, figure, sentence):
        self.figure, self.sentence = figure, sentence

    def __repr__(self):
        return self.sentence

    @property
    def width(self):
        """Pixels that the picture takes on the screen: 96 an inch, though it is drawn sharper."""
        return round(96 * self.figure.get_figwidth())

    def png(self):
        """The picture as bytes of a PNG file."""
        with io.BytesIO() as file, matplotlib.rc_context(fname=STYLE):
            self.figure.savefig(file, format="png")
            return file.getvalue()

    def _ipython_display_(self):
        data = {"image/png": self.png(), "text/plain": self.sentence}
        display(data, metadata={"image/png": {"alt": self.sentence, "width": self.width}},
                raw=True)
        text = f"<p>{html.escape(self.sentence)}</p>"
        display({"text/html": text, "text/plain": self.sentence}, raw=True)


def draw(paint, sentence, size=(6.4, 3.2), rows=1, columns=1, **axes):
    """A `Picture`: paint(axes) draws on one axes, or on an array of them, in the course's style."""
    with matplotlib.rc_context(fname=STYLE):
        figure = Figure(figsize=size)
        paint(figure.subplots(rows, columns, **axes))
    return Picture(figure, sentence)


class Strip:
    """The six stages in a row, some of them lit; it heads every notebook."""

    def __init__(self, *lit):
        wrong = [number for number in lit if number not in range(1, 7)]
        if wrong:
            raise ValueError(f"stages are numbered 1 to 6; got {wrong[0]!r}")
        self.lit = lit or tuple(range(1, 7))

    def __repr__(self):
        return "\n".join(f"{'>' if n in self.lit else ' '} {n} {name}"
                         for n, name in enumerate(STAGES, 1))

    def _repr_html_(self):
        boxes = []
        for number, name in enumerate(STAGES, 1):
            here = number in self.lit
            look = ("border-color: var(--jp-brand-color1, #0072B2); border-width: 3px; "
                    "font-weight: bold" if here else "border-color: #888888")
            text = f"{number}. {name}" + (" <span>(here)</span>" if here else "")
            boxes.append('<li style="flex: 1 1 7em; border-style: solid; border-width: 1px; '
                         f'border-radius: 4px; padding: 0.4em; margin: 0; {look}">{text}</li>')
        return ('<ol aria-label="The six stages" style="display: flex; flex-wrap: wrap; '
                'gap: 0.4em; list-style: none; margin: 0; padding: 0">' + "".join(boxes) + "</ol>")


def show_digits(digits, answers=None, before=None, columns=10):
    """Digits side by side, with their labels; with the answers (n,) of a model beside them, or with
    those before and after a change."""
    count, columns = len(digits), max(1, min(columns, len(digits)))
    rows = max(1, math.ceil(count / columns))
    labels = digits.labels.tolist()
    titles, what = [f"{label}" for label in labels], "under its label" if count == 1 else \
        "each under its label"
    if answers is not None:
        titles, what = [f"{label} read {read}" for label, read in
                        zip(labels, answers.tolist(), strict=True)], "label and answer"
    if before is not None:
        titles, what = [f"{label}: {old} → {new}" for label, old, new in
                        zip(labels, before.tolist(), answers.tolist(), strict=True)], \
            "label, answer before and after"

    def paint(grid):
        for place, axes in enumerate(grid.flat):
            axes.set_axis_off()
            if place < count:
                axes.imshow(digits.images[place].numpy(), cmap="gray_r", vmin=0, vmax=255)
                axes.set_title(titles[place], fontsize=10)

    shown = "1 digit" if count == 1 else f"{count:,} digits"
    sentence = f"{shown}, {what}: {', '.join(titles)}."
    picture = draw(paint, sentence, (0.9 * columns, 1.2 * rows), rows, columns, squeeze=False)
    picture.figure.get_layout_engine().set(h_pad=0.1)  # titles keep away from the edge
    return picture


def show_pixels(image):
    """One image (28, 28) uint8 as the numbers it is made of, where there is ink.

    ValueError if there is none.
    """
    spots = (image > 0).nonzero()
    if not len(spots):
        raise ValueError(f"image must have ink somewhere; got {image.numel()} pixels of 0")
    (top, left), (bottom, right) = spots.amin(0).tolist(), spots.amax(0).tolist()

    def paint(axes):
        axes.imshow(image.numpy(), cmap="gray_r", vmin=0, vmax=255)
        axes.grid(False)
        axes.set(xlabel="column", ylabel="row", xlim=(left - 1, right + 1),
                 ylim=(bottom + 1, top - 1), xticks=range(left, right + 1, 2),
                 yticks=range(top, bottom + 1, 2))
        for y, x in spots.tolist():
            value = int(image[y, x])
            axes.text(x, y, value, ha="center", va="center", fontsize=9,
                      color="white" if value > 127 else "black")

    return draw(paint, f"{len(spots)} of {image.numel()} pixels have ink; "
                f"the darkest is {int(image.max())}, the mean {image.float().mean():.0f}. "
                "All others are 0.", (0.36 * (right - left + 3), 0.36 * (bottom - top + 3)))


def show_map(values, sentence, label):
    """A map (28, 28) over the pixels, with a colour bar."""
    def paint(axes):
        picture = axes.imshow(values.numpy(), cmap="viridis")
        axes.grid(False)
        axes.figure.colorbar(picture, label=label)

    return draw(paint, sentence, (5, 3.8))


def show_ink_map(digits):
    """How often each pixel has ink, in per cent of the digits."""
    often = 100 * (digits.images > 0).double().mean(0)
    dark = int((often == 0).sum())
    return show_map(often, f"{dark} of {often.numel()} pixels have no ink in any of the "
                    f"{len(digits):,} digits.", "digits with ink here, %")


def pareto(points):
    """Those of (bytes, error) that no other point beats in both, by bytes, ascending."""
    front = []
    for size, wrong in sorted(points):
        if not front or wrong < front[-1][1]:
            front.append((size, wrong))
    return front


def survivors(model):
    """Weights of the first layer left at each pixel (28, 28); means of the inner 20 x 20, outer."""
    alive = (model.layers[0].weight != 0).sum(0).view(SIDE, SIDE)
    edge = torch.ones(SIDE, SIDE, dtype=torch.bool)
    edge[4:-4, 4:-4] = False
    return alive, *(alive[part].double().mean().item() for part in (~edge, edge))


def show_history(history):
    """Loss and accuracy after each epoch, on the rows trained on and on new digits."""
    epochs = [row.epoch for row in history]

    def paint(axes):
        for place, kind in enumerate(("loss", "accuracy")):
            for part, name in (("train", "training rows"), ("test", "new digits")):
                factor = 100 if kind == "accuracy" else 1
                values = [factor * getattr(row, f"{part}_{kind}") for row in history]
                axes[place].plot(epochs, values, label=name)
            axes[place].set(xlabel="epoch", ylabel=kind + (", %" if place else ""),
                            xticks=epochs if len(epochs) < 11 else epochs[4::5])
        axes[0].legend()

    first, last = history[0], history[-1]
    gap = 100 * (last.train_accuracy - last.test_accuracy)
    return draw(paint, f"The training loss falls from {first.train_loss:.2f} to "
                f"{last.train_loss:.2f}. At the end the training rows are {gap:.0f} points "
                "ahead of new digits.", (8, 3.2), 1, 2)


def show_curves(curves, baseline, sentence):
    """Accuracy against sparsity. curves: {name: list of ScanPoint}; baseline: accuracy 0..1."""
    def paint(axes):
        axes.axhline(100 * baseline, color="#555555", linewidth=1, linestyle="--")
        axes.annotate("dense", (1, 100 * baseline), xycoords=axes.get_yaxis_transform(),
                      xytext=(-4, 4), textcoords="offset points", ha="right")
        for name, points in curves.items():
            axes.plot([100 * point.sparsity for point in points],
                      [100 * point.accuracy for point in points], label=name)
        axes.set(xlabel="weights that are zero, %", ylabel="test accuracy, %")
        axes.legend(loc="lower left")

    return draw(paint, sentence, (7, 3.4))


def show_weights(model, sparsity):
    """The weights of all layers together and how small those are that pruning takes.

    ValueError for a sparsity outside [0, 1).
    """
    weights = torch.cat([layer.weight.detach().flatten() for layer in model.layers])
    count = round(real("sparsity", sparsity, 0, below=1) * len(weights))
    limit = weights.abs().sort().values[count - 1].item() if count else 0.0

    def paint(axes):
        axes.hist(weights.numpy(), bins=101, color=INK)
        if count:
            axes.axvspan(-limit, limit, color="#E69F00", alpha=0.5, zorder=3)
        axes.set(xlabel="weight", ylabel="how many")

    cut = (f"The smallest {100 * sparsity:.0f} % of the weights lie between -{limit:.4f} and "
           f"{limit:.4f}" if count else f"None of the {len(weights):,} weights is to go")
    return draw(paint, f"{cut}; the largest magnitude is {weights.abs().max():.2f}.")


def show_probabilities(trace):
    """What each model answers to one digit, in per cent."""
    outputs = trace.layers[-1].values
    width = 0.81 / len(outputs)  # of a bar; those of one digit leave a gap to the next

    def paint(axes):
        for place, (name, values) in enumerate(outputs.items()):
            left = width * (place - (len(outputs) - 1) / 2)
            axes.bar([digit + left for digit in range(len(values))], (100 * values).numpy(), width,
                     label=name, hatch=HATCHES[place % len(HATCHES)], edgecolor="white")
        axes.set(xlabel="digit", ylabel="probability, %", xticks=range(len(values)))
        axes.legend()

    answers = ", ".join(f"{name} {answer}" for name, answer in trace.predictions.items())
    agree = "All three agree" if len(outputs) == 3 else "All agree"
    agree = agree if trace.agree else "They do not agree"
    return draw(paint, f"The digit is a {trace.label}. Answers: {answers}. {agree}.", (7.2, 3))

"""Pictures of what came out: a network at work, confused digits, changed answers, file sizes."""

import numpy as np
import torch
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from ..measure import changed_answers
from ..training import logits
from .plots import INK, Picture, canvas, in_style
from .tables import two_digits
from .units import strongest_units

_LINES = LinearSegmentedColormap.from_list("lines", ["#0072B2", "#DDDDDD", "#D55E00"])


@in_style()
def show_network(model, digit) -> Picture:
    """One digit (`Digits` of one) in a network with one hidden layer: 16 of the hidden units, their
    weights to the ten output units, and what each of these units has, the darker the more."""
    first, last = model.layers[0].weight, model.layers[-1].weight.detach()
    chosen = strongest_units(first)
    with torch.no_grad():
        hidden = model.activations(digit.inputs)[0][0]
    chances = torch.softmax(logits(model, digit)[0], 0)
    figure, axes = canvas((7, 4))
    axes.set_axis_off()
    axes.set(xlim=(-0.5, 24), ylim=(-1.2, 11))
    axes.imshow(digit.images[0].numpy(), **INK, extent=(0, 8, 1, 9), aspect="auto")
    axes.add_patch(Rectangle((0, 1), 8, 8, fill=False, color="#888888"))
    left, right = np.linspace(10, 0, len(chosen)), np.linspace(10, 0, len(last))
    for height in left:  # each unit reads all pixels
        axes.fill([8, 14, 8], [9, height, 1], color="#888888", alpha=0.05, linewidth=0)
    lines = [[(14, start), (21, end)] for end in right for start in left]
    weights = last[:, chosen].flatten().numpy()
    axes.add_collection(LineCollection(lines, array=weights, cmap=_LINES, clim=(-0.3, 0.3),
                                       linewidths=0.3 + 8 * np.abs(weights)))
    axes.scatter([14] * len(left), left, 110, hidden[chosen].numpy(), cmap="gray_r", vmin=0,
                 vmax=float(hidden.max()), edgecolor="black", zorder=3)
    axes.scatter([21] * len(right), right, 170, chances.numpy(), cmap="gray_r", vmin=0, vmax=1,
                 edgecolor="black", zorder=3)
    for number, height in enumerate(right):
        axes.text(22, height, f"{number}: {chances[number]:.0%}", va="center")
    for place, text in ((4, f"{first.shape[1]} pixels"), (10.9, f"{first.numel():,} weights"),
                        (17.5, f"{last.numel():,} weights")):
        axes.text(place, -1, text, ha="center")
    axes.text(14, 10.7, f"{len(chosen)} of {len(hidden)} hidden units", ha="center")
    return Picture(figure, f"{first.shape[1]} pixels, {len(hidden)} hidden units and {len(last)} "
                   f"output units, joined by {first.numel():,} and {last.numel():,} weights. For "
                   f"this {int(digit.labels[0])}, hidden unit {int(hidden.argmax())} has most, "
                   f"{hidden.max():.2f}, and the answer is {int(chances.argmax())}, with "
                   f"{chances.max():.0%}.")


@in_style()
def show_confusion(labels, answers) -> Picture:
    """How many digits of each label (line) got each answer (column); both (n,) int64."""
    counts = torch.bincount(10 * labels + answers, minlength=100).view(10, 10)
    wrong = counts - torch.diag(counts.diag())
    figure, axes = canvas((5.4, 4.6))
    axes.grid(False)
    axes.imshow(wrong.numpy(), cmap="Oranges", vmin=0, vmax=max(1, 1.6 * int(wrong.max())))
    for line, column in counts.nonzero().tolist():
        axes.text(column, line, int(counts[line, column]), ha="center", va="center",
                  weight="bold" if line == column else "normal")
    axes.set(xlabel="answer", ylabel="label", xticks=range(10), yticks=range(10))
    most, places = wrong.flatten().sort(descending=True, stable=True)
    told = [f"{place // 10} read as {place % 10}, {count} times"
            for place, count in zip(places[:3].tolist(), most[:3].tolist(), strict=True)]
    return Picture(figure, f"{int(counts.diag().sum()):,} of {len(labels):,} answers are right, on "
                   f"the diagonal. Most often wrong: {'; '.join(told)}.")


@in_style()
def show_sizes(*files) -> Picture:
    """`FileRow`s as bars to scale, the sizes beside; those of gzip vary, so by two digits."""
    figure, axes = canvas((7, 0.8 + 0.38 * len(files)))
    names, sizes = [row.name for row in files], [row.bytes / 1000 for row in files]
    texts = [f"about {two_digits(size)} KB" if "gzip" in name else f"{size:,.1f} KB"
             for name, size in zip(names, sizes, strict=True)]
    bars = axes.barh(range(len(files)), sizes, height=0.6, tick_label=names)
    axes.bar_label(bars, texts, padding=4)
    axes.set(xlim=(0, 1.25 * max(sizes)), ylim=(len(files) - 0.5, -0.5), xlabel="KB")
    told, least = "; ".join(map(" ".join, zip(names, texts, strict=True))), min(sizes)
    return Picture(figure, f"Bars to scale: {told}. The file of {names[0]} is "
                   f"{two_digits(sizes[0] / least)} times that of {names[sizes.index(least)]}.")


@in_style()
def show_changes(before, after, digits) -> Picture:
    """Answers that two networks give differently: for each label how many went from right to wrong
    and how many from wrong to right, and the first five digits of both kinds."""
    changed = changed_answers(before, after, digits)
    right, still = (answers == digits.labels for answers in (changed.before, changed.after))
    figure, (above, below) = canvas((7.2, 4.2), 2, 1, height_ratios=(2, 1))
    below.set(xlim=(0, 10), ylim=(-0.4, 1))
    below.set_axis_off()
    told = []
    for side, name, chosen, color in ((0, "right to wrong", right & ~still, "C1"),
                                      (1, "wrong to right", ~right & still, "C0")):
        places, counts = chosen.nonzero().flatten(), digits.labels[chosen].bincount(minlength=10)
        above.bar(np.arange(10) + 0.4 * side - 0.2, counts.numpy(), 0.4, color=color,
                  label=f"{name}: {len(places)}")
        most = f" (most among the {int(counts.argmax())}s, {int(counts.max())})"
        told.append(f"{len(places)} {name}{most * bool(len(places))}")
        for left, place in enumerate(places[:5].tolist(), 5 * side):
            below.imshow(digits.images[place].numpy(), **INK, aspect="auto",
                         extent=(left + 0.1, left + 0.9, 0, 1))
            below.add_patch(Rectangle((left + 0.1, 0), 0.8, 1, fill=False, color=color, lw=3))
            below.text(left + 0.5, -0.1, f"{changed.before[place]} → {changed.after[place]}",
                       ha="center", va="top")
    above.set(xticks=range(10), xlabel="label", ylabel="answers changed")
    above.yaxis.get_major_locator().set_params(integer=True)
    above.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return Picture(figure, f"{' and '.join(told)}.")

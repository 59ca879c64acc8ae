"""Pictures, each with a sentence that is true."""

import base64
import html
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mnist_compress.pruning import ScanPoint, accuracy_curve
from mnist_compress.training import Epoch, History, train
from mnist_compress.ui import plots


def test_weights_of_which_none_is_cut(model):
    for sparsity in (0, 0.0, 1e-6):
        assert plots.show_weights(model, sparsity).sentence == (
            "The smallest 0 % of the weights lie between -0.0000 and 0.0000; the largest magnitude "
            "is 0.23.")
    for wrong in (1, -0.1, True, "0.3", 30):
        with pytest.raises(ValueError, match=r"sparsity must be .* at least 0 and below 1; got "):
            plots.show_weights(model, wrong)


def test_every_picture_is_a_png_with_its_sentence(model, digits, test):
    few = test[range(3)]
    _, history = train(digits[::10], few, epochs=2)
    pictures = [
        plots.show_digits(few), plots.show_digits(few, few.labels),
        plots.show_pixels(digits.images[700]), plots.show_ink_map(digits),
        plots.show_seeds({7: history}, 7),
        plots.show_curves({"cut": [accuracy_curve(model, test, [0.5])]}, [0.9], [0.8]),
        plots.show_weights(model, 0.3)]
    for picture in pictures:
        assert repr(picture) == picture.sentence
        alt, png = shown(picture)
        assert alt == picture.sentence and png.startswith(b"\x89PNG")


def shown(picture):
    """The alt text and the bytes of the picture that a cell would show; a paragraph follows."""
    found = re.match('<img alt="(.*?)" width="[0-9]+" src="data:image/png;base64,(.*?)"><p>',
                     picture._repr_html_())
    return html.unescape(found[1]), base64.b64decode(found[2])


def test_quotation_marks_in_an_alt_text(model):
    picture = plots.show_weights(model, 0.3)
    picture.sentence = 'a "b" < c & d'
    assert shown(picture)[0] == picture.sentence


def test_the_sentences_are_true(model, digits, test):
    never = int((digits.images.amax(0) == 0).sum())
    assert plots.show_ink_map(digits).sentence.startswith(f"{never} of 784 pixels have no ink")
    seven = digits.images[700]
    ink = int((seven > 0).sum())
    assert plots.show_pixels(seven).sentence.startswith(
        f"{ink} of 784 pixels have ink; the darkest is {int(seven.max())}")
    weights = torch.cat([layer.weight.detach().flatten() for layer in model.layers])
    limit = np.sort(np.abs(weights.numpy()))[round(0.3 * len(weights)) - 1]
    assert f"{limit:.4f}" in plots.show_weights(model, 0.3).sentence
    assert plots.show_digits(test[[0, 2999]]).sentence == "2 digits, each under its label: 0, 9."
    assert "0 read 5" in plots.show_digits(test[[0]], torch.tensor([5])).sentence


def test_the_band_of_seeds_spans_the_worst_and_the_best():
    def run(*accuracies):
        return History(Epoch(number, 1.0, old, 1.0, new)
                       for number, (old, new) in enumerate(accuracies, 1))

    picture = plots.show_seeds({3: run((0.5, 0.4), (0.9, 0.82)), 7: run((0.6, 0.3), (0.95, 0.81)),
                                8: run((0.7, 0.5), (0.92, 0.84))}, 7)
    assert picture.sentence == (
        "After epoch 2, 3 seeds read 90.0 to 95.0 % of the training digits and 81.0 to 84.0 % of "
        "the validation digits right; there the median is 82 %, and seed 7 reads 81.0 %.")
    axes = picture.figure.axes[0]
    band = axes.collections[1].get_paths()[0].vertices
    assert band[:, 1].min() == pytest.approx(30) and band[:, 1].max() == pytest.approx(84)
    assert [line.get_ydata()[-1] for line in axes.lines] == pytest.approx([95, 81])


def test_curves_of_several_seeds_are_bands_against_their_dense_networks():
    def runs(*seeds):
        return [[ScanPoint(None, share, accuracy) for share, accuracy in seed.items()]
                for seed in seeds]

    picture = plots.show_curves({
        "cut": runs({0.3: 0.9, 0.5: 0.8, 0.9: 0.5}, {0.3: 0.8, 0.5: 0.81, 0.9: 0.6}),
        "tuned": runs({0.5: 0.92, 0.9: 0.7}, {0.5: 0.81, 0.9: 0.79})}, [0.9, 0.8], [0.85, 0.82])
    assert picture.sentence == (
        "Points against the dense network of the same seed, worst to best of 2 seeds. Dense, "
        "trained on: -5.0 to +2.0; cut: -10.0 to +1.0 at 50%, -40.0 to -20.0 at 90%; tuned: +1.0 "
        "to +2.0 at 50%, -20.0 to -1.0 at 90%. How many of 2 seeds are better tuned than dense and "
        "trained on: 1 at 50%, 0 at 90%.")
    medians = picture.figure.axes[0].lines[1].get_xydata()
    assert medians == pytest.approx(np.array([[30, 0], [50, -4.5], [90, -30]]))
    assert len(picture.figure.axes[0].collections) == 2


def test_the_strip_lights_its_stages():
    assert [line[0] for line in repr(plots.Strip(1, 3)).splitlines()] == list("> >   ")
    assert plots.Strip(2)._repr_html_().count("(here)") == 1
    assert "(here)" not in plots.Strip()._repr_html_()  # all of them says nothing
    assert repr(plots.Strip()).count(">") == 6
    with pytest.raises(ValueError, match="stage must be a whole number from 1 to 6; got 7"):
        plots.Strip(7)


NUMBERS = st.integers(1, 6)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=12))
def test_the_front_is_what_nobody_beats(points):
    def beaten(point):
        return any(other != point and other[0] <= point[0] and other[1] <= point[1]
                   for other in points)

    assert plots.pareto(points) == sorted(point for point in points if not beaten(point))
    turned = plots.pareto(points, lambda point: (point[1], -point[0]))
    mirror = plots.pareto([(wrong, -size) for size, wrong in points])
    assert turned == [(-size, wrong) for wrong, size in mirror]

"""The six cards and the pictures of a prediction, against the networks themselves."""

import html
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mnist_compress.stages import STAGES
from mnist_compress.trace import run_pipeline, trace_prediction
from mnist_compress.ui import pipeline


@pytest.fixture(scope="module")
def run():
    return run_pipeline(epochs=1)


def test_six_cards_with_picture_shape_bytes_and_accuracy(run):
    shown = pipeline.stage_cards(run)
    cards = re.findall("<li.*?</li>", shown._repr_html_())
    assert [re.search("<strong>(.*?)</strong>", card)[1] for card in cards] == list(STAGES)
    for card, stage in zip(cards, run.stages, strict=True):
        assert re.search('<img alt="[^"]{20,}" width="[0-9]+" src="data:image/png', card)
        assert f"<strong>{stage.bytes:,} bytes" in card and stage.dtype in card
        assert (f"{stage.accuracy or 0:.1%} right" in card) == (stage.accuracy is not None)
    assert "1000 x 28 x 28 becomes 1000 x 784" in cards[2] and "pixel 150 becomes 0.59" in cards[1]
    alts = re.findall('alt="(.*?)"', shown._repr_html_())
    assert alts[0] == "A 7 of 28 x 28 pixels, 144 of them with ink"
    assert alts[3].endswith("black ones, 0%, are 0")
    text = html.unescape(shown)
    assert repr(shown) == text and shown._repr_html_().endswith(f"<p>{text}</p>")
    for stage in run.stages[3:]:
        assert f"{stage.bytes:,} bytes" in text and f"{stage.accuracy:.1%}" in text


def test_what_the_cards_tell_is_so(run):
    lines = re.findall("<li.*?</li>", pipeline.stage_cards(run)._repr_html_())
    cards = [html.unescape(line).replace("\u00a0", " ") for line in lines]
    for card, what in zip(cards, (
            "load handwritten digits", "normalize to 0..1", "flatten", "train 784-128-10",
            "zero the smallest 30 %", "float32 to int8"), strict=True):
        assert f"<br>{what}<br>" in card
    row = max(run.train.images[700].tolist(), key=sum)
    assert " ".join([str(pixel) for pixel in row if pixel][:5]) in cards[0]
    assert "1000 x 784 becomes weights 128 x 784, 10 x 128; float32" in cards[3]
    assert f"loss {run.history[0].train_loss:.2f} falls to " in cards[3]
    zeros = [int((layer.weight != 0).sum()) for layer in run.pruned.layers]
    assert f"not zero: {zeros[0]:,} of 100,352 and {zeros[1]:,} of 1,280" in cards[4]
    cut = max(layer.weight.detach()[small.weight == 0].abs().max().item()
              for layer, small in zip(run.model.layers, run.pruned.layers, strict=True))
    assert f"{cut:.4f}, becomes 0" in cards[4] and "; 71,142 weights are not zero" in cards[4]
    scale = run.model.layers[0].weight.abs().max().item() / 127  # the largest weight stays
    ours = min(round(0.1234 / scale), 127)
    assert (f"0.1234 becomes {ours} at this layer's own scale, {scale:.6f}; at a round 0.01 it "
            "would be 12") in cards[5]
    assert ours != 12


def test_a_trace_shows_each_network(run):
    digit = run.validation[750]
    picture = pipeline.show_trace(run.models, digit)
    grid = np.array(picture.figure.axes).reshape(3, 4)
    unit = int(run.model.activations(digit.inputs)[0][0].argmax())
    assert f"Hidden unit {unit} is the strongest: float " in picture.sentence
    for (pixels, products, bars, answer), model in zip(grid, run.models.values(), strict=True):
        assert np.array_equal(pixels.images[0].get_array(), digit.images[0])
        layer = model.layers[0]
        weight = torch.as_tensor(layer.weight)[unit] * float(getattr(layer, "scale", 1))
        wanted = (weight * digit.inputs[0]).detach().view(28, 28).numpy()
        assert np.allclose(products.images[0].get_array(), wanted, atol=1e-6)
        heights = [bar.get_height() for bar in bars.patches]
        assert len(heights) == 128 and sum(height > 0 for height in heights) > 20
        assert sum(bar.get_height() for bar in answer.patches) == pytest.approx(100, abs=1e-3)
    floats = [bar.get_height() for bar in grid[0, 2].patches]
    assert floats == sorted(floats, reverse=True)
    assert [axes.get_xlabel() for axes in grid[:, 0]] == ["0 to 1", "0 to 1", "0 to 255"]
    for name in run.models:
        values = trace_prediction(run.models, digit).layers[-1].values[name]
        assert f"{name} {int(values.argmax())} ({float(values.max()):.1%})" in picture.sentence


@pytest.mark.parametrize("count", [2, 3, 4, 9])
def test_the_answers_of_any_number_of_models(model, integer, test, count):
    models = {"float": model, "int8": integer, **{f"same {n}": model for n in range(count - 2)}}
    traced = trace_prediction(models, test[0])
    picture = pipeline.show_probabilities(traced)
    assert picture.png().startswith(b"\x89PNG")
    assert picture.sentence.endswith("0. All agree.")
    bars = [bar.get_x() for bar in picture.figure.axes[0].patches]
    ends = [bar.get_x() + bar.get_width() for bar in picture.figure.axes[0].patches]
    assert len(bars) == 10 * count
    assert min(bars) == pytest.approx(-0.405) and max(ends) == pytest.approx(9.405)


def test_one_unit():
    traced = SimpleNamespace(
        terms=[(9, 255, -127, -32385), (10, 2, 3, 6)], others=102, others_sum=5000, bias=-7,
        accumulator=-27386, multiplier=16099809, shift=36, output=0, scale=0.0221769,
        float_value=0.25)
    told = pipeline.show_unit(traced)
    assert repr(told) == str(told) == "\n".join([
        "pixel   9: 255 x -127 =     -32,385",
        "pixel  10:   2 x    3 =           6",
        "102 other products            5,000",
        "bias                             -7",
        "accumulator                 -27,386",
        f"m / 2**s = 16,099,809 / 2**36 = {16099809 / 2**36:.10f}",
        f"0 x {16099809 / 2**36:.10f} = 0.00, rounded and at most 255: 0",
        "0 x 0.0221769 = 0.000; the pruned float network has 0.250"])
    positive = pipeline.show_unit(SimpleNamespace(
        terms=[(9, 200, 5, 1000)], others=0, others_sum=0, bias=301, accumulator=1301, multiplier=5,
        shift=4, output=255, scale=0.02, float_value=5.1)).splitlines()
    assert positive[3:] == [
        "m / 2**s = 5 / 2**4 = 0.3125000000",
        "1,301 x 0.3125000000 = 406.56, rounded and at most 255: 255",
        "255 x 0.0200000 = 5.100; the pruned float network has 5.100"]
    assert not any("other" in line for line in positive)

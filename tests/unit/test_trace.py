"""The six stages, the five layers and one unit, each against figures computed here."""

import numpy as np
import pytest
import torch
from scipy.special import softmax

from mnist_compress import pretrained, trace
from mnist_compress.data import flatten
from mnist_compress.pruning import prune
from mnist_compress.quantization import quantize_model
from mnist_compress.stages import STAGES
from mnist_compress.training import evaluate


@pytest.fixture(scope="module")
def run():
    return trace.run_pipeline(epochs=2)


def test_the_pipeline(run):
    stages, shapes = run.stages, ((128, 784), (10, 128))
    assert [stage.name for stage in stages] == list(STAGES)
    assert [(stage.before, stage.after, stage.dtype) for stage in stages] == [
        (((1000, 28, 28),), ((1000, 28, 28),), "uint8"),
        (((1000, 28, 28),), ((1000, 28, 28),), "float32"),
        (((1000, 28, 28),), ((1000, 784),), "float32"),
        (((1000, 784),), shapes, "float32"), (shapes, shapes, "float32"),
        (shapes, shapes, "int8")]
    assert [stage.bytes for stage in stages[:3]] == [784_000, 3_136_000, 3_136_000]
    assert stages[3].nonzero_weights == 101_632 and stages[4].nonzero_weights == 71_142
    zeros = sum(int((layer.weight == 0).sum()) for layer in run.quantized.layers)
    assert stages[5].nonzero_weights == 101_632 - zeros
    assert stages[3].bytes == stages[4].bytes > 3.5 * stages[5].bytes
    assert list(run.models) == ["float", "pruned", "int8"]
    for stage, model in zip(stages[3:], run.models.values(), strict=True):
        assert stage.accuracy == evaluate(model, run.validation).accuracy
        assert stage.dtype == str(torch.as_tensor(model.layers[0].weight).dtype)[6:]


def test_the_prediction(run):
    digit = run.test[1234]
    traced = trace.trace_prediction(run.models, digit)
    assert [layer.name.split()[0] for layer in traced.layers] == \
        ["input", "hidden", "pruning", "quantization", "output"]
    assert [layer.shape for layer in traced.layers] == [(1, 784), *[(1, 128)] * 3, (1, 10)]
    hidden = torch.relu(run.model.layers[0](digit.inputs))[0]
    best = sorted(range(128), key=lambda unit: -hidden[unit].item())[:4]
    assert list(traced.units) == best and traced.label == int(digit.labels)
    assert torch.allclose(traced.layers[1].values["float"], hidden[best])
    for name, model in run.models.items():
        assert traced.predictions[name] == evaluate(model, digit).predictions.item()
        assert traced.layers[4].values[name].sum() == pytest.approx(1, abs=1e-5)
        fed = [int((model.layers[0].weight[unit] != 0).sum()) for unit in best]
        assert traced.layers[2].values[name].tolist() == fed
    integers = traced.layers[3].values["int8"]
    assert integers.dtype == torch.uint8 and torch.allclose(
        integers * run.quantized.activation_scales[1], traced.layers[1].values["int8"])


@pytest.mark.parametrize("per_channel", [False, True])
def test_a_unit(run, per_channel):
    digit, unit = run.test[1234], 17
    network = quantize_model(run.pruned, run.train, per_channel=per_channel)
    traced = trace.trace_unit(network, run.pruned, digit, unit)
    layer = network.layers[0]
    pixels, weights = flatten(digit.images)[0].tolist(), layer.weight[unit].tolist()
    total = sum(p * w for p, w in zip(pixels, weights, strict=True)) + int(layer.bias[unit])
    assert traced.accumulator == total and traced.bias == layer.bias[unit]
    assert traced.multiplier in layer.multiplier.reshape(-1) and traced.shift in layer.shift
    half = 2 ** (traced.shift - 1)
    assert traced.output == min((max(total, 0) * traced.multiplier + half) >> traced.shift, 255)
    assert traced.output == network.activations(digit.images.numpy())[0][0, unit]
    assert all(product == pixels[place] * weights[place] == pixel * weight
               for place, pixel, weight, product in traced.terms)
    sizes = sorted((abs(p * w) for p, w in zip(pixels, weights, strict=True)), reverse=True)
    assert [abs(product) for *_, product in traced.terms] == sizes[:5]
    listed = {place for place, *_ in traced.terms}
    rest = [p * w for n, (p, w) in enumerate(zip(pixels, weights, strict=True))
            if n not in listed and p * w]
    assert (traced.others, traced.others_sum) == (len(rest), sum(rest))
    wanted = torch.relu(run.pruned.layers[0](digit.inputs))[0, unit].item()
    assert traced.float_value == pytest.approx(wanted)
    assert abs(traced.output * traced.scale - wanted) < 0.1


def test_a_unit_with_few_products_shows_no_other(run):
    sparse = prune(run.model, 0.98)
    network, digit = quantize_model(sparse, run.train), run.test[2000]
    unit = int((network.layers[0].weight != 0).sum(1).argmin())
    traced = trace.trace_unit(network, sparse, digit, unit, shown=784)
    pixels = flatten(digit.images)[0].tolist()
    live = [place for place, weight in enumerate(network.layers[0].weight[unit])
            if weight and pixels[place]]
    assert sorted(place for place, *_ in traced.terms) == live and len(live) < 30
    assert (traced.others, traced.others_sum) == (0, 0)
    assert sum(product for *_, product in traced.terms) + traced.bias == traced.accumulator


def test_one_digit_and_a_unit_that_exists(run):
    two = run.test[[1, 2]]
    with pytest.raises(ValueError, match=r"number of digits to trace must be .*; got 2"):
        trace.trace_prediction(run.models, two)
    with pytest.raises(ValueError, match=r"number of digits to trace must be .*; got 2"):
        trace.trace_unit(run.quantized, run.pruned, two, 0)
    with pytest.raises(ValueError, match=r"^models must have the names .*; got \['float'\]$"):
        trace.trace_prediction({"float": run.model}, run.test[1])


@pytest.mark.parametrize("bad", [True, False, 1.0, -1, 128, None, "0"])
def test_a_unit_is_a_whole_number(model, integer, test, bad):
    with pytest.raises(ValueError) as error:
        trace.trace_unit(integer, model, test[0], bad)
    assert str(error.value) == f"unit must be a whole number from 0 to 127; got {bad!r}"


def test_a_network_with_other_units_only_answers(run):
    digit, other = run.validation[3], pretrained.load("lenet")
    models = run.models | {"cut": prune(run.model, 0.98), "other": other}
    traced = trace.trace_prediction(models, digit)
    assert [list(layer.values) for layer in traced.layers] == [
        ["float", "pruned", "int8", "cut"]] * 3 + [["int8"], list(models)]
    chances = softmax(other.logits(digit.images.flatten(1).numpy())[0] * other.logit_scale)
    assert np.allclose(traced.layers[-1].values["other"], chances, atol=1e-6)
    assert traced.predictions["other"] == chances.argmax()

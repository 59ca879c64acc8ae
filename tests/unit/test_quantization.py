"""Quantization against NumPy integers, torchao, and the half-step property."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mnist_compress import quantization as q
from mnist_compress.model import DigitClassifier
from mnist_compress.pruning import prune
from mnist_compress.training import evaluate, logits, train_on

MATRICES = arrays.arrays(np.float32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=8),
                         elements=st.floats(-1e6, 1e6, width=32))


@given(MATRICES, st.integers(2, 8), st.sampled_from(q.SCHEMES), st.booleans())
@settings(deadline=None, max_examples=300)
def test_a_round_trip_moves_a_value_by_half_a_step_at_most(values, bits, scheme, per_channel):
    values = torch.from_numpy(values)
    params = q.choose_qparams(values, bits, scheme, per_channel)
    integers = q.quantize(values, params)
    back = q.dequantize(integers, params)
    assert integers.dtype == torch.int8 and integers.shape == values.shape
    assert params.low <= integers.min() and integers.max() <= params.high
    # affine: the zero point is rounded too, so an end of the range may lie a little further out
    slack = 1.0001 if scheme == "symmetric" else 2.0001
    limit = params.scale.double() / 2 * slack + 1e-6 * values.abs().double()
    assert ((back.double() - values.double()).abs() <= limit).all()
    assert (back[values == 0] == 0).all()


def test_the_worked_example():
    params = q.qparams_of(0.01)
    assert q.quantize(torch.tensor(0.1234), params).item() == 12
    assert q.dequantize(torch.tensor(12, dtype=torch.int8), params).item() == pytest.approx(0.12)


def test_ranges():
    for bits in range(2, 9):
        half = 2 ** (bits - 1)
        for scheme, low in (("symmetric", 1 - half), ("affine", -half)):
            params = q.choose_qparams(torch.ones(1), bits, scheme)
            assert (params.low, params.high) == (low, half - 1)
    for wrong in (1, 9, 8.0, "8", True, None):
        with pytest.raises(ValueError) as error:
            q.choose_qparams(torch.ones(1), wrong)
        assert str(error.value) == f"bits must be a whole number from 2 to 8; got {wrong!r}"
    with pytest.raises(ValueError) as error:
        q.choose_qparams(torch.ones(1), 8, "odd")
    assert str(error.value) == "scheme must be one of symmetric, affine; got 'odd'"


def test_symmetric_and_affine_scales_by_hand():
    values = torch.tensor([[-0.5, 0.25], [1.27, 0.0]])
    params = q.choose_qparams(values)
    assert params.scale.item() == pytest.approx(0.01) and params.zero_point.item() == 0
    assert (params.low, params.high) == (-127, 127)
    assert q.quantize(values, params).tolist() == [[-50, 25], [127, 0]]
    rows = q.choose_qparams(values, per_channel=True)
    assert rows.scale.tolist() == [[pytest.approx(0.5 / 127)], [pytest.approx(0.01)]]
    assert q.quantize(values, rows).tolist() == [[-127, 64], [127, 0]]
    affine = q.choose_qparams(torch.tensor([-1.0, 4.1]), scheme="affine")
    assert affine.scale.item() == pytest.approx(0.02) and affine.zero_point.item() == -78
    assert q.quantize(torch.tensor([-1.0, 0.0, 4.1]), affine).tolist() == [-128, -78, 127]
    assert q.choose_qparams(torch.tensor([2.0, 3.0]), scheme="affine").zero_point.item() == -128
    assert q.choose_qparams(torch.tensor([-2.0, -3.0]), scheme="affine").zero_point.item() == 127
    both = q.choose_qparams(values, 4, "affine", True)
    assert both.scale.shape == both.zero_point.shape == (2, 1)
    assert both.zero_point.dtype == torch.int32 and both.scale.dtype == torch.float32


@pytest.mark.parametrize("scheme", q.SCHEMES)
@pytest.mark.parametrize("value", [0.0, 1.0, -3.5, 1e-40, 3e38])
def test_constants_and_single_values(scheme, value):
    for values in (torch.tensor(value), torch.full((3, 2), value)):
        params = q.choose_qparams(values, 8, scheme)
        back = q.dequantize(q.quantize(values, params), params)
        assert torch.allclose(back, values, rtol=0.003, atol=1e-38)
    assert q.choose_qparams(torch.zeros(2, 3), 8, scheme, True).scale.tolist() == [[1.0], [1.0]]


def test_clamping_and_rounding_half_to_even():
    params = q.qparams_of(1.0)
    assert q.quantize(torch.tensor([0.5, 1.5, 2.5, -0.5, 500.0, -500.0]), params).tolist() == \
        [0, 2, 2, 0, 127, -127]
    shifted = q.qparams_of(0.5, 3, 4, "affine")
    assert q.quantize(torch.tensor([0.0, 1.0, 9.0, -9.0]), shifted).tolist() == [3, 5, 7, -8]
    assert q.dequantize(torch.tensor([3, 5], dtype=torch.int8), shifted).tolist() == [0.0, 1.0]


def test_bad_values_are_quoted():
    for wrong in (math.nan, math.inf):
        for call in (q.choose_qparams, lambda v: q.quantize(v, q.qparams_of(0.1))):
            with pytest.raises(ValueError) as error:
                call(torch.tensor([1.0, wrong]))
            assert str(error.value) == f"values must be finite float32 numbers; got {wrong}"
    with pytest.raises(ValueError, match=r"number of values must be .* 1 or more; got 0"):
        q.choose_qparams(torch.zeros(0))
    for wrong in (0, -0.1, math.inf, math.nan, 1e-45, 1e39, "x", None, True, [0.1]):
        with pytest.raises(ValueError) as error:
            q.qparams_of(wrong)
        assert str(error.value).startswith("scale must be a finite number at least 1.17")
    for scheme, low in (("symmetric", -127), ("affine", -128)):
        for wrong in (128, low - 1, 0.5, math.nan, math.inf, "x", None, True, False):
            with pytest.raises(ValueError) as error:
                q.qparams_of(0.1, wrong, scheme=scheme)
            allowed = "0 to 0" if scheme == "symmetric" else f"{low} to 127"
            assert str(error.value) == \
                f"zero_point must be a whole number from {allowed}; got {wrong!r}"


def test_only_the_affine_scheme_has_a_zero_point():
    assert q.qparams_of(0.1, -128, scheme="affine").zero_point.item() == -128
    for fine in (0, np.int8(0), torch.tensor(0)):
        assert q.qparams_of(0.1, fine).zero_point.item() == 0
    for wrong in (5, -127, 1.0):
        with pytest.raises(ValueError) as error:
            q.qparams_of(0.1, wrong)
        assert str(error.value) == f"zero_point must be a whole number from 0 to 0; got {wrong}"
    for scheme in q.SCHEMES:  # what choose_qparams found can be said in numbers
        found = q.choose_qparams(torch.tensor([-1.0, 3.0]), 4, scheme)
        again = q.qparams_of(found.scale, found.zero_point, 4, scheme)
        assert again == found
        assert again.scale.dtype == torch.float32 and again.zero_point.dtype == torch.int32


def test_integers_of_every_kind_stand_for_values():
    params = q.qparams_of(0.1)
    for kind in (torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64):
        assert q.dequantize(torch.tensor([12], dtype=kind), params).item() == pytest.approx(1.2)
    for fine in ([12], np.full(1, 12, np.int8)):
        assert q.dequantize(fine, params).item() == pytest.approx(1.2)


def test_networks_that_cannot_become_integers(digits):
    for model in (DigitClassifier((783, 5, 10)), torch.nn.Sequential(torch.nn.Linear(784, 10))):
        with pytest.raises(ValueError, match="quantize_model needs a DigitClassifier of 784"):
            q.quantize_model(model, digits)


def test_rounded_weights(model):
    before = [layer.weight.detach().clone() for layer in model.layers]
    for per_channel in (False, True):
        rounded = q.round_weights(model, 4, per_channel=per_channel)
        for old, new in zip(model.layers, rounded.layers, strict=True):
            w = old.weight.detach().double().numpy()
            top = np.abs(w).max(1, keepdims=True) if per_channel else np.abs(w).max()
            scale = (top / 7).astype(np.float32)
            assert np.allclose(new.weight.detach().numpy(), np.rint(w / scale) * scale, rtol=1e-6)
            assert torch.equal(new.bias, old.bias)
    assert all(torch.equal(a, b.weight) for a, b in zip(before, model.layers, strict=True))


def numpy_network(integer, pixels):
    """The integer network in NumPy int64: (first accumulators, hidden, logits)."""
    first, last = integer.layers

    def product(layer, inputs):
        return inputs @ layer.weight.astype(np.int64).T + layer.bias.astype(np.int64)

    accumulators = product(first, pixels.reshape(len(pixels), -1).astype(np.int64))
    m, s = (np.broadcast_to(part.reshape(-1), accumulators.shape[1]).astype(np.int64)
            for part in (first.multiplier, first.shift))
    scaled = np.maximum(accumulators, 0) * m
    assert scaled.max() < 2**53 and np.abs(accumulators).max() < 2**31 and (m < 2**24).all()
    hidden = np.minimum((scaled + (np.int64(1) << (s - 1))) >> s, 255)
    return accumulators, hidden, product(last, hidden)


@pytest.mark.parametrize(("bits", "per_channel", "share"),
                         [(8, False, 0.0), (8, True, 0.3), (4, False, 0.3), (2, True, 0.0)])
def test_all_integers_equal_numpy_on_all_test_digits(model, digits, test, bits, per_channel, share):
    integer = q.quantize_model(prune(model, share), digits, bits=bits, per_channel=per_channel)
    pixels = test.images.numpy()
    accumulators, hidden, logits = numpy_network(integer, pixels)
    assert np.array_equal(integer.accumulators(pixels)[0], accumulators)
    assert np.array_equal(integer.activations(pixels)[0], hidden)
    assert np.array_equal(integer.logits(pixels), logits)
    assert hidden.max() == 255 and (hidden == 0).any()
    for layer in integer.layers:
        assert layer.weight.dtype == np.int8 and layer.bias.dtype == np.int32
        assert np.abs(layer.weight).max() == 2 ** (bits - 1) - 1


def test_the_integer_network_follows_the_float_one(model, integer, test):
    floats, whole = evaluate(model, test), evaluate(integer, test)
    assert (floats.predictions != whole.predictions).sum() < 20
    answers = logits(model, test)
    assert (answers - logits(integer, test)).abs().max() < 0.05 * answers.abs().max()
    w, scale = model.layers[0].weight.detach(), model.layers[0].weight.detach().abs().max() / 127
    assert np.array_equal(integer.layers[0].weight, (w.double() / scale).round().numpy())


def test_torchao_weights_lie_within_half_a_step_of_both_scales(model):
    library = q.torchao_quantize(model)
    for ours, theirs in zip(model.layers, library.layers, strict=True):
        weight = ours.weight.detach()
        back = theirs.weight.dequantize()
        for top in (127, 127.5):
            step = weight.abs().amax(1, keepdim=True) / top
            assert ((back - weight).abs() <= 0.5 * step * 1.01).all()
    with pytest.raises(ValueError, match="'static'"):
        q.torchao_quantize(model, "static")


def test_the_library_way_answers_alike_and_is_silent(model, test, recwarn, capfd):
    wanted = evaluate(model, test).predictions
    for kind in ("weight_only", "dynamic"):
        got = evaluate(q.torchao_quantize(model, kind), test).predictions
        assert (got != wanted).sum() < 40
    assert not recwarn.list and capfd.readouterr().err == ""


@pytest.mark.parametrize("per_channel", [False, True])
def test_scales_of_a_deep_network(digits, per_channel):
    """Hidden layers have a scale for each unit if wanted, the last one never; all integers follow
    from those of the layer before; the largest hidden accumulator met becomes 255."""
    torch.manual_seed(0)
    few = digits[range(0, 1000, 10)]
    network = q.quantize_model(DigitClassifier((784, 9, 7, 10)), few, per_channel=per_channel)
    shapes = [layer.scale.shape for layer in network.layers]
    assert shapes == ([(9,), (7,), ()] if per_channel else [(), (), ()])
    pixels = few.images.numpy()
    values, found = pixels.reshape(100, -1).astype(np.int64), network.activations(pixels)
    assert len(found) == 2
    for layer, got in zip(network.layers, found, strict=False):
        accumulators = values @ layer.weight.T.astype(np.int64) + layer.bias
        m, s = layer.multiplier.astype(np.int64), layer.shift.astype(np.int64)
        assert (np.maximum(accumulators, 0) * m / 2.0**s).max() == pytest.approx(255, abs=0.01)
        values = np.minimum((np.maximum(accumulators, 0) * m + (1 << s - 1)) >> s, 255)
        assert np.array_equal(got, values) and got.dtype == np.uint8
    last = network.layers[-1]
    assert np.array_equal(network.logits(pixels), values @ last.weight.T.astype(int) + last.bias)


def test_units_without_weights_keep_their_biases(digits, test):
    """A dead unit has no scale of its own; at scale 1 its bias would be 280 times too coarse."""
    torch.manual_seed(0)
    model = DigitClassifier((784, 9, 7, 10))
    with torch.no_grad():
        model.layers[1].weight[[1, 4]] = 0.0
    for layer, whole in zip(model.layers, q.quantize_model(model, digits, per_channel=True).layers,
                            strict=True):
        channels = q.choose_qparams(layer.weight, per_channel=True).scale.flatten()
        dead = (layer.weight == 0).all(1)
        assert dead.sum() in (0, 2) and (channels[dead] == channels[~dead].max()).all()
        assert np.abs(whole.bias).max() > 100


def test_what_cannot_be_quantized_is_told(model, digits):
    with pytest.raises(ValueError, match="digits to calibrate on must be a whole number"):
        q.quantize_model(model, digits[range(0)])
    with torch.no_grad():
        model.layers[0].bias[3] = -1e9
    with pytest.raises(ValueError, match="too large beside its weights; got 1000000000"):
        q.quantize_model(model, digits)


def test_the_ends_of_what_qparams_may_be():
    for scale in (torch.finfo(torch.float32).tiny, torch.finfo(torch.float32).max):
        assert q.qparams_of(scale).scale.item() == scale
    params = q.qparams_of(0.5, 127, scheme="affine")
    assert (params.zero_point.item(), params.scale.dtype) == (127, torch.float32)
    assert q.qparams_of(torch.tensor(0.5, dtype=torch.float64)).scale.dtype == torch.float32


def small_problem():
    torch.manual_seed(3)
    model = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3))
    return model, (torch.randn(40, 6), torch.arange(40) % 3)


@pytest.mark.parametrize("bits", [8, 3])
def test_training_with_rounding_is_that_of_torch(bits):
    """The same steps with torch's own fake quantization and torch's own Adam."""
    model, (inputs, labels) = small_problem()
    before = copy.deepcopy(model.state_dict())
    found = q.quantization_aware_train(model, (inputs, labels), bits, epochs=2, seed=5)
    same, most = copy.deepcopy(model).double(), 2 ** (bits - 1) - 1
    torch.manual_seed(5)
    adam = torch.optim.Adam(same.parameters(), 1e-3)
    for _ in range(2):
        for batch in torch.randperm(40).split(16):
            values = inputs[batch].double()
            for layer in (same[0], same[2]):
                scale = (layer.weight.detach().abs().max() / most).item()
                weight = torch.fake_quantize_per_tensor_affine(layer.weight, scale, 0, -most, most)
                values = torch.nn.functional.linear(
                    values.relu() if layer is same[2] else values, weight, layer.bias)
            adam.zero_grad()
            torch.nn.functional.cross_entropy(values, labels[batch]).backward()
            adam.step()
    wanted = q.round_weights(same.float(), bits)
    for name, part in wanted.state_dict().items():
        assert torch.allclose(found.state_dict()[name], part, atol=1e-6), name
        assert torch.equal(model.state_dict()[name], before[name])


@pytest.mark.parametrize(("bits", "scheme", "per_channel"), [
    (8, "symmetric", False), (2, "affine", False), (4, "symmetric", True), (3, "affine", True)])
def test_training_with_rounding_ends_on_the_grid(bits, scheme, per_channel):
    model, pair = small_problem()
    found = q.quantization_aware_train(model, pair, bits, scheme, per_channel, epochs=1)
    control = q.round_weights(train_on(model, pair, epochs=1), bits, scheme, per_channel)
    assert type(found[0]) is torch.nn.Linear and found[0].weight.dtype == torch.float32
    for layer, other in ((found[0], control[0]), (found[2], control[2])):
        rows = layer.weight if per_channel else [layer.weight]
        assert all(len(row.unique()) <= 2**bits for row in rows)
        assert not torch.equal(layer.bias, other.bias)  # other gradients
        if scheme == "symmetric":  # its largest weight lies on the grid: the same one again
            again = q.round_weights(layer, bits, scheme, per_channel).weight
            assert torch.allclose(again, layer.weight, atol=1e-6)


def test_a_rounded_weight_has_the_gradient_of_the_weight():
    weight = torch.tensor([[0.3, -1.0], [0.26, 0.0]], requires_grad=True)
    for settings_ in ((3, "symmetric", False), (3, "affine", True)):
        found = q.StraightThrough(*settings_)(weight)
        qparams = q.choose_qparams(weight, *settings_)
        assert torch.allclose(found, q.dequantize(q.quantize(weight, qparams), qparams))
        (gradient,) = torch.autograd.grad((found * torch.tensor([[1.0, 2], [3, 4]])).sum(), weight)
        assert gradient.tolist() == [[1, 2], [3, 4]]


def test_torchaos_two_kinds_multiply_floats_or_integers(model, test):
    inputs, layer = test.inputs[:50], model.layers[0]
    weight = q.torchao_quantize(model).layers[0].weight.dequantize()
    plain = torch.nn.functional.linear(inputs, weight, layer.bias)
    for kind, floats in (("weight_only", True), ("dynamic", False)):
        library = q.torchao_quantize(model, kind).layers[0]
        with torch.no_grad():
            error = (library(inputs) - plain).abs().max().item()
        assert (error < 1e-5) is floats and error < 0.2  # integers: inputs are rounded, too

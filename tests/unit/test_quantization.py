"""Quantization against NumPy integers, torchao, and the half-step property."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mnist_compress import quantization as q
from mnist_compress.data import flatten
from mnist_compress.model import DigitClassifier
from mnist_compress.pruning import prune
from mnist_compress.training import evaluate

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
        assert q.integer_range(bits) == (1 - half, half - 1)
        assert q.integer_range(bits, "affine") == (-half, half - 1)
    for wrong in (1, 9, 8.0, "8", True, None):
        with pytest.raises(ValueError) as error:
            q.integer_range(wrong)
        assert str(error.value) == f"bits must be a whole number from 2 to 8; got {wrong!r}"
    with pytest.raises(ValueError) as error:
        q.integer_range(8, "odd")
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
    with pytest.raises(ValueError) as error:
        q.choose_qparams(torch.tensor([1, 2]))
    assert str(error.value) == ("values must be float numbers, at least one; got (2,) of "
                                "torch.int64")
    with pytest.raises(ValueError, match=r"at least one; got \(0,\) of torch.float32"):
        q.choose_qparams(torch.zeros(0))
    with pytest.raises(ValueError) as error:
        q.choose_qparams(torch.zeros(3), per_channel=True)
    assert str(error.value) == "per_channel needs weights (out, in); got (3,)"
    for wrong in (0, -0.1, math.inf, math.nan, 1e-45, 1e39, "x", None, True, [0.1]):
        with pytest.raises(ValueError) as error:
            q.qparams_of(wrong)
        assert str(error.value) == f"scale must be above 0 and finite, in float32; got {wrong!r}"
    for scheme, low in (("symmetric", -127), ("affine", -128)):
        for wrong in (128, low - 1, 0.5, math.nan, math.inf, "x", None, True, False):
            with pytest.raises(ValueError) as error:
                q.qparams_of(0.1, wrong, scheme=scheme)
            assert str(error.value) == \
                f"zero_point must be a whole number {low}..127; got {wrong!r}"


def test_only_the_affine_scheme_has_a_zero_point():
    assert q.qparams_of(0.1, -128, scheme="affine").zero_point.item() == -128
    for fine in (0, 0.0, torch.tensor(0)):
        assert q.qparams_of(0.1, fine).zero_point.item() == 0
    for wrong in (5, -127, 1.0):
        with pytest.raises(ValueError) as error:
            q.qparams_of(0.1, wrong)
        assert str(error.value) == f"zero_point must be 0, unless the scheme is affine; got {wrong}"
    for scheme in q.SCHEMES:  # what choose_qparams found can be said in numbers
        found = q.choose_qparams(torch.tensor([-1.0, 3.0]), 4, scheme)
        again = q.qparams_of(found.scale, found.zero_point, 4, scheme)
        assert again == found
        assert again.scale.dtype == torch.float32 and again.zero_point.dtype == torch.int32


def test_only_tensors_of_integers_stand_for_values():
    params = q.qparams_of(0.1)
    for kind in (torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64):
        assert q.dequantize(torch.tensor([12], dtype=kind), params).item() == pytest.approx(1.2)
    for kind in (torch.float32, torch.float64, torch.bfloat16, torch.complex64, torch.bool):
        with pytest.raises(TypeError) as error:
            q.dequantize(torch.tensor([1.7]).to(kind), params)
        assert str(error.value) == f"integers must have a dtype such as torch.int8; got {kind}"
    for wrong in ([1, 2], np.ones(2, np.int8), None):
        with pytest.raises(TypeError) as error:
            q.dequantize(wrong, params)
        assert str(error.value) == \
            f"integers must be a torch.Tensor; got {type(wrong).__name__}"


def test_a_ratio_that_is_none():
    for ratio in (1e-9, 0.3, 1, 2.0**23 - 1):
        multiplier, shift = q.fixed_point(ratio)
        assert multiplier / 2**shift == pytest.approx(ratio, rel=1e-3)
        assert 1 <= multiplier < 2**24 and 1 <= shift <= 46
    for wrong in (0, -1.0, 2**23, math.inf, math.nan, 10**400, "x", None, True):
        with pytest.raises(ValueError) as error:
            q.fixed_point(wrong)
        assert str(error.value) == f"ratio must be above 0 and below 2**23; got {wrong!r}"


def test_networks_that_do_not_fit_the_digits(digits):
    for widths in ((783, 5, 10), (784, 5, 9)):
        with pytest.raises(ValueError) as error:
            q.quantize_model(DigitClassifier(widths), digits)
        assert str(error.value) == ("these digits need a network with 784 inputs and at least 10 "
                                    f"outputs; got one of the widths {widths}")
    model = DigitClassifier()
    model.layers = torch.nn.ModuleList()
    with pytest.raises(ValueError, match="the model has no layers, so it cannot read digits"):
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
    """The integer network in NumPy int64: (sums of the first layer, hidden, logits)."""
    first, last = integer.layers

    def product(layer, inputs):
        weight = layer.weight.numpy().astype(np.int64)
        return inputs @ weight.T + layer.bias.numpy().astype(np.int64)

    sums = product(first, pixels.numpy().astype(np.int64))
    m, s = first.multiplier.numpy().astype(np.int64), first.shift.numpy().astype(np.int64)
    m, s = np.broadcast_to(m.reshape(-1), sums.shape[1]), np.broadcast_to(s.reshape(-1),
                                                                           sums.shape[1])
    scaled = np.maximum(sums, 0) * m
    assert scaled.max() < 2**53 and np.abs(sums).max() < 2**31 and (m < 2**24).all()
    hidden = np.minimum((scaled + (np.int64(1) << (s - 1))) >> s, 255)
    return sums, hidden, product(last, hidden)


@pytest.mark.parametrize(("bits", "per_channel", "share"),
                         [(8, False, 0.0), (8, True, 0.3), (4, False, 0.3), (2, True, 0.0)])
def test_all_integers_equal_numpy_on_all_test_digits(model, digits, test, bits, per_channel, share):
    integer = q.quantize_model(prune(model, share), digits, bits=bits, per_channel=per_channel)
    pixels = flatten(test.images)
    sums, hidden, logits = numpy_network(integer, pixels)
    assert np.array_equal(integer.layers[0].sums(pixels).numpy(), sums)
    assert np.array_equal(integer.activations(pixels)[0].numpy(), hidden)
    assert np.array_equal(integer.sums(pixels).numpy(), logits)
    assert len(logits) == 4000 and hidden.max() == 255 and (hidden == 0).any()
    for layer in integer.layers:
        assert layer.weight.dtype == torch.int8 and layer.bias.dtype == torch.int32
        assert layer.weight.abs().max() == 2 ** (bits - 1) - 1


def test_the_integer_network_follows_the_float_one(model, integer, test):
    floats, whole = evaluate(model, test), evaluate(integer, test)
    assert (floats.predictions != whole.predictions).sum() < 20
    with torch.no_grad():
        gap = (model(test.inputs) - integer(flatten(test.images))).abs().max()
        top = model(test.inputs).abs().max()
    assert gap < 0.05 * top
    w, scale = model.layers[0].weight.detach(), model.layers[0].weight.detach().abs().max() / 127
    assert torch.equal(integer.layers[0].weight, (w.double() / scale).round().to(torch.int8))


def test_a_round_trip_through_tensors(integer, test):
    again = q.IntegerClassifier.from_state_dict(integer.state_dict())
    pixels = flatten(test.images[:100])
    assert torch.equal(again.sums(pixels), integer.sums(pixels))
    assert torch.equal(again(pixels), integer(pixels))


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
    """Hidden layers have a scale for each row if wanted, the last one never; all integers follow
    from those of the layer before; the largest hidden sum met becomes 255."""
    torch.manual_seed(0)
    few = digits[range(0, 1000, 10)]
    network = q.quantize_model(DigitClassifier((784, 9, 7, 10)), few, per_channel=per_channel)
    shapes = [tuple(layer.scale.shape) for layer in network.layers]
    assert shapes == ([(9,), (7,), ()] if per_channel else [(), (), ()])
    pixels = flatten(few.images)
    values, found = pixels.numpy().astype(np.int64), network.activations(pixels)
    assert len(found) == 3
    for layer, got in zip(network.layers, found, strict=True):
        sums = values @ layer.weight.numpy().T.astype(np.int64) + layer.bias.numpy()
        if layer.shift is None:
            assert np.array_equal(got.numpy(), sums) and got.dtype == torch.int32
            break
        m, s = (part.numpy().astype(np.int64) for part in (layer.multiplier, layer.shift))
        assert (np.maximum(sums, 0) * m / 2.0**s).max() == pytest.approx(255, abs=0.01)
        values = np.minimum((np.maximum(sums, 0) * m + (1 << s - 1)) >> s, 255)
        assert np.array_equal(got.numpy(), values) and got.dtype == torch.uint8
    assert np.array_equal(network.sums(pixels).numpy(), sums)


def test_what_cannot_be_quantized_is_told(model, digits, integer):
    with pytest.raises(ValueError, match=r"^need at least one digit to calibrate on; got 0$"):
        q.quantize_model(model, digits[range(0)])
    pixels = flatten(digits[:2].images)
    for wrong in (pixels.float(), pixels[:, :783], pixels.float()[:, :783]):
        kind = f"got {wrong.dtype} of \\(2, {wrong.shape[1]}\\)"
        with pytest.raises(ValueError, match=f"uint8 of the shape \\(n, 784\\); {kind}"):
            integer.activations(wrong)
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

"""The steps of the recipes against formulas, brute force and the integers that come out."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from mnist_compress import compress
from mnist_compress.compress.recipe import Recipe
from mnist_compress.packed.file import pack, unpack

TINY = Recipe(units=(12,), weights=200, copies=2, teacher=(16,), teacher_steps=20, dense_steps=20,
              prune_steps=40, quantize_steps=30, batch=50)
DEEP = replace(TINY, widths=(784, 20, 14, 10), units=(12, 9), levels=(2, 3, 2), tie=False,
               weights=600)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def few(digits):
    return digits[::10]


@pytest.fixture(scope="module", params=[TINY, DEEP], ids=["tied", "deep"])
def made(request, few):
    """(recipe, lesson, network) of a short run."""
    lesson = compress.teach(few, request.param, seed=3)
    return request.param, lesson, compress.compress(lesson, request.param, seed=3)


@pytest.mark.parametrize(("field", "value", "wanted"), [
    ("weights", 0, "weights must be a whole number, 1 or more; got 0"),
    ("weights", 6593, "weights must be at most 6592, all there are; got 6593"),
    ("weights", True, "weights must be a whole number, 1 or more; got True"),
    ("dense_steps", -1, "dense_steps must be a whole number, 0 or more; got -1"),
    ("quantize_steps", 2.5, "quantize_steps must be a whole number, 1 or more; got 2.5"),
    ("units", (200,), r"units must be one number for each hidden layer of \(128,\), at most as "
     r"large; got \(200,\)"),
    ("units", (3, 4), r"got \(3, 4\)"),
    ("units", 32, "units must be a tuple of whole numbers, 1 or more; got 32"),
    ("levels", (3,), r"levels must be one number up to 127 for each layer; got \(3,\)"),
    ("levels", (3, 128), r"got \(3, 128\)"),
    ("widths", (784, 10), r"widths must go from 784 to 10 over a hidden layer; got \(784, 10\)"),
    ("widths", (196, 128, 10), r"got \(196, 128, 10\)"),
    ("teacher", (), r"teacher must be a tuple of whole numbers, 1 or more; got \(\)"),
    ("rate", 1.0, "rate must be above 0 and below 1; got 1.0"),
    ("thrift", -0.5, "thrift must be a number, 0 or more; got -0.5"),
    ("distortion", math.nan, "distortion must be a number, 0 or more; got nan"),
    ("bias_step", 0, "bias_step must be above 0; got 0"),
    ("rate", "x", "rate must be above 0 and below 1; got 'x'"),
    ("thrift", "x", "thrift must be a number, 0 or more; got 'x'"),
    ("tie", "x", "tie must be True or False; got 'x'"),
])
def test_a_recipe_that_cannot_be(field, value, wanted):
    with pytest.raises(ValueError, match=wanted):
        replace(Recipe(), **{field: value})


def test_the_cubic_schedule_is_the_published_one():
    # Zhu & Gupta 2017: s_t = s_f + (s_i - s_f) * (1 - (t - t0) / (n dt)) ** 3, here with s_i = 0
    start, end, final = 100, 900, 0.97
    for t in (100, 101, 250, 500, 899, 900):
        published = final + (0 - final) * (1 - (t - start) / (end - start)) ** 3
        ours = compress.cubic_sparsity((t - start) / (end - start), final)
        assert ours == pytest.approx(published)
    assert compress.cubic_sparsity(-1, final) == 0 and compress.cubic_sparsity(3, final) == final
    assert compress.cubic_sparsity(0.5, 0.8) == pytest.approx(0.7)  # seven eighths of the way


def test_the_distillation_loss_is_hintons():
    chance = np.random.default_rng(0)
    student, teacher = chance.normal(size=(2, 7, 10))
    labels = chance.integers(0, 10, 7)

    def probabilities(values, temperature):
        powers = np.exp(values / temperature)
        return powers / powers.sum(1, keepdims=True)

    hard = -np.log(probabilities(student, 1)[np.arange(7), labels]).mean()
    p, q = probabilities(teacher, 3), probabilities(student, 3)
    soft = (p * np.log(p / q)).sum(1).mean()
    got = compress.distillation_loss(torch.tensor(student), torch.tensor(teacher),
                                    torch.tensor(labels), temperature=3.0, share=0.3)
    assert got.item() == pytest.approx(0.7 * hard + 0.3 * 9 * soft)


def test_batches_visit_every_row_once_a_pass():
    found = list(compress.batches(23, 5, 12, generator()))
    assert [len(index) for index in found] == [5, 5, 5, 5, 3] * 2 + [5, 5]
    for start in (0, 5):
        assert sorted(torch.cat(found[start:start + 5]).tolist()) == list(range(23))
    again = list(compress.batches(23, 5, 12, generator()))
    assert all(torch.equal(a, b) for a, b in zip(found, again, strict=True))


def test_no_distortion_changes_nothing_and_more_changes_more(few):
    images = few.images / 255
    same = compress.distort(images, generator(), 0.0)
    assert torch.allclose(same, images, atol=1e-4)
    changes = [(compress.distort(images, generator(), s) - images).abs().mean() for s in (0.3, 1, 3)]
    assert changes == sorted(changes) and changes[0] > 0.005
    bent = compress.distort(images, generator(), 1.0)
    assert bent.shape == images.shape and bent.min() >= 0 and bent.max() <= 1 + 1e-6
    assert 0.9 < bent.sum() / images.sum() < 1.1  # the ink stays in the picture


def test_tied_pixels_are_means_of_blocks(few):
    images = few.images[:3] / 255
    blocks = images.numpy().reshape(3, 14, 2, 14, 2).mean((2, 4))
    assert np.allclose(compress.tie_pixels(images).numpy(), blocks, atol=1e-6)


def test_the_first_copy_is_the_original(few):
    rows = compress.distorted_copies(few.images, 3, False, generator(), 1.0)
    assert rows.shape == (3 * len(few), 784) and rows.dtype == torch.uint8
    assert torch.equal(rows[:len(few)], few.images.flatten(1))
    assert not torch.equal(rows[:len(few)], rows[len(few):2 * len(few)])
    tied = compress.distorted_copies(few.images, 1, True, generator(), 1.0)
    assert tied.shape == (len(few), 196)


def test_straight_through_has_the_value_of_one_and_the_gradient_of_the_other():
    x = torch.tensor([0.2, 1.7, -3.4], requires_grad=True)
    y = compress.through(x**2, x.round())
    assert y.tolist() == pytest.approx([0, 2, -3])
    y.sum().backward()
    assert torch.allclose(x.grad, 2 * x.detach())


def test_the_gradient_of_a_network_is_that_of_finite_differences():
    network = compress.random_network((6, 5, 10), generator())
    network = [(w.double().requires_grad_(), b.double().requires_grad_()) for w, b in network]
    rows = torch.rand(4, 6, generator=generator(), dtype=torch.float64)

    def loss(*parts):
        pairs = list(zip(parts[::2], parts[1::2], strict=True))
        return F.cross_entropy(compress.logits(pairs, rows), torch.tensor([1, 2, 3, 4]))

    assert torch.autograd.gradcheck(loss, [part for layer in network for part in layer])


def test_scales_round_hidden_values_to_bytes():
    network = compress.random_network((6, 5, 10), generator())
    rows = torch.rand(9, 6, generator=generator())
    hidden = np.maximum(rows.numpy() @ network[0][0].numpy().T, 0)
    stepped = np.clip(np.round(hidden / 0.004), 0, 255) * 0.004
    assert (hidden / 0.004).max() > 255  # some are cut off
    got = compress.logits(network, rows, [0.004]).numpy()
    assert np.allclose(got, stepped @ network[1][0].numpy().T, atol=1e-5)


def test_bits_of_a_weight_by_hand():
    mask = torch.zeros(2, 16, dtype=torch.bool)
    mask[0, [5, 6]] = True
    for unit, (row, column) in itertools.product(range(2), itertools.product(range(4), repeat=2)):
        near = sum(weight * mask[unit, 4 * (row + i) + column + j].item()
                   for (i, j), weight in ((s, 2 / 12 if 0 in s else 1 / 12)
                                          for s in itertools.product((-1, 0, 1), repeat=2)
                                          if s != (0, 0))
                   if 0 <= row + i < 4 and 0 <= column + j < 4)
        often = (near + mask[:, 4 * row + column].float().mean().item()) / 2
        wanted = 1.2 - math.log2((often + 0.02) / 1.02)
        assert compress.weight_bits(mask)[unit, 4 * row + column].item() == pytest.approx(wanted)


def test_saliency_of_optimal_brain_damage():
    recipe = replace(TINY, curvature=1.0, thrift=0.0)
    weights, slopes = torch.randn(2, 2, 3, 4, generator=generator()).unbind(0)
    masks = [torch.ones(3, 4, dtype=torch.bool), torch.eye(3, 4, dtype=torch.bool)]
    scores = compress.saliency(list(weights), masks, list(slopes**2), recipe)
    damage = weights**2 * slopes**2 / 2  # the second-order term of the loss, LeCun et al. 1990
    assert torch.allclose(scores[0] ** 2 / 2, damage[0], atol=1e-6)
    assert (scores[1][~masks[1]] == 0).all()
    plain = compress.saliency(list(weights), masks, None, replace(recipe, curvature=0.0))
    assert torch.equal(plain[0], weights[0].abs())


def test_thrift_prefers_what_is_cheap_to_name():
    mask = torch.zeros(1, 196, dtype=torch.bool)
    mask[0, [0, 90, 91, 104, 105]] = True  # one alone in a corner, four together
    masks, weights = [mask, torch.ones(10, 1, dtype=torch.bool)], [torch.ones(1, 196),
                                                                 torch.ones(10, 1)]
    recipe = replace(TINY, curvature=0.0)
    lone, *others = compress.saliency(weights, masks, None, recipe)[0][mask].tolist()
    assert all(lone < other for other in others)


def test_keep_best_is_exact_and_global():
    scores = [torch.rand(4, 5, generator=generator()), torch.rand(3, 4, generator=generator(1))]
    masks = [torch.rand(score.shape, generator=generator(2)) < 0.8 for score in scores]
    scores = [score * mask for score, mask in zip(scores, masks, strict=True)]
    ranked = sorted((value for score in scores for value in score.flatten().tolist()), reverse=True)
    for keep in (1, 7, 15):
        kept = compress.keep_best(scores, masks, keep)
        assert sum(int(mask.sum()) for mask in kept) == keep
        assert min(score[mask].min() for score, mask in zip(scores, kept, strict=True)
                   if mask.any()) == pytest.approx(ranked[keep - 1])
    everything = compress.keep_best(scores, masks, 1000)
    assert all(torch.equal(a, b) for a, b in zip(everything, masks, strict=True))


def test_dead_units_lose_their_other_weights():
    masks = [torch.rand(shape, generator=generator(5)) < 0.25 for shape in ((6, 8), (7, 6), (3, 7))]
    before = [mask.clone() for mask in masks]
    kept = compress.drop_dead(masks)
    assert all(torch.equal(a, b) for a, b in zip(masks, before, strict=True))

    def on_a_path(layer, out, into):  # brute force over all ways from an input to an output
        sizes = [8, 6, 7, 3]
        return any(all(before[i][way[i + 1], way[i]] for i in range(3))
                   for way in itertools.product(*map(range, sizes))
                   if way[layer] == into and way[layer + 1] == out)

    for layer, mask in enumerate(kept):
        for out, into in itertools.product(*map(range, mask.shape)):
            assert mask[out, into].item() == on_a_path(layer, out, into)
    assert 0 < sum(int(mask.sum()) for mask in kept) < sum(int(mask.sum()) for mask in before)


def test_shared_magnitudes_are_k_means():
    weight = torch.tensor([[0.1, -0.12, 0.5], [0.52, -0.48, 2.0], [9.0, 0.0, 2.2]])
    mask = torch.tensor([[1, 1, 1], [1, 1, 1], [0, 0, 1]]).bool()
    code = compress.share_magnitudes(weight, mask, 3)
    assert code.tolist() == pytest.approx([0.11, 0.5, 2.1])


def test_more_levels_never_fit_worse():
    weight = torch.randn(40, 30, generator=generator())
    mask = weight.abs() > 0.3
    errors = []
    for levels in (1, 2, 3, 5, 9):
        code = compress.share_magnitudes(weight, mask, levels)
        assert len(code) == levels and (code.diff() >= 0).all()
        errors.append((compress.to_codebook(weight, mask, code) - weight * mask).square().sum())
    assert errors == sorted(errors, reverse=True)


def test_codebook_by_brute_force_with_its_gradients():
    weight = torch.randn(5, 6, generator=generator()).requires_grad_()
    mask = torch.rand(5, 6, generator=generator(1)) < 0.7
    code = torch.tensor([0.2, 0.7, 1.9], requires_grad=True)
    shared = compress.to_codebook(weight, mask, code)
    entries = [0.2, 0.7, 1.9]
    for value, kept, got in zip(weight.flatten().tolist(), mask.flatten().tolist(),
                                shared.flatten().tolist(), strict=True):
        best = min(entries, key=lambda entry, value=value: abs(abs(value) - entry))
        assert got == pytest.approx(math.copysign(best, value) if kept else 0.0)
    pull = torch.randn(5, 6, generator=generator(2))
    (shared * pull).sum().backward()
    assert torch.allclose(weight.grad, pull * mask)
    for i, entry in enumerate(entries):
        used = mask & ((shared.detach().abs() - entry).abs() < 1e-6)
        wanted = (pull * weight.sign())[used].sum().item()
        assert code.grad[i].item() == pytest.approx(wanted, abs=1e-5)


def test_a_teacher_learns_and_a_seed_repeats_it(few):
    rows = compress.distorted_copies(few.images, 2, True, generator(), 1.0)

    def teacher(seed):
        before = torch.random.get_rng_state()
        network = compress.train_teacher(rows, few.labels, (196, 32, 10), 80, 50, generator(seed))
        assert torch.equal(before, torch.random.get_rng_state())
        return network

    first, again, other = teacher(0), teacher(0), teacher(1)
    assert all(torch.equal(a, b) for x, y in zip(first, again, strict=True)
               for a, b in zip(x, y, strict=True))
    assert not torch.equal(first[0][0], other[0][0])
    answers = compress.logits(first, rows[:len(few)] / 255).argmax(1)
    assert (answers == few.labels).float().mean() > 0.8


def test_pruning_keeps_the_count_and_leaves_its_arguments_alone(few):
    lesson = compress.teach(few, TINY, seed=1)
    start = compress.random_network(TINY.student_widths, generator())
    before = [(w.clone(), b.clone()) for w, b in start]
    rows = lesson.rows.clone()
    network, masks = compress.gradual_prune(start, lesson.loss, lesson.rows, TINY, generator())
    assert torch.equal(rows, lesson.rows)
    for (w, b), (w0, b0) in zip(start, before, strict=True):
        assert torch.equal(w, w0) and torch.equal(b, b0) and not w.requires_grad
    count = sum(int(mask.sum()) for mask in masks)
    assert 0.8 * TINY.weights < count <= TINY.weights  # dead units may take a few along
    for (weight, _), mask in zip(network, masks, strict=True):
        assert (weight[~mask] == 0).all()
    dark = (lesson.rows == 0).all(0)
    assert dark.any() and not masks[0][:, dark].any()


def test_pruning_goes_on_without_a_dense_start(few):
    recipe = replace(TINY, dense_steps=0, every=1, curvature=0.0, thrift=0.0)
    lesson = compress.teach(few, recipe)
    masks = compress.gradual_prune(compress.random_network(recipe.student_widths, generator()),
                                  lesson.loss, lesson.rows, recipe, generator())[1]
    assert sum(int(mask.sum()) for mask in masks) <= recipe.weights


def test_too_few_weights_are_an_error(few):
    recipe = replace(TINY, weights=1)
    with pytest.raises(ValueError, match="no weights left; weights must be more than 1"):
        compress.compress(compress.teach(few, recipe), recipe)


def test_a_lesson_of_another_shape_is_an_error(few):
    with pytest.raises(ValueError, match="rows must have 784 numbers; got 196"):
        compress.compress(compress.teach(few, TINY), replace(TINY, tie=False))


def test_the_network_is_small_and_of_the_declared_form(made):
    recipe, _, network = made
    assert network.widths == recipe.widths
    tied = network.layers[0].weight.view(-1, 14, 2, 14, 2)
    assert torch.equal(tied, tied[:, :, :1, :, :1].expand_as(tied)) == recipe.tie
    count = sum(int((layer.weight != 0).sum()) for layer in network.layers)
    if recipe.tie:
        count -= 3 * int((network.layers[0].weight != 0).sum()) // 4
    assert 0 < count <= recipe.weights
    for layer, levels in zip(network.layers, recipe.levels, strict=True):
        assert len(layer.weight.abs().unique()) <= levels + 1  # and zero
        assert layer.weight.dtype == torch.int8 and layer.weight.abs().max() == 127
    for layer, live in zip(network.layers, recipe.units, strict=False):
        assert not layer.weight[live:].any() and not layer.bias[live:].any()


def test_the_packed_file_holds_the_sums_that_numpy_gets(made, test):
    network, pixels = made[2], test.images[:200].flatten(1)
    values = pixels.numpy().astype(object)  # Python's own integers: nothing can overflow
    for layer in unpack(pack(network, reorder=True)).layers:
        values = values @ layer.weight.T.astype(object) + layer.bias.astype(object)
        if layer.shift is not None:
            half = 1 << int(layer.shift) - 1
            values = np.clip(values, 0, None) * int(layer.multiplier) + half
            values = np.minimum(values >> int(layer.shift), 255)
    assert np.array_equal(values.astype(np.int64), network.sums(pixels).numpy())


def test_integers_say_what_the_rounded_network_says(few):
    recipe = replace(TINY, tie=False, weights=3000)
    network = compress.random_network(recipe.student_widths, generator())
    masks = [torch.rand(w.shape, generator=generator(1)) < 0.5 for w, _ in network]
    network = [(w * m, torch.randn(len(b), generator=generator(2)) / 4)
               for (w, b), m in zip(network, masks, strict=True)]
    grid = compress.choose_grid(network, masks, few.inputs, recipe.levels, 0.25)
    rounded = grid.rounded(*zip(*network, strict=True), masks)
    floats = compress.logits(rounded, few.inputs, grid.scales[1:])
    whole = compress.integers(rounded, masks, grid, recipe.widths)(few.images.flatten(1))
    spread = floats.std()
    assert (whole - floats).abs().mean() < 0.02 * spread  # seven bits of scales, steps of biases


def test_a_seed_repeats_the_network_and_leaves_the_lesson_alone(made, few):
    recipe, lesson, network = made
    soft = lesson.soft.clone()
    again = compress.compress(compress.teach(few, recipe, seed=3), recipe, seed=3)
    other = compress.compress(lesson, recipe, seed=4)
    assert pack(again) == pack(network) != pack(other)
    assert torch.equal(soft, lesson.soft)


def test_short_fractions_are_within_half_a_step():
    for value in np.random.default_rng(0).lognormal(-3, 2, 500).tolist():
        number, shift = compress.short_fraction(value)
        assert 64 <= number <= 127 and abs(number / 2.0**shift / value - 1) <= 1 / 127


def test_compress_once_keeps_the_best_of_brute_force(model, digits):
    network = compress.compress_once(model, digits, 20000, levels=(3, 5))
    rows = digits.inputs.numpy().astype(float)
    hidden = np.maximum(rows @ model.layers[0].weight.detach().numpy().T
                        + model.layers[0].bias.detach().numpy(), 0)
    scores = np.concatenate([
        (np.abs(layer.weight.detach().numpy()) * np.sqrt((x**2).mean(0))).ravel()
        for layer, x in zip(model.layers, (rows, hidden), strict=True)])
    best = np.zeros(scores.size, bool)
    best[np.argsort(-scores)[:20000]] = True
    kept = np.concatenate([layer.weight.numpy().ravel() != 0 for layer in network.layers])
    assert (kept != best).mean() < 1e-4  # nearly equal scores may change places
    assert len(network.layers[0].weight.abs().unique()) == 4


def test_compress_once_loses_little_and_leaves_the_model_alone(model, digits, test):
    from mnist_compress.training import evaluate

    before = [parameter.clone() for parameter in model.parameters()]
    small = compress.compress_once(model, digits, 46000)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert len(pack(small, reorder=True)) < 16_300
    assert evaluate(small, test).accuracy > evaluate(model, test).accuracy - 0.012


@pytest.mark.parametrize(("options", "wanted"), [
    ({"weights": 0}, "weights must be a whole number, 1 to 101632; got 0"),
    ({"weights": 0.5}, "weights must be a whole number, 1 to 101632; got 0.5"),
    ({"weights": 200000}, "got 200000"),
    ({"weights": 100, "levels": (0, 3)}, r"levels must be a tuple .* got \(0, 3\)"),
    ({"weights": 100, "levels": (2,)}, r"levels must be one number up to 127 .* got \(2,\)"),
    ({"weights": 100, "levels": (2, 128)}, r"got \(2, 128\)"),
    ({"weights": 100, "bias_step": 0}, "bias_step must be above 0; got 0"),
    ({"weights": 100, "bias_step": math.nan}, "bias_step must be above 0; got nan"),
    ({"weights": 1}, "no weights left; weights must be more than 1"),
])
def test_compress_once_with_bad_arguments(model, digits, options, wanted):
    with pytest.raises(ValueError, match=wanted):
        compress.compress_once(model, digits, **options)


def test_compress_once_and_teach_need_digits_and_finite_weights(model, digits):
    none = digits[range(0)]
    for call in (lambda: compress.compress_once(model, none, 1000),
                 lambda: compress.teach(none, TINY)):
        with pytest.raises(ValueError, match=r"need at least one digit .* got 0"):
            call()
    with torch.no_grad():
        model.layers[0].weight[0, 0] = math.nan
    with pytest.raises(ValueError, match="must be finite"):
        compress.compress_once(model, digits, 1000)

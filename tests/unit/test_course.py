"""Model, training, ledger, traces, pictures and tables, each against figures computed here."""

import copy
import itertools
import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from mnist_compress import measure, trace
from mnist_compress.data import Digits, flatten
from mnist_compress.model import DigitClassifier
from mnist_compress.pruning import accuracy_curve, prune
from mnist_compress.quantization import quantize_model
from mnist_compress.training import evaluate, train, trained_model
from mnist_compress.ui import plots, tables


def test_the_network_is_two_matrices_and_relu(model, test):
    (w1, b1), (w2, b2) = ((layer.weight.detach().numpy(), layer.bias.detach().numpy())
                          for layer in model.layers)
    rows = test.inputs[:50].numpy()
    wanted = np.maximum(rows @ w1.T + b1, 0) @ w2.T + b2
    assert np.allclose(model(test.inputs[:50]).detach().numpy(), wanted, atol=1e-4)
    assert model.widths == (784, 128, 10) and w1.shape == (128, 784)
    for wrong in ((784,), (784, 0), (784, 1.5), ()):
        with pytest.raises(ValueError) as error:
            DigitClassifier(wrong)
        assert str(error.value) == \
            f"widths must be two or more whole numbers above 0; got {wrong}"


def test_the_training_trace_is_near_the_documented_one(digits, test):
    model, history = train(digits, test)
    losses = [row.train_loss for row in history]
    accuracies = [row.train_accuracy for row in history]
    assert losses == pytest.approx([.76, .44, .31, .24, .20], abs=0.04)
    assert accuracies == pytest.approx([.84, .90, .93, .95, .96], abs=0.02)
    with torch.no_grad():
        wanted = F.cross_entropy(model(test.inputs), test.labels).item()
    assert history[-1].test_loss == pytest.approx(wanted, rel=1e-5)
    seeds = [evaluate(train(digits, test, seed=seed)[0], test).accuracy for seed in range(4)]
    assert 0.865 < np.mean(seeds) < 0.89
    assert [row.epoch for row in history] == [1, 2, 3, 4, 5]
    table = history.table()
    assert list(table["train loss"]) == [f"{loss:.2f}" for loss in losses]
    gap = 100 * (history[-1].train_accuracy - history[-1].test_accuracy)
    assert history[-1].observation == f"Old rows lead by {gap:.0f} points: memorising." or gap <= 8


def test_training_is_seeded_and_pure(digits, test):
    images, state = digits.images.clone(), torch.random.get_rng_state()
    one, _ = train(digits, test, epochs=1, seed=3)
    two, _ = train(digits, test, epochs=1, seed=3)
    other, _ = train(digits, test, epochs=1, seed=4)
    assert all(map(torch.equal, one.parameters(), two.parameters()))
    assert not all(map(torch.equal, one.parameters(), other.parameters()))
    assert torch.equal(images, digits.images)
    assert torch.equal(state, torch.random.get_rng_state())
    first, second = trained_model(), trained_model()
    first.layers[0].weight.data.zero_()
    assert second.layers[0].weight.abs().sum() > 0


@pytest.mark.parametrize(("name", "value", "text"), [
    ("epochs", 0, "epochs must be a whole number, 1 or more; got 0"),
    ("epochs", 1.5, "epochs must be a whole number, 1 or more; got 1.5"),
    ("batch_size", -1, "batch_size must be a whole number, 1 or more; got -1"),
    ("learning_rate", 0, "learning_rate must be above 0 and below 1; got 0"),
    ("learning_rate", math.nan, "learning_rate must be above 0 and below 1; got nan")])
def test_bad_training_settings(digits, test, name, value, text):
    with pytest.raises(ValueError) as error:
        train(digits, test, **{name: value})
    assert str(error.value) == text


def test_a_rising_loss_is_called_so(digits, test):
    _, history = train(digits[range(0, 1000, 20)], test[range(0, 4000, 40)], epochs=8,
                       learning_rate=0.9, seed=1)
    rising = [row for before, row in itertools.pairwise(history)
              if row.train_loss > before.train_loss
              and 100 * (row.train_accuracy - row.test_accuracy) <= 8]
    assert rising
    assert {row.observation for row in rising} == {"The loss rises: the steps are too long."}


def test_evaluation_by_brute_force(model, test):
    few = test[range(0, 4000, 100)]
    score = evaluate(model, few)
    right = [int(model(row[None]).argmax()) == int(label)
             for row, label in zip(few.inputs, few.labels, strict=True)]
    assert score.correct.tolist() == right
    assert score.accuracy == sum(right) / 40
    none = Digits(test.images[:0], test.labels[:0])
    with pytest.raises(ValueError, match="at least one digit to evaluate on; got 0"):
        evaluate(model, none)


def test_byte_rows_are_real_files(model, integer, test, tmp_path):
    dense = measure.dense_file("dense", model, test)
    torch.save(model.state_dict(), tmp_path / "model.pt")
    assert dense.bytes == (tmp_path / "model.pt").stat().st_size
    assert measure.dense_file("pruned", prune(model, 0.3), test).bytes == dense.bytes
    masked = measure.masked_file("masked", model, test, 0.3)
    assert 1.9 < masked.bytes / dense.bytes < 2.1
    small = measure.integer_file("int8", integer, test)
    assert 0.25 < small.bytes / dense.bytes < 0.27
    packed = measure.dense_file("gzip", prune(model, 0.9), test, "gzip")
    assert packed.bytes < dense.bytes / 3
    assert all(row.same_answers for row in (dense, masked, small, packed))


def test_a_file_that_answers_differently_is_found_out(model, test):
    def broken(content):
        again = DigitClassifier()
        again.load_state_dict(content)
        again.layers[1].bias.data[3] += 100
        return again

    row = measure.measure_file("broken", model, test, model.state_dict(), broken)
    assert not row.same_answers
    assert list(tables.file_table(row).frame["same answers after reading"]) == ["NO"]


def test_csr_sizes_follow_from_the_counts(model, test):
    per_weight = {"as PyTorch saves it": 20, "int64": 12, "int32": 8, "uint16": 6}
    for share in (0.5, 0.9):
        sparse = prune(model, share)
        left = sum(int((layer.weight != 0).sum()) for layer in sparse.layers)
        for kind, width in per_weight.items():
            row = measure.csr_file("csr", sparse, test, kind)
            assert row.same_answers
            assert left * width < row.bytes < left * width + 10_000
    with pytest.raises(ValueError, match="'int7'"):
        measure.csr_file("csr", model, test, "int7")


def test_the_csr_ledger_and_its_sentence(model, test):
    rows = measure.csr_ledger(model, test)
    dense = measure.dense_file("dense", model, test).bytes
    told = tables.csr_table(rows, dense)
    shares = sorted({share for share, _ in rows})
    assert shares == [0.3, 0.5, 0.8, 0.9, 0.95]
    for kind in measure.INDEX_TYPES:
        least = min(s for s in shares if rows[s, kind].bytes < dense)
        assert f"{kind} from {100 * least:.0f} % zeros" in told.sentence
    assert "All gave the same answers" in told.sentence
    assert str(told).endswith(told.sentence)


def test_multiply_adds(model):
    assert measure.multiply_adds(model) == (784 * 128 + 128 * 10,) * 2
    assert measure.multiply_adds(prune(model, 0.3)) == (101_632, 101_632 - 30_490)


def test_latency_rows_in_turn(model, integer, test):
    rows = measure.latency_ledger(model, prune(model, 0.9), integer, test, batches=(1, 4), rounds=3)
    assert [(row.name, row.batch) for row in rows] == [
        (name, batch) for batch in (1, 4) for name in measure.LATENCY_ROWS[:-1]]
    for row in rows:
        assert 0 < row.low <= row.median <= row.high
        first = next(r for r in rows if r.batch == row.batch)
        assert row.ratio == row.median / first.median
    told = tables.latency_table(rows)
    assert told.frame.shape == (7, 2) and "Faster than dense float32" in told.sentence
    busy = [measure.LatencyRow(name, 1, middle, low, high, middle / 20) for name, middle, low, high
            in (("a", 20, 18, 30), ("b", 10, 9, 17), ("c", 10, 9, 18), ("d", 19, 9, 17))]
    assert tables.latency_table(busy).sentence.endswith(": at batch 1 b.")
    with pytest.raises(ValueError, match="warp"):
        measure.latency_ledger(model, model, integer, test, names=("warp",))


def test_the_masked_row_computes_the_sparse_network_with_hooks(model, test):
    sparse = prune(model, 0.9)
    masked = measure._masked(sparse, 0.0)
    assert all(layer._forward_pre_hooks and "weight_mask" in layer.state_dict()
               for layer in masked.layers)
    with torch.no_grad():
        assert torch.equal(masked(test.inputs[:50]), sparse(test.inputs[:50]))


def test_the_file_of_torchao_has_a_byte_for_each_weight(model, test):
    row = measure.torchao_file("torchao", model, test)
    assert row.same_answers and 101_632 < row.bytes < 1.1 * 101_632


def test_the_sparse_forward_pass_adds_the_same(model, test):
    sparse = prune(model, 0.9)
    with torch.no_grad():
        assert torch.allclose(measure.sparse_forward(sparse)(test.inputs[:50]),
                              sparse(test.inputs[:50]), atol=1e-4)


def test_changed_answers_by_brute_force(model, test):
    other = prune(model, 0.9)
    changed = measure.changed_answers(model, other, test)
    before, after = (m(test.inputs).argmax(1).tolist() for m in (model, other))
    places = [n for n in range(4000) if before[n] != after[n]]
    assert changed.places.tolist() == places
    assert changed.before.tolist() == [before[n] for n in places]
    assert changed.after.tolist() == [after[n] for n in places]


def test_the_pipeline_trace():
    run = trace.run_pipeline()
    stages = run.stages
    assert [stage.name for stage in stages] == list(trace.STAGES)
    assert [(s.before, s.after, s.dtype) for s in stages[:3]] == [
        ("1000 x 28 x 28", "1000 x 28 x 28", "uint8"),
        ("1000 x 28 x 28", "1000 x 28 x 28", "float32"),
        ("1000 x 28 x 28", "1000 x 784", "float32")]
    assert [s.bytes for s in stages[:3]] == [784_000, 3_136_000, 3_136_000]
    assert stages[3].nonzero_weights == 101_632 and stages[4].nonzero_weights == 71_142
    zeros = sum(int((layer.weight == 0).sum()) for layer in run.quantized.layers)
    assert stages[5].nonzero_weights == 101_632 - zeros
    assert stages[3].bytes == stages[4].bytes > 3.5 * stages[5].bytes
    for stage, model in zip(stages[3:], run.models.values(), strict=True):
        assert stage.test_accuracy == evaluate(model, run.test).accuracy
    assert "0.59" in stages[1].example and "0.1234 becomes 12" in stages[5].example
    assert "784 numbers" in stages[2].example
    table = run.table()
    assert table.shape == (6, 9) and list(table["stage"]) == list(trace.STAGES)


def test_the_prediction_trace_and_the_neuron():
    run = trace.run_pipeline(0.5, epochs=1)
    digit = run.test[1234]
    traced = trace.trace_prediction(run.models, digit)
    assert [layer.name.split()[0] for layer in traced.layers] == \
        ["input", "hidden", "pruning", "quantization", "output"]
    hidden = torch.relu(run.model.layers[0](digit.inputs))[0]
    best = sorted(range(128), key=lambda unit: -hidden[unit].item())[:4]
    assert list(traced.neurons) == best
    assert torch.allclose(traced.layers[1].values["float"], hidden[best])
    for name, model in run.models.items():
        assert traced.predictions[name] == evaluate(model, digit).predictions.item()
        assert traced.layers[4].values[name].sum() == pytest.approx(1, abs=1e-5)
    assert traced.agree == (len(set(traced.predictions.values())) == 1)
    assert traced.table().shape == (5, 4)

    unit = traced.neurons[0]
    neuron = trace.trace_neuron(run.quantized, run.pruned, digit, unit)
    layer = run.quantized.layers[0]
    pixels, weights = flatten(digit.images)[0].tolist(), layer.weight[unit].tolist()
    total = sum(p * w for p, w in zip(pixels, weights, strict=True)) + int(layer.bias[unit])
    assert neuron.total == total
    half = 2 ** (neuron.shift - 1)
    assert neuron.output == min((max(total, 0) * neuron.multiplier + half) >> neuron.shift, 255)
    assert all(product == pixels[place] * weights[place] == pixel * weight
               for place, pixel, weight, product in neuron.terms)
    listed = {place for place, *_ in neuron.terms}
    rest = [p * w for n, (p, w) in enumerate(zip(pixels, weights, strict=True))
            if n not in listed and p * w]
    assert (neuron.others, neuron.others_sum) == (len(rest), sum(rest))
    wanted = torch.relu(run.pruned.layers[0](digit.inputs))[0, unit].item()
    assert neuron.float_value == pytest.approx(wanted)
    assert abs(neuron.output * neuron.scale - wanted) < 0.1
    assert f"{neuron.output} x" in str(neuron)
    for bad in (run.test[[1, 2]], ):
        with pytest.raises(ValueError, match=r"one digit at a time.*got 2"):
            trace.trace_prediction(run.models, bad)
        with pytest.raises(ValueError, match=r"one digit at a time.*got 2"):
            trace.trace_neuron(run.quantized, run.pruned, bad, 0)
    with pytest.raises(ValueError, match="numbered 0 to 127; got 128"):
        trace.trace_neuron(run.quantized, run.pruned, digit, 128)


def test_a_trace_needs_a_float_and_an_int8_model(model, integer, test):
    for models in ({}, {"float": model}, {"int8": integer}, {"pruned": model, "int8": integer}):
        with pytest.raises(ValueError) as error:
            trace.trace_prediction(models, test[0])
        assert str(error.value) == \
            f"models must have the names 'float' and 'int8'; got {list(models)}"
    two = trace.trace_prediction({"float": model, "int8": integer}, test[0])
    assert list(two.predictions) == ["float", "int8"] and two.table().shape == (5, 3)


def test_a_trace_needs_a_hidden_layer(model, integer, digits, test):
    flat = DigitClassifier((784, 10))
    whole = quantize_model(flat, digits)
    for models, name in (({"float": flat, "int8": integer}, "float"),
                         ({"float": model, "int8": whole}, "int8"),
                         ({"float": model, "pruned": flat, "int8": integer}, "pruned")):
        with pytest.raises(ValueError) as error:
            trace.trace_prediction(models, test[0])
        assert str(error.value) == f"the model {name!r} needs a hidden layer to be traced; " \
            "got the widths (784, 10)"
    for pair in ((whole, model), (integer, flat)):
        with pytest.raises(ValueError, match=r"network needs a hidden layer.*\(784, 10\)"):
            trace.trace_neuron(*pair, test[0], 0)


@pytest.mark.parametrize("bad", [True, False, 1.0, -1, 128, None, "0"])
def test_a_neuron_is_a_whole_number(model, integer, test, bad):
    with pytest.raises(ValueError) as error:
        trace.trace_neuron(integer, model, test[0], bad)
    assert str(error.value) == f"neurons are numbered 0 to 127; got {bad!r}"


@pytest.mark.parametrize("count", [2, 3, 4, 9])
def test_the_answers_of_any_number_of_models(model, integer, test, count):
    models = {"float": model, "int8": integer, **{f"same {n}": model for n in range(count - 2)}}
    traced = trace.trace_prediction(models, test[0])
    assert traced.agree
    picture = plots.show_probabilities(traced)
    assert picture.png().startswith(b"\x89PNG")
    assert picture.sentence.endswith("All three agree." if count == 3 else "0. All agree.")
    bars = [bar.get_x() for bar in picture.figure.axes[0].patches]
    ends = [bar.get_x() + bar.get_width() for bar in picture.figure.axes[0].patches]
    assert len(bars) == 10 * count
    assert min(bars) == pytest.approx(-0.405) and max(ends) == pytest.approx(9.405)


def test_weights_of_which_none_is_cut(model):
    for sparsity in (0, 0.0, 1e-6):
        picture = plots.show_weights(model, sparsity)
        assert picture.sentence == \
            "None of the 101,632 weights is to go; the largest magnitude is 0.22."
        assert picture.png().startswith(b"\x89PNG")
    for wrong in (1, -0.1, True, "0.3", 30):
        with pytest.raises(ValueError, match="from 0 to below 1; got "):
            plots.show_weights(model, wrong)


def test_pictures_and_tables_of_nothing_are_refused():
    with pytest.raises(ValueError, match="image must have ink somewhere; got 784 pixels of 0"):
        plots.show_pixels(torch.zeros(28, 28, dtype=torch.uint8))
    with pytest.raises(ValueError, match="at least one FileRow to compare with; got none"):
        tables.file_table()
    with pytest.raises(ValueError, match=r"at least one LatencyRow to compare with; got \[\]"):
        tables.latency_table([])


def shown(capture, thing):
    """The display data that a cell would show."""
    with capture() as got:
        thing._ipython_display_()
    return got.outputs


def test_every_picture_is_a_png_with_its_sentence(model, digits, test):
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    InteractiveShell.instance()
    _, history = train(digits, test, epochs=2)
    run = trace.run_pipeline(0.5, epochs=1)
    pictures = [
        plots.show_digits(test[range(3)]), plots.show_digits(test[range(3)], test.labels[:3]),
        plots.show_pixels(digits.images[700]), plots.show_ink_map(digits),
        plots.show_history(history),
        plots.show_curves({"cut": accuracy_curve(model, test, [0.5])}, 0.9, "A sentence."),
        plots.show_weights(model, 0.3),
        plots.show_probabilities(trace.trace_prediction(run.models, test[0]))]
    for picture in pictures:
        assert picture.png().startswith(b"\x89PNG") and repr(picture) == picture.sentence
        image, text = shown(capture_output, picture)
        assert image.metadata["image/png"]["alt"] == picture.sentence
        assert text.data["text/plain"] == picture.sentence


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
    assert plots.show_digits(test[[0, 3999]]).sentence == "2 digits, each under its label: 0, 9."
    assert "0 read 5" in plots.show_digits(test[[0]], torch.tensor([5])).sentence


def test_the_strip_lights_its_stages():
    assert [line[0] for line in repr(plots.Strip(1, 3)).splitlines()] == list("> >   ")
    assert plots.Strip(2)._repr_html_().count("(here)") == 1
    assert repr(plots.Strip()).count(">") == 6
    with pytest.raises(ValueError, match="numbered 1 to 6; got 7"):
        plots.Strip(7)


def test_the_file_table_says_which_is_smaller():
    rows = [measure.FileRow("a", 1000, True), measure.FileRow("b", 500, True),
            measure.FileRow("c", 1000, True), measure.FileRow("d gzip", 123_456, False)]
    table = tables.file_table(*rows)
    assert table.sentence == "Smaller than a: b; just as large as a: c; larger than a: d gzip."
    assert list(table.frame["size"]) == ["1,000 bytes", "500 bytes", "1,000 bytes", "about 120 KB"]
    assert list(table.frame["same answers after reading"]) == ["yes", "yes", "yes", "NO"]


def test_models_are_copied_not_changed(model):
    before = copy.deepcopy(model.state_dict())
    prune(model, 0.5)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())

"""Tables, each with a sentence that follows from its numbers."""

import itertools
import math
import re

import pytest
import torch

from mnist_compress import quantization, trace, training
from mnist_compress.deploy.compare import Deployment
from mnist_compress.measure import FileRow, LatencyRow, changed_answers
from mnist_compress.pruning import prune
from mnist_compress.stages import TEXTBOOK
from mnist_compress.training import Epoch, History, evaluate, train
from mnist_compress.ui import tables


@pytest.fixture(scope="module")
def run():
    return trace.run_pipeline(epochs=1)


def test_the_file_table_says_which_is_smaller():
    rows = [FileRow("a", 1000, True), FileRow("b", 500, True), FileRow("c", 1000, True),
            FileRow("d gzip", 123_456, False)]
    table = tables.file_table(*rows)
    assert table.sentence == "Smaller than a: b; just as large as a: c; larger than a: d gzip."
    assert list(table.frame["size"]) == ["1,000 bytes", "500 bytes", "1,000 bytes", "about 120 KB"]
    assert list(table.frame["same answers after reading"]) == ["yes", "yes", "yes", "NO"]
    assert list(table.frame["size, a being 100 %"]) == ["100 %", "50 %", "100 %", "12346 %"]
    assert tables.file_table(rows[0]).sentence == "Only one file: a."


def test_the_answer_table_says_who_pays(model, test):
    answers = torch.eye(10)[test.labels] * 5
    answers[:30] = torch.eye(10)[1]  # a tenth of the zeros read as ones

    class Fixed(torch.nn.Module):
        def forward(self, inputs):
            return answers

    networks = {"dense": model, "again": model, "fixed": Fixed()}
    table = tables.answer_table(networks, test, "First this.")
    assert table.frame.shape == (12, 4)
    accuracy = training.evaluate(model, test).accuracy
    assert table.frame.loc["all digits"].tolist() == [
        *2 * [f"{100 * accuracy:.1f} %"], "99.0 %", f"{99 - 100 * accuracy:+.1f}"]
    right = training.evaluate(model, test).correct.view(10, 300).double().mean(1)
    assert table.frame["dense"].tolist()[1:11] == [f"{100 * each:.1f} %" for each in right]
    assert table.frame.loc["0s", "fixed"] == "90.0 %"
    change = torch.tensor([90.0] + 9 * [100]) - 100 * right
    sure = 100 * (0.99 * math.exp(5) / (math.exp(5) + 9) + 0.01 * math.e / (math.e + 9))
    assert table.frame.loc["mean top probability", "fixed"] == f"{sure:.1f} %"
    assert table.sentence == (
        f"First this. Of the ten digits, {change.argmin()}s lose most ({change.min():+.1f} points; "
        f"again +0.0) and {change.argmax()}s gain most ({change.max():+.1f} points; again +0.0); "
        f"all together {99 - 100 * accuracy:+.1f} points. The network is {sure:.0f} % sure on "
        "average, and 99 % are right.")


def test_the_csr_table_says_from_where_each_kind_is_smaller():
    sizes = {"wide": (900, 500), "narrow": (400, 300), "huge": (2000, 1001)}
    rows = {(share, kind): FileRow(kind, size[place], True) for place, share in
            enumerate((0.5, 0.9)) for kind, size in sizes.items()}
    told = tables.csr_table(rows, 600)
    assert told.sentence == (
        "Of these files, smaller than dense: wide from 90 % zeros; narrow from 50 % zeros; huge "
        "never. All gave the same answers when read back.")
    assert told.frame.loc["50 %"].tolist() == ["150 %", "67 %", "333 %"]
    assert str(told).endswith(told.sentence)
    rows[0.9, "huge"] = FileRow("huge", 1001, False)
    assert "NOT all gave the same answers" in tables.csr_table(rows, 600).sentence


def test_the_latency_table_says_what_is_surely_faster():
    rows = [LatencyRow(name, 1, middle, low, high, middle / 20) for name, middle, low, high
            in (("a", 20, 18, 30), ("b", 10, 9, 17), ("c", 10, 9, 18), ("d", 19, 9, 17))]
    table = tables.latency_table(rows)
    assert table.sentence == "Faster than a by a tenth or more: at batch 1 b."
    assert table.frame["batch 1"].tolist() == ["20 (18-30), x1.00", "10 (9-17), x0.50",
                                               "10 (9-18), x0.50", "19 (9-17), x0.95"]


def history(*epochs):
    """A `History` of (training loss, training accuracy, validation accuracy)."""
    return History(Epoch(number, loss, old, 1.0, new)
                   for number, (loss, old, new) in enumerate(epochs, 1))


def test_the_table_of_a_history(digits, test):
    _, run = train(digits, test, epochs=2)
    table = tables.history_table(run).frame
    assert list(table["train loss"]) == [f"{row.train_loss:.2f}" for row in run]
    assert list(table["validation acc."]) == [f"{100 * row.validation_accuracy:.1f} %"
                                              for row in run]
    assert list(table.index) == [1, 2] and table["observation"].str.endswith(".").all()


def test_observations_judge_an_epoch():
    told = tables.history_table(history(
        (0.9, 0.8, 0.80), (0.5, 0.9, 0.82), (0.3, 0.93, 0.826), (0.2, 0.95, 0.821),
        (0.1, 0.97, 0.811), (0.2, 0.96, 0.9)))
    assert told.sentence == ("Validation digits do best after epoch 6; after the last, training "
                             "digits lead by 6.0 points.")
    assert told.frame["observation"].tolist() == [
        "Learns fast, still far from done.",
        "Learns, and new digits gain much.",
        "Learns, and new digits gain a little.",
        "Good on old digits, new digits gain nothing: watch for memorizing.",
        "Better on old digits, worse on new ones: memorizing, or chance.",
        "The loss rises: if it goes on, the steps are too long."]
    slow = tables.history_table(history((2.3, 0.1, 0.1))).frame["observation"]
    assert slow.tolist() == ["Has hardly learned anything yet."]


def test_a_rising_loss_is_called_so(digits, test):
    _, run = train(digits[range(0, 1000, 20)], test[range(0, 3000, 40)], epochs=8,
                   learning_rate=0.9, seed=5)
    table = tables.history_table(run).frame
    rising = [row.epoch for before, row in itertools.pairwise(run)
              if row.train_loss > before.train_loss]
    assert rising
    assert {table["observation"][epoch] for epoch in rising} == {
        "The loss rises: if it goes on, the steps are too long."}


def test_the_textbook_beside_a_history():
    table = tables.textbook_table(history((0.716, 0.844, 0.8), (0.449, 0.875, 0.81)))
    assert list(table.index) == [1, 2]
    assert table.loc[1].tolist() == ["0.65", "0.72", "75 %", "84 %",
                                     "starts learning, loss is high, accuracy moderate"]
    assert len(TEXTBOOK) == 5
    assert [row[0] for row in TEXTBOOK] == sorted((row[0] for row in TEXTBOOK), reverse=True)


def test_the_zeros_of_each_layer(model):
    table = tables.sparsity_table(prune(model, 0.3))
    assert list(table.index) == ["128 x 784", "10 x 128", "all"]
    assert list(table["count"]) == [100_352, 1280, 101_632]
    zeros = table["zeros"].tolist()
    assert zeros[2] == zeros[0] + zeros[1] == 30_490
    assert table["sparsity"].tolist() == [f"{100 * zeros[0] / 100_352:.1f} %",
                                          f"{100 * zeros[1] / 1280:.1f} %", "30.0 %"]


def test_the_five_layers(run):
    traced = trace.trace_prediction(run.models, run.test[1234])
    table = tables.trace_table(traced)
    assert table.shape == (5, 4)
    assert list(table["shape"]) == ["1 x 784", "1 x 128", "1 x 128", "1 x 128", "1 x 10"]
    assert table.loc["quantization applied"].tolist()[1:3] == ["", ""]
    whole = traced.layers[3].values["int8"].tolist()
    assert table.loc["quantization applied", "int8"] == "  ".join(map(str, whole))
    sure = traced.layers[4].values["int8"]
    best = traced.predictions["int8"]
    assert table.loc["output (softmax)", "int8"].startswith(f"{best}: {100 * sure[best]:.1f} %, ")
    two = trace.trace_prediction({"float": run.model, "int8": run.quantized}, run.test[0])
    assert tables.trace_table(two).shape == (5, 3)


@pytest.fixture
def coarse(model):
    return quantization.round_weights(model, 2)


def test_kinds(model, coarse, validation):
    networks = {"same": (model, "none", "floats"), "coarse": (coarse, "none", "floats")}
    table = tables.kinds_table(networks, model, validation)
    answers = [evaluate(each, validation).predictions for each in (model, coarse)]
    changed = int((answers[0] != answers[1]).sum())
    assert changed > 0
    assert table.sentence == f"Answers changed: same 0, coarse {changed}."
    assert list(table.frame["answers changed"]) == ["0 of 1,000", f"{changed} of 1,000"]
    assert table.frame.loc["coarse", "right"] == f"{evaluate(coarse, validation).accuracy:.1%}"


def test_rounding(model, coarse, validation):
    high, low = (evaluate(each, validation).accuracy for each in (model, coarse))
    assert low < high
    table = tables.rounding_table([(8, {"after": coarse, "control": model, "aware": model}),
                            (2, {"after": model, "control": coarse, "aware": model}),
                            (8, {"after": coarse, "control": coarse, "aware": model}),
                            (2, {"after": coarse, "control": model, "aware": coarse})], validation)
    assert table.sentence == (
        "Aware, at 8, 2 bits, is two points or more ahead of 'after' in 2, 0; "
        "of 'control' in 1, 1 of 2 seeds.")
    assert list(table.frame.index) == [8, 2]
    assert table.frame.loc[8].tolist() == [f"{low:.0%} to {low:.0%}", f"{low:.0%} to {high:.0%}",
                                           f"{high:.0%} to {high:.0%}"]
    assert table.frame.loc[2, "after"] == f"{low:.0%} to {high:.0%}"


def test_changes_are_a_paragraph(model, coarse, validation):
    plain = changed_answers(model, coarse, validation).sentence
    assert tables.say_changes(model, coarse, validation) == plain
    named = tables.say_changes(model, coarse, validation, "Against <all>")
    assert named == f"Against <all>: {plain}"
    assert named._repr_html_().startswith("<p>Against &lt;all&gt;: ")


def test_the_sentence_on_int8_follows_from_the_rows():
    def pair(batch, median, low, high, runtime="A B"):
        return [LatencyRow(f"{runtime} float32", batch, 10.0, 9.0, 11.0, 1.0),
                LatencyRow(f"{runtime} int8", batch, median, low, high, median / 10)]

    rows = pair(1, 20, 19, 21) + pair(2, 10, 8, 12) + pair(3, 5, 4, 6) + pair(4, 8, 7, 9)
    def told(rows):
        return tables.speed_table(rows, {}).sentence

    assert told(rows) == (
        "In A B, int8 against float32 is faster at batch 3 (2.0 times); no different at batch 2, "
        "4; slower at batch 1.")
    assert told(pair(1, 5, 4, 6) + pair(1, 20, 19, 21, "C")) == (
        "In A B, int8 against float32 is faster at batch 1 (2.0 times). "
        "In C, int8 against float32 is slower at batch 1.")
    third = [row._replace(ratio=row.ratio / 3) for row in pair(1, 5, 4, 6)]  # of another base
    assert "(2.0 times)" in told(third)


def test_the_table_of_deployments():
    times = [LatencyRow("", 1, middle, low, high, 1.0) for middle, low, high in
             ((12.0, 11.0, 13.0), (9.4, 9.0, 10.0), (10.0, 9.9, 12.0))]
    rows = [Deployment("A", 400, 407_080, times[0], 0.854), Deployment("B", 300, 7, times[1], 0.85),
            Deployment("page", 200)]
    table = tables.deployment_table(rows)
    assert table.sentence == (
        "The smallest file is that of page; for one digit B is the fastest. "
        "The page itself shows its time on the device that opens it.")
    assert table.frame.loc["page", "one digit"] == "shown by the page"
    assert table.frame.loc["page", "memory for weights"] == "not measured"
    assert table.frame.loc["page", "right"] == "as NumPy"
    assert table.frame.loc["A", "memory for weights"] == "407,080 bytes"
    assert table.frame.loc["A"].tolist()[2:] == ["12 microseconds", "85.4%"]
    close = tables.deployment_table([*rows, Deployment("C", 300, 7, times[2], 0.85)])
    assert "for one digit B and C are the fastest" in close.sentence


def test_times_stand_beside_accuracies():
    rows = [LatencyRow(f"A {kind}", 1, time, time - 1, time + 1, time / 10)
            for kind, time in (("float32", 10.0), ("int8", 5.0))]
    table = tables.speed_table(rows, {"A float32": 0.876, "A int8": 0.8749})
    assert table.frame["right"].tolist() == ["87.6%", "87.5%"]
    assert table.frame.loc["A int8", "batch 1"] == "5 (4-6), x0.50"
    assert "faster at batch 1 (2.0 times)" in table.sentence
    assert tables.speed_table(rows, {"A int8": 0.8}).frame["right"].tolist() == ["", "80.0%"]


def test_eager_and_compiled_stand_apart():
    table = tables.compiled_table()
    names = list(table.frame.index)
    assert len(names) == 6 and all(name.endswith((", eager", ", compiled")) for name in names)
    for mode in ("eager", "compiled"):
        assert table.frame.loc[f"float32, {mode}", "batch 1"].endswith("x1.00")
    for name in names:  # the sentence follows from the ratios
        for batch in (1, 32, 1000):
            ratio = float(table.frame.loc[name, f"batch {batch}"].partition("x")[2])
            if abs(ratio - 0.9) > 0.01:
                told = re.search(rf"{name} at batch {batch}(?!\d)", table.sentence)
                assert bool(told) == (ratio < 0.9)

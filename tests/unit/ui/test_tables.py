"""Tables, each with a sentence that follows from its numbers."""

import itertools

import pytest

from mnist_compress.deploy import Deployment
from mnist_compress.measure import FileRow, LatencyRow
from mnist_compress.training import train
from mnist_compress.ui import tables


def test_the_file_table_says_which_is_smaller():
    rows = [FileRow("a", 1000, True), FileRow("b", 500, True), FileRow("c", 1000, True),
            FileRow("d gzip", 123_456, False)]
    table = tables.file_table(*rows)
    assert table.sentence == "Smaller than a: b; just as large as a: c; larger than a: d gzip."
    assert list(table.frame["size"]) == ["1,000 bytes", "500 bytes", "1,000 bytes", "about 120 KB"]
    assert list(table.frame["same answers after reading"]) == ["yes", "yes", "yes", "NO"]


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
    table = tables.latency_table(rows, "A sentence.")
    assert table.sentence == "A sentence." and table.frame.shape == (4, 1)


def test_tables_of_nothing_are_refused():
    with pytest.raises(ValueError, match="at least one FileRow to compare with; got none"):
        tables.file_table()
    with pytest.raises(ValueError, match=r"at least one LatencyRow to compare with; got \[\]"):
        tables.latency_table([])


def test_the_sentence_on_int8_follows_from_the_rows():
    def pair(batch, median, low, high, runtime="A B"):
        return [LatencyRow(f"{runtime} float32", batch, 10.0, 9.0, 11.0, 1.0),
                LatencyRow(f"{runtime} int8", batch, median, low, high, median / 10)]

    rows = pair(1, 20, 19, 21) + pair(2, 10, 8, 12) + pair(3, 5, 4, 6) + pair(4, 8, 7, 9)
    assert tables.int8_sentence(rows) == (
        "In A B, int8 against float32 is faster at batch 3 (2.0 times); no different at batch 2, "
        "4; slower at batch 1.")
    assert tables.int8_sentence(pair(1, 5, 4, 6) + pair(1, 20, 19, 21, "C")) == (
        "In A B, int8 against float32 is faster at batch 1 (2.0 times). "
        "In C, int8 against float32 is slower at batch 1.")
    assert tables.int8_sentence([]) == ""
    for wrong in ([rows[0], rows[3]], [rows[0], pair(1, 5, 4, 6, "C")[1]]):
        with pytest.raises(ValueError, match="pairs of one runtime and batch; got A B float32 at "):
            tables.int8_sentence(wrong)


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
    assert table.frame.loc["page", "test accuracy"] == "as NumPy"
    assert table.frame.loc["A", "memory for weights"] == "407,080 bytes"
    assert table.frame.loc["A"].tolist()[2:] == ["12 microseconds", "85.4%"]
    close = tables.deployment_table([*rows, Deployment("C", 300, 7, times[2], 0.85)])
    assert "for one digit B and C are the fastest" in close.sentence


def test_the_table_of_a_history(digits, test):
    _, history = train(digits, test, epochs=2)
    table = tables.history_table(history)
    assert list(table["train loss"]) == [f"{row.train_loss:.2f}" for row in history]
    gap = 100 * (history[-1].train_accuracy - history[-1].test_accuracy)
    assert (table["observation"].iloc[-1] ==
            f"Old rows lead by {gap:.0f} points: memorising.") == (gap > 8)


def test_a_rising_loss_is_called_so(digits, test):
    _, history = train(digits[range(0, 1000, 20)], test[range(0, 4000, 40)], epochs=8,
                       learning_rate=0.9, seed=1)
    table = tables.history_table(history)
    rising = [row.epoch for before, row in itertools.pairwise(history)
              if row.train_loss > before.train_loss
              and 100 * (row.train_accuracy - row.test_accuracy) <= 8]
    assert rising
    assert {table["observation"][epoch] for epoch in rising} == {
        "The loss rises: the steps are too long."}

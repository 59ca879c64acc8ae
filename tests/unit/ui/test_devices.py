"""Notebook 08's tables, each with a sentence that follows from its numbers."""

import re

from mnist_compress.deploy.compare import Deployment
from mnist_compress.measure import LatencyRow
from mnist_compress.ui import devices


def test_the_sentence_on_int8_follows_from_the_rows():
    def pair(batch, median, low, high, runtime="A B"):
        return [LatencyRow(f"{runtime} float32", batch, 10.0, 9.0, 11.0, 1.0),
                LatencyRow(f"{runtime} int8", batch, median, low, high, median / 10)]

    rows = pair(1, 20, 19, 21) + pair(2, 10, 8, 12) + pair(3, 5, 4, 6) + pair(4, 8, 7, 9)
    def told(rows):
        return devices.speed_table(rows, {}).sentence

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
    table = devices.deployment_table(rows)
    assert table.sentence == (
        "The smallest file is that of page; for one digit B is the fastest. "
        "The page itself shows its time on the device that opens it.")
    assert table.frame.loc["page", "one digit"] == "shown by the page"
    assert table.frame.loc["page", "memory for weights"] == "not measured"
    assert table.frame.loc["page", "right"] == "as NumPy"
    assert table.frame.loc["A", "memory for weights"] == "407,080 bytes"
    assert table.frame.loc["A"].tolist()[2:] == ["12 microseconds", "85.4%"]
    close = devices.deployment_table([*rows, Deployment("C", 300, 7, times[2], 0.85)])
    assert "for one digit B and C are the fastest" in close.sentence


def test_times_stand_beside_accuracies():
    rows = [LatencyRow(f"A {kind}", 1, time, time - 1, time + 1, time / 10)
            for kind, time in (("float32", 10.0), ("int8", 5.0))]
    table = devices.speed_table(rows, {"A float32": 0.876, "A int8": 0.8749})
    assert table.frame["right"].tolist() == ["87.6%", "87.5%"]
    assert table.frame.loc["A int8", "batch 1"] == "5 (4-6), x0.50"
    assert "faster at batch 1 (2.0 times)" in table.sentence
    assert devices.speed_table(rows, {"A int8": 0.8}).frame["right"].tolist() == ["", "80.0%"]


def test_eager_and_compiled_stand_apart():
    table = devices.compiled_table()
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

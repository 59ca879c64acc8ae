"""Tables of traces show the numbers of the traces."""

import pytest

from mnist_compress import trace
from mnist_compress.stages import STAGES
from mnist_compress.ui.traces import show_unit, stage_table, trace_table


@pytest.fixture(scope="module")
def run():
    return trace.run_pipeline(epochs=1)


def test_the_six_stages(run):
    table = stage_table(run)
    assert table.shape == (6, 9) and list(table.index) == [1, 2, 3, 4, 5, 6]
    assert list(table["stage"]) == [name.replace("-", "\u2011") for name in STAGES]
    plain = table.map(lambda text: text.replace("\u00a0", " ").replace("\u2011", "-"))
    assert list(plain["before"]) == ["1000 x 28 x 28"] * 3 + ["1000 x 784"] + \
        ["weights 128 x 784, 10 x 128"] * 2
    zeros = [int((layer.weight != 0).sum()) for layer in run.pruned.layers]
    assert list(plain["after"]) == [
        "1000 x 28 x 28", "1000 x 28 x 28", "1000 x 784", "weights 128 x 784, 10 x 128",
        f"weights 128 x 784, 10 x 128, not zero: {zeros[0]:,} of 100,352 and {zeros[1]:,} of 1,280",
        "weights 128 x 784, 10 x 128, a scale each"]
    assert list(plain["what happens"]) == [
        "load handwritten digits", "normalize to 0..1", "flatten", "train 784-128-10",
        "zero the smallest 30 %", "float32 to int8"]
    assert list(table["bytes"]) == [f"{stage.bytes:,}" for stage in run.stages]
    assert list(table["dtype"]) == [stage.dtype for stage in run.stages]
    assert list(table["non-zero weights"])[:5] == ["", "", "", "101,632", "71,142"]
    assert list(table["test accuracy"]) == ["", "", ""] + [
        f"{stage.accuracy:.1%}" for stage in run.stages[3:]]
    examples = list(plain["example"])
    row = max(run.train.images[700].tolist(), key=sum)
    assert " ".join([str(pixel) for pixel in row if pixel][:5]) in examples[0]
    assert examples[1:3] == ["pixel 150 becomes 0.59", "one image becomes 784 numbers"]
    assert examples[3].startswith(f"loss {run.history[0].train_loss:.2f} falls to ")
    cut = max(layer.weight.detach()[small.weight == 0].abs().max().item()
              for layer, small in zip(run.model.layers, run.pruned.layers, strict=True))
    assert f"{cut:.4f}, becomes 0" in examples[4] and "0.1234 becomes 12" in examples[5]


def test_the_five_layers(run):
    traced = trace.trace_prediction(run.models, run.test[1234])
    table = trace_table(traced)
    assert table.shape == (5, 4)
    assert list(table["shape"]) == ["1 x 784", "1 x 128", "1 x 128", "1 x 128", "1 x 10"]
    assert table.loc["quantization applied"].tolist()[1:3] == ["", ""]
    whole = traced.layers[3].values["int8"].tolist()
    assert table.loc["quantization applied", "int8"] == "  ".join(map(str, whole))
    sure = traced.layers[4].values["int8"]
    best = traced.predictions["int8"]
    assert table.loc["output (softmax)", "int8"].startswith(f"{best}: {100 * sure[best]:.1f} %, ")
    two = trace.trace_prediction({"float": run.model, "int8": run.quantized}, run.test[0])
    assert trace_table(two).shape == (5, 3)


def test_one_unit():
    traced = trace.UnitTrace(3, ((9, 255, -127, -32385), (10, 2, 3, 6)), 102, 5000, -7, -27386,
                             16099809, 36, 0, 0.0221769, 0.25)
    assert repr(show_unit(traced)) == str(show_unit(traced)) == "\n".join([
        "pixel   9: 255 x -127 =     -32,385",
        "pixel  10:   2 x    3 =           6",
        "102 other products            5,000",
        "bias                             -7",
        "int32 sum                   -27,386",
        "rescale: floor((0 x 16099809 + 2**35) / 2**36), at most 255 = 0",
        "0 x 0.0221769 = 0.000; the pruned float network has 0.250"])

"""ONNX files: the same digits as PyTorch, and int8 logits that NumPy repeats bit for bit."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

import mnist_compress
from mnist_compress.data import flatten, load_full, load_sample
from mnist_compress.deploy import executorch
from mnist_compress.deploy.compare import Deployment, deployments, int8_sentence
from mnist_compress.deploy.onnx import (
    export_onnx,
    numpy_logits,
    onnx_latency,
    onnx_layers,
    onnx_logits,
    processor,
    quantize_onnx,
)
from mnist_compress.measure.speed import LatencyRow
from mnist_compress.model import DigitClassifier
from mnist_compress.pruning import prune
from mnist_compress.quantization import quantize_model
from mnist_compress.training import evaluate, train, trained_model
from mnist_compress.ui.tables import deployment_table, latency_table

ROOT = Path(mnist_compress.__file__).parents[1]
INTEGER_BYTES = 101_632 + 4 * 138 + 4 * 2 + 8 * 2  # weights, biases, scales, multiplier, shift
# int8 weights; for each row a scale and zero point of its weights, a bias with both; three
# activations with a scale and a zero point
ONNX_BYTES = 101_632 + 138 * (4 + 1 + 4 + 4 + 4) + 3 * (4 + 1)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The course's pruned network: (model, float file, int8 file, bytes of both)."""
    folder, model = tmp_path_factory.mktemp("onnx"), prune(trained_model(), 0.3)
    paths = folder / "float.onnx", folder / "int8.onnx"
    sizes = export_onnx(model, paths[0]), quantize_onnx(*paths, load_sample()[0])
    return model, *paths, sizes


@pytest.fixture(scope="module")
def test_digits():
    return load_sample()[1]


def test_files_say_nothing_of_this_machine(files):
    for path in files[1:3]:
        content = path.read_bytes()
        assert b"File " not in content and b"mnist_compress" not in content, path.name
        assert onnx.load(path).graph.node and b"+cu" not in content and b"+cpu" not in content


def test_the_float_file_computes_what_torch_does(files, test_digits):
    model, path, _, sizes = files
    found = onnx_logits(path, flatten(test_digits.images))
    with torch.no_grad():
        assert np.allclose(found, model(test_digits.inputs).numpy(), atol=1e-4)
    assert sizes[0] == path.stat().st_size > 4 * 101_770


def test_int8_logits_are_numpys_on_every_sample_digit(files, test_digits):
    _, _, path, sizes = files
    pixels = flatten(test_digits.images)
    found, again = onnx_logits(path, pixels), numpy_logits(path, pixels)
    assert found.shape == again.shape == (4000, 10) and again.dtype == found.dtype == np.float32
    assert np.count_nonzero(found.view(np.int32) != again.view(np.int32)) == 0
    assert len(np.unique(found)) > 100  # so that equality says something
    assert 101_770 < sizes[1] == path.stat().st_size < 115_000


def test_int8_logits_are_numpys_on_the_official_digits(files, official):
    digits = load_full(official)[1]
    pixels = flatten(digits.images)
    found, again = onnx_logits(files[2], pixels), numpy_logits(files[2], pixels)
    assert found.shape == (10_000, 10)
    assert np.count_nonzero(found.view(np.int32) != again.view(np.int32)) == 0


def test_int8_keeps_the_accuracy(files, test_digits):
    found = onnx_logits(files[2], flatten(test_digits.images)).argmax(1)
    accuracy = (found == test_digits.labels.numpy()).mean()
    assert abs(accuracy - evaluate(files[0], test_digits).accuracy) < 0.01


def test_a_single_digit_has_the_logits_it_has_in_a_batch(files, test_digits):
    pixels = flatten(test_digits.images)[::97]
    each = [onnx_logits(files[2], pixels[i:i + 1]) for i in range(len(pixels))]
    assert np.array_equal(np.concatenate(each), onnx_logits(files[2], pixels))


def test_the_file_has_seven_bit_weights_with_a_scale_each_row(files):
    layers = onnx_layers(files[2])
    assert [layer.weight.shape for layer in layers] == [(128, 784), (10, 128)]
    for layer, linear in zip(layers, files[0].layers, strict=True):
        assert layer.weight.dtype == np.int8 and abs(layer.weight.astype(int)).max() <= 64
        assert layer.bias.dtype == np.int32 and layer.weight_scale.shape == layer.bias.shape
        back = layer.weight * layer.weight_scale[:, None]
        half = 0.501 * layer.weight_scale[:, None]
        assert (abs(back - linear.weight.detach().numpy()) <= half).all()
    assert layers[0].output_zero == layers[1].input_zero == -128  # which is ReLU


@pytest.mark.parametrize("widths", [(784, 10), (784, 40, 30, 10)])
def test_other_depths(widths, tmp_path, test_digits):
    train_digits = load_sample()[0]
    model = train(train_digits, train_digits[:10], widths=widths, epochs=4)[0]
    export_onnx(model, tmp_path / "float.onnx")
    quantize_onnx(tmp_path / "float.onnx", tmp_path / "int8.onnx", train_digits)
    pixels = flatten(test_digits.images)
    found = onnx_logits(tmp_path / "int8.onnx", pixels)
    assert np.array_equal(found, numpy_logits(tmp_path / "int8.onnx", pixels))
    assert (found.argmax(1) == test_digits.labels.numpy()).mean() > 0.7


def test_the_model_stays_as_it_was(tmp_path):
    model = DigitClassifier((784, 5, 10)).train()
    before = {name: part.clone() for name, part in model.state_dict().items()}
    export_onnx(model, tmp_path / "float.onnx")
    assert model.training
    assert all(torch.equal(before[name], part) for name, part in model.state_dict().items())


def test_export_and_quantization_say_nothing(tmp_path):
    program = """
import sys
from mnist_compress.data import load_sample
from mnist_compress.export import export_onnx, quantize_onnx
from mnist_compress.model import DigitClassifier
export_onnx(DigitClassifier((784, 5, 10)), "float.onnx")
quantize_onnx("float.onnx", "int8.onnx", load_sample()[0][:20])
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True,
                          text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert {file.name for file in tmp_path.iterdir()} == {"float.onnx", "int8.onnx"}


def test_importing_it_loads_no_runtime():
    program = ("import sys, mnist_compress.export; print([name for name in ('onnx', 'onnxruntime', "
               "'onnxscript', 'executorch', 'IPython') if name in sys.modules])")
    found = subprocess.check_output([sys.executable, "-c", program], text=True,
                                    env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert found.strip() == "[]"


def test_wrong_input_is_quoted(files, test_digits, tmp_path):
    pixels = flatten(test_digits.images)
    for wrong in (pixels.float(), test_digits.images):
        with pytest.raises(ValueError, match="pixels must be uint8 of the shape"):
            numpy_logits(files[2], wrong)
    with pytest.raises(ValueError, match="reads 784 pixels a digit; got 783"):
        numpy_logits(files[2], pixels[:, 1:])
    with pytest.raises(ValueError, match="no network from quantize_onnx"):
        onnx_layers(files[1])
    empty = onnx.helper.make_model(onnx.helper.make_graph([], "empty", [], []))
    onnx.save(empty, tmp_path / "empty.onnx")
    with pytest.raises(ValueError, match="it has no layers"):
        onnx_layers(tmp_path / "empty.onnx")
    with pytest.raises(ValueError, match="at least one digit"):
        quantize_onnx(files[1], tmp_path / "int8.onnx", test_digits[:0])
    for batches, text in (((1, 1000), "at most 5; got 1000"), ((0,), r"1 or more; got \(0,\)")):
        with pytest.raises(ValueError, match=f"batches must be .*{text}"):
            onnx_latency(*files[1:3], test_digits[:5], batches)


def foreign_files(folder, float_file):
    """Files that are no network from quantize_onnx, each wrong in its own way."""
    def saved(name, nodes, numbers=()):
        graph = onnx.helper.make_graph(nodes, "other", [], [], numbers)
        onnx.save(onnx.helper.make_model(graph), folder / name)
        return folder / name

    def written(name, content):
        (folder / name).write_bytes(content)
        return folder / name

    node, number = onnx.helper.make_node, onnx.numpy_helper.from_array(np.ones(3, np.int8), "w")
    outside, nameless = onnx.TensorProto(), onnx.TensorProto(name="w", dims=[3])
    outside.CopyFrom(number)
    outside.ClearField("raw_data")
    outside.data_location = onnx.TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="missing.bin")
    yield float_file
    yield written("page.onnx", b"<html>Please log in</html>")
    yield written("noise.onnx", bytes(range(256)))
    yield written("half.onnx", float_file.read_bytes()[:1000])
    yield written("empty.json", b"")
    yield written("page.json", b"<html>")
    yield saved("none.onnx", [])
    yield saved("source.onnx", [node("Constant", [], ["a"], value_int=1)])
    yield saved("sink.onnx", [node("Relu", ["a"], [])])
    yield saved("gemm.onnx", [node("Gemm", ["a", "w"], ["b"])], [number])
    yield saved("untyped.onnx", [], [nameless])
    yield saved("outside.onnx", [], [outside])
    yield saved("rows.onnx", [
        *(node("DequantizeLinear", ["w", "w", "w"], [name]) for name in "abc"),
        node("Gemm", ["a", "b", "c"], ["d"]), node("QuantizeLinear", ["d", "w", "w"], ["e"])],
        [number])


def test_any_other_file_is_named(files, tmp_path):
    for path in foreign_files(tmp_path, files[1]):
        for call in (onnx_layers, lambda path: numpy_logits(path, np.zeros((1, 784), np.uint8))):
            with pytest.raises(ValueError) as error:
                call(path)
            assert str(error.value).startswith(f"{path} is no network from quantize_onnx: ")
    with pytest.raises(FileNotFoundError):
        onnx_layers(tmp_path / "missing.onnx")


def test_latency_rows_come_in_pairs(files, test_digits):
    rows = onnx_latency(*files[1:3], test_digits, batches=(1, 32), rounds=5)
    assert [(row.name.split()[-1], row.batch) for row in rows] == [
        ("float32", 1), ("int8", 1), ("float32", 32), ("int8", 32)]
    assert all(0 < row.low <= row.median <= row.high for row in rows)
    assert rows[0].ratio == rows[2].ratio == 1
    assert int8_sentence(rows).startswith("In ONNX Runtime, int8 against float32 is ")


def test_the_sentence_follows_from_the_rows():
    def pair(batch, median, low, high, runtime="A B"):
        return [LatencyRow(f"{runtime} float32", batch, 10.0, 9.0, 11.0, 1.0),
                LatencyRow(f"{runtime} int8", batch, median, low, high, median / 10)]

    rows = pair(1, 20, 19, 21) + pair(2, 10, 8, 12) + pair(3, 5, 4, 6) + pair(4, 8, 7, 9)
    assert int8_sentence(rows) == (
        "In A B, int8 against float32 is faster at batch 3 (2.0 times); no different at batch 2, "
        "4; slower at batch 1.")
    assert int8_sentence(pair(1, 5, 4, 6) + pair(1, 20, 19, 21, "C")) == (
        "In A B, int8 against float32 is faster at batch 1 (2.0 times). "
        "In C, int8 against float32 is slower at batch 1.")
    assert int8_sentence([]) == ""
    for wrong in ([rows[0], rows[3]], [rows[0], pair(1, 5, 4, 6, "C")[1]]):
        with pytest.raises(ValueError, match="pairs of one runtime and batch; got A B float32 at "):
            int8_sentence(wrong)
    table = latency_table(rows, "A sentence.")
    assert table.sentence == "A sentence." and table.frame.shape == (2, 4)


def test_deployments_measure_files_that_are_there(tmp_path, test_digits):
    digits, model = load_sample()[0], prune(trained_model(), 0.97)
    integer = quantize_model(model, digits)
    rows = {row.name: row for row in deployments(
        model, integer, tmp_path, digits, test_digits, rounds=3)}
    names = ["PyTorch float32", "PyTorch int8", "ONNX Runtime float32", "ONNX Runtime int8",
             *["ExecuTorch int8"] * executorch.installed(), "NumPy int8, packed", "page"]
    assert list(rows) == names
    files = {"ONNX Runtime float32": "float.onnx", "ONNX Runtime int8": "int8.onnx",
             "ExecuTorch int8": "int8.pte", "NumPy int8, packed": "digits.mc",
             "page": "digits.html"}
    for name in names[2:]:
        assert rows[name].file_bytes == (tmp_path / files[name]).stat().st_size
    accuracies = [evaluate(each, test_digits).accuracy for each in (model, integer)]
    for name in ("PyTorch int8", "NumPy int8, packed"):
        assert rows[name].accuracy == pytest.approx(accuracies[1])
    assert rows["PyTorch float32"].accuracy == pytest.approx(accuracies[0])
    found = onnx_logits(tmp_path / "int8.onnx", flatten(test_digits.images)).argmax(1)
    assert rows["ONNX Runtime int8"].accuracy == pytest.approx(
        (found == test_digits.labels.numpy()).mean())
    held = {"PyTorch float32": 4 * 101_770, "PyTorch int8": INTEGER_BYTES,
            "ONNX Runtime float32": 4 * 101_770, "ONNX Runtime int8": ONNX_BYTES,
            "ExecuTorch int8": 101_632 + 8 * 138, "NumPy int8, packed": 101_632 + 4 * 138,
            "page": None}
    assert {name: row.memory_bytes for name, row in rows.items()} == {
        name: held[name] for name in names}
    page = rows.pop("page")
    assert page.time is page.accuracy is None
    assert all(row.time.median > 0 and row.time.batch == 1 for row in rows.values())


def test_the_table_of_deployments():
    times = [LatencyRow("", 1, middle, low, high, 1.0) for middle, low, high in
             ((12.0, 11.0, 13.0), (9.4, 9.0, 10.0), (10.0, 9.9, 12.0))]
    rows = [Deployment("A", 400, 407_080, times[0], 0.854), Deployment("B", 300, 7, times[1], 0.85),
            Deployment("page", 200, None, None, None)]
    table = deployment_table(rows)
    assert table.sentence == (
        "The smallest file is that of page; for one digit B is the fastest. "
        "The page itself shows its time on the device that opens it.")
    assert table.frame.loc["page", "one digit"] == "shown by the page"
    assert table.frame.loc["page", "memory for weights"] == "not measured"
    assert table.frame.loc["page", "test accuracy"] == "as NumPy"
    assert table.frame.loc["A", "memory for weights"] == "407,080 bytes"
    assert table.frame.loc["A"].tolist()[2:] == ["12 microseconds", "85.4%"]
    close = deployment_table([*rows, Deployment("C", 300, 7, times[2], 0.85)])
    assert "for one digit B and C are the fastest" in close.sentence


def test_the_processor_is_described():
    assert "processor" in processor() and processor().endswith(".")

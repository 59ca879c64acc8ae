"""Deployments: every figure is that of a file which is there, or of a network asked again."""

import numpy as np
import pytest

from mnist_compress.data import flatten
from mnist_compress.deploy import deployments, executorch, onnx_logits
from mnist_compress.measure import dense_file
from mnist_compress.pruning import prune
from mnist_compress.quantization import quantize_model
from mnist_compress.training import evaluate, trained_model

# int8 weights; for each unit a scale and zero point of its weights, a bias with both; three
# activations with a scale and a zero point
ONNX_BYTES = 101_632 + 138 * (4 + 1 + 4 + 4 + 4) + 3 * (4 + 1)


def test_deployments_measure_files_that_are_there(tmp_path, digits, test):
    model = prune(trained_model(), 0.97).train()
    integer = quantize_model(model, digits)
    rows = {row.name: row for row in deployments(model, integer, tmp_path, digits, test)}
    names = ["PyTorch float32", "ONNX Runtime float32", "ONNX Runtime int8",
             *["ExecuTorch int8"] * executorch.installed(), "NumPy int8, packed", "page"]
    assert list(rows) == names and model.training
    files = {"ONNX Runtime float32": "float.onnx", "ONNX Runtime int8": "int8.onnx",
             "ExecuTorch int8": "int8.pte", "NumPy int8, packed": "digits.mc",
             "page": "digits.html"}
    assert rows["PyTorch float32"].file_bytes == dense_file("", model, test).bytes
    for name in names[1:]:
        assert rows[name].file_bytes == (tmp_path / files[name]).stat().st_size
    for name, network in (("PyTorch float32", model), ("ONNX Runtime float32", model),
                          ("NumPy int8, packed", integer)):
        assert rows[name].accuracy == pytest.approx(evaluate(network, test).accuracy)
    found = onnx_logits(tmp_path / "int8.onnx", flatten(test.images)).argmax(1)
    right = np.mean(found == test.labels.numpy())
    assert rows["ONNX Runtime int8"].accuracy == pytest.approx(right)
    held = {"PyTorch float32": 4 * 101_770, "ONNX Runtime float32": 4 * 101_770,
            "ONNX Runtime int8": ONNX_BYTES, "ExecuTorch int8": 101_632 + 8 * 138,
            "NumPy int8, packed": 101_632 + 4 * 138, "page": None}
    assert {name: row.memory_bytes for name, row in rows.items()} == {
        name: held[name] for name in names}
    page = rows.pop("page")
    assert page.time is page.accuracy is None
    assert all(row.time.median > 0 and row.time.batch == 1 and row.time.name == name
               for name, row in rows.items())

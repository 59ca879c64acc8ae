"""ONNX files: the same digits as PyTorch, and int8 logits that NumPy repeats bit for bit."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch.nn.utils import prune as torch_prune

import mnist_compress
from mnist_compress.data import flatten, load_full
from mnist_compress.deploy.onnx import (
    export_onnx,
    load_onnx,
    numpy_logits,
    onnx_layers,
    onnx_logits,
    processor,
    quantize_onnx,
)
from mnist_compress.model import DigitClassifier
from mnist_compress.training import evaluate, train

ROOT = Path(mnist_compress.__file__).parents[1]


def test_files_say_nothing_of_this_machine(onnx_files):
    for path in onnx_files[1:3]:
        content = path.read_bytes()
        assert b"File " not in content and b"mnist_compress" not in content, path.name
        assert onnx.load(path).graph.node and b"+cu" not in content and b"+cpu" not in content


def test_the_float_file_computes_what_torch_does(onnx_files, test):
    model, path, _, sizes = onnx_files
    found = onnx_logits(path, flatten(test.images))
    with torch.no_grad():
        assert np.allclose(found, model(test.inputs).numpy(), atol=1e-4)
    assert sizes[0] == path.stat().st_size > 4 * 101_770


def test_int8_logits_are_numpys_on_every_sample_digit(onnx_files, test):
    _, _, path, sizes = onnx_files
    pixels = flatten(test.images)
    found, again = onnx_logits(path, pixels), numpy_logits(path, pixels)
    assert found.shape == again.shape == (3000, 10) and again.dtype == found.dtype == np.float32
    assert np.array_equal(found.view(np.int32), again.view(np.int32))
    assert len(np.unique(found)) > 100  # so that equality says something
    assert 101_770 < sizes[1] == path.stat().st_size < 115_000


def test_int8_logits_are_numpys_on_the_official_digits(onnx_files, official):
    digits = load_full(official)[1]
    pixels = flatten(digits.images)
    found, again = onnx_logits(onnx_files[2], pixels), numpy_logits(onnx_files[2], pixels)
    assert found.shape == (10_000, 10)
    assert np.count_nonzero(found.view(np.int32) != again.view(np.int32)) == 0


def test_int8_keeps_the_accuracy(onnx_files, test):
    found = onnx_logits(onnx_files[2], flatten(test.images)).argmax(1)
    accuracy = (found == test.labels.numpy()).mean()
    assert abs(accuracy - evaluate(onnx_files[0], test).accuracy) < 0.01


def test_a_single_digit_has_the_logits_it_has_in_a_batch(onnx_files, test):
    pixels = flatten(test.images)[::97]
    each = [onnx_logits(onnx_files[2], pixels[i:i + 1]) for i in range(len(pixels))]
    assert np.array_equal(np.concatenate(each), onnx_logits(onnx_files[2], pixels))


def test_the_file_has_seven_bit_weights_with_a_scale_each_row(onnx_files):
    layers = onnx_layers(onnx_files[2])
    assert [layer.weight.shape for layer in layers] == [(128, 784), (10, 128)]
    for layer, linear in zip(layers, onnx_files[0].layers, strict=True):
        assert layer.weight.dtype == np.int8 and abs(layer.weight.astype(int)).max() <= 64
        assert layer.bias.dtype == np.int32 and layer.weight_scale.shape == layer.bias.shape
        back = layer.weight * layer.weight_scale[:, None]
        half = 0.501 * layer.weight_scale[:, None]
        assert (abs(back - linear.weight.detach().numpy()) <= half).all()
    assert layers[0].output_zero == layers[1].input_zero == -128  # which is ReLU


@pytest.mark.parametrize("widths", [(784, 10), (784, 40, 30, 10)])
def test_other_depths(widths, tmp_path, digits, test):
    model = train(digits, digits[:10], widths=widths, epochs=2)[0]
    export_onnx(model, tmp_path / "float.onnx")
    quantize_onnx(tmp_path / "float.onnx", tmp_path / "int8.onnx", digits)
    pixels = flatten(test.images)
    found = onnx_logits(tmp_path / "int8.onnx", pixels)
    assert np.array_equal(found, numpy_logits(tmp_path / "int8.onnx", pixels))
    assert (found.argmax(1) == test.labels.numpy()).mean() > 0.7


def test_neither_torchs_settings_nor_the_model_change(tmp_path, digits):
    """Whatever its dtype and mode, the same file comes out, and the model stays as it was."""
    model = DigitClassifier((784, 5, 10)).train()
    before = {name: part.clone() for name, part in model.state_dict().items()}
    files = tmp_path / "float.onnx", tmp_path / "int8.onnx"

    def written():
        export_onnx(model, files[0])
        quantize_onnx(*files, digits[:20])
        return [file.read_bytes() for file in files]

    wanted = written()
    try:
        torch.set_default_dtype(torch.float64)
        assert written() == wanted
    finally:
        torch.set_default_dtype(torch.float32)
    with torch.no_grad():
        model.double()
        assert written() == wanted
    assert model.training and model.layers[0].weight.dtype == torch.float64
    assert all(torch.equal(before[name], part) for name, part in model.float().state_dict().items())
    assert load_onnx(files[1])(np.zeros((2, 784), np.float32)).shape == (2, 10)


def test_no_other_network_is_exported(tmp_path):
    with pytest.raises(ValueError, match="only a DigitClassifier can be exported; got Linear"):
        export_onnx(torch.nn.Linear(784, 10), tmp_path / "a.onnx")
    hooked = DigitClassifier((784, 5, 10))
    torch_prune.l1_unstructured(hooked.layers[0], "weight", 0.3)
    with pytest.raises(ValueError, match=r"make it plain: torch\.nn\.utils\.prune\.remove"):
        export_onnx(hooked, tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_a_fresh_process_loads_no_runtime_and_says_nothing(tmp_path):
    """Until it exports: then with telemetry off, and two files are all that it leaves."""
    program = """
import os, sys
from mnist_compress import deploy
deploy.export_onnx, deploy.chip.installed(), deploy.deployments
runtimes = {"onnx", "onnxruntime", "onnxscript", "executorch", "IPython", "pandas"}
assert not runtimes & set(sys.modules), runtimes & set(sys.modules)
from mnist_compress.data import load_sample
from mnist_compress.model import DigitClassifier
deploy.export_onnx(DigitClassifier((784, 5, 10)), "float.onnx")
assert "onnxruntime" not in sys.modules
deploy.quantize_onnx("float.onnx", "int8.onnx", load_sample()[0][:20])
assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True,
                          text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert {file.name for file in tmp_path.iterdir()} == {"float.onnx", "int8.onnx"}


def test_the_processor_is_described():
    assert "processor" in processor() and processor().endswith(".")

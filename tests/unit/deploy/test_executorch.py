"""ExecuTorch where it is installed: its file against float32 and against its own rounding."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import mnist_compress
from mnist_compress.deploy import executorch
from mnist_compress.model import DigitClassifier
from mnist_compress.pruning import prune
from mnist_compress.training import trained_model

ROOT = Path(mnist_compress.__file__).parents[1]
needs_executorch = pytest.mark.skipif(not executorch.installed(),
                                      reason="needs the extra [executorch]")


def logits(path, digits):
    """What a file answers to `digits`, float32 (n, 10)."""
    run = executorch.load(path)
    return torch.cat([run(inputs).clone() for inputs in digits.inputs.split(executorch.BATCH)])


def test_bytes_of_the_int8_network():
    model = DigitClassifier((784, 128, 10))
    assert executorch.nbytes(model) == 784 * 128 + 128 * 10 + 8 * 138


def test_silence_covers_the_stream_and_the_descriptor(monkeypatch, capfd):
    """As a notebook does, sys.stderr is another object than file descriptor 2."""
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    with executorch._ready():
        print("hidden", file=sys.stderr, flush=True)
        os.write(2, b"hidden")
    print("seen", file=sys.stderr)
    os.write(2, b"seen too")
    assert (shown.getvalue(), capfd.readouterr().err) == ("seen\n", "seen too")


@pytest.fixture(scope="module")
def files(tmp_path_factory, digits):
    """(model, float file, int8 file, bytes of both)"""
    folder, model = tmp_path_factory.mktemp("executorch"), prune(trained_model(), 0.3)
    paths = folder / "float.pte", folder / "int8.pte"
    return model, *paths, (executorch.export(model, paths[0]),
                           executorch.export(model, paths[1], digits))


@needs_executorch
def test_the_float_file_computes_what_torch_does(files, test):
    model, path, _, sizes = files
    with torch.no_grad():
        wanted = model(test.inputs)
    assert torch.allclose(logits(path, test), wanted, atol=1e-4)
    assert sizes[0] == path.stat().st_size > 4 * 101_770


@needs_executorch
def test_the_int8_file_computes_what_its_own_rounding_says(files, digits, test):
    model, _, path, sizes = files
    found = logits(path, test)
    with torch.no_grad():
        wanted = executorch._quantized_graph(model, digits)(test.inputs[:1000])
    levels = np.unique(found.numpy())
    step = np.diff(levels).min()
    assert len(levels) <= 256 and np.allclose(np.rint(levels / step), levels / step, atol=0.01)
    assert (found[:1000] - wanted).abs().max() < 1.01 * step  # its kernels round ties their way
    assert (found[:1000].argmax(1) == wanted.argmax(1)).float().mean() > 0.99
    assert 101_770 < sizes[1] == path.stat().st_size < 115_000


@needs_executorch
def test_int8_keeps_the_accuracy(files, test):
    scores = [(logits(path, test).argmax(1) == test.labels).float().mean()
              for path in files[1:3]]
    assert abs(scores[0] - scores[1]) < 0.01


@needs_executorch
def test_a_single_digit_has_the_logits_it_has_in_a_batch(files, test):
    some, run = test[::97], executorch.load(files[2])
    each = torch.cat([run(some.inputs[i:i + 1]).clone() for i in range(len(some))])
    assert torch.equal(each, logits(files[2], some))


@needs_executorch
def test_neither_torchs_settings_nor_the_model_change(digits, tmp_path):
    model = DigitClassifier((784, 5, 10)).train()
    paths = tmp_path / "a.pte", tmp_path / "b.pte"
    executorch.export(model, paths[0], digits[:20])
    try:
        torch.set_default_dtype(torch.float64)
        executorch.export(model, paths[1], digits[:20])
    finally:
        torch.set_default_dtype(torch.float32)
    first, second = (logits(path, digits) for path in paths)
    assert torch.equal(first, second) and model.training


@needs_executorch
def test_it_works_in_silence(tmp_path):
    program = """
from mnist_compress.data import load_sample
from mnist_compress.deploy import executorch
from mnist_compress.model import DigitClassifier
digits = load_sample()[0][:20]
executorch.export(DigitClassifier((784, 5, 10)), "a.pte", digits)
executorch.load("a.pte")(digits.inputs)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True,
                          text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

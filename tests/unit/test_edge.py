"""ExecuTorch where it is installed: its file against float32 and against its own rounding; and what
is said where it is not."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import mnist_compress
from mnist_compress.data import load_sample
from mnist_compress.deploy import executorch
from mnist_compress.model import DigitClassifier
from mnist_compress.pruning import prune
from mnist_compress.training import trained_model

ROOT = Path(mnist_compress.__file__).parents[1]
needs_executorch = pytest.mark.skipif(not executorch.installed(), reason=f"needs {executorch.INSTALL}")


@pytest.fixture(scope="module")
def test_digits():
    return load_sample()[1]


def test_without_it_an_error_says_how_to_get_it(monkeypatch, tmp_path, test_digits):
    monkeypatch.setattr(executorch, "installed", lambda: False)
    model = DigitClassifier((784, 5, 10))
    for call in (lambda: executorch.export_edge(model, tmp_path / "a.pte"),
                 lambda: executorch.quantized_graph(model, test_digits[:9]),
                 lambda: executorch.edge_network(tmp_path / "a.pte")):
        with pytest.raises(ImportError, match=r"the course does not need it.*\.\[executorch\]"):
            call()
    assert executorch.edge_latency(model, tmp_path, test_digits[:9], test_digits) == []
    assert not list(tmp_path.iterdir())


def test_looking_for_it_imports_nothing():
    program = ("import sys; from mnist_compress import edge; executorch.installed(); "
               "print('executorch' in sys.modules)")
    found = subprocess.check_output([sys.executable, "-c", program], text=True,
                                    env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert found.strip() == "False"


def test_bytes_of_the_int8_network():
    model = DigitClassifier((784, 128, 10))
    assert executorch.edge_bytes(model) == 784 * 128 + 128 * 10 + 8 * 138


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """(model, float file, int8 file, bytes of both)"""
    folder, model = tmp_path_factory.mktemp("edge"), prune(trained_model(), 0.3)
    paths = folder / "float.pte", folder / "int8.pte"
    sizes = (executorch.export_edge(model, paths[0]),
             executorch.export_edge(model, paths[1], load_sample()[0]))
    return model, *paths, sizes


@needs_executorch
def test_the_float_file_computes_what_torch_does(files, test_digits):
    model, path, _, sizes = files
    with torch.no_grad():
        wanted = model(test_digits.inputs)
    assert torch.allclose(executorch.edge_logits(path, test_digits), wanted, atol=1e-4)
    assert sizes[0] == path.stat().st_size > 4 * 101_770


@needs_executorch
def test_the_int8_file_computes_what_its_own_rounding_says(files, test_digits):
    model, _, path, sizes = files
    found = executorch.edge_logits(path, test_digits)
    with torch.no_grad():
        wanted = executorch.quantized_graph(model, load_sample()[0])(test_digits.inputs[:1000])
    levels = np.unique(found.numpy())
    step = np.diff(levels).min()
    assert len(levels) <= 256 and np.allclose(np.rint(levels / step), levels / step, atol=0.01)
    assert (found[:1000] - wanted).abs().max() < 1.01 * step  # its kernels round ties their way
    assert (found[:1000].argmax(1) == wanted.argmax(1)).float().mean() > 0.99
    assert 101_770 < sizes[1] == path.stat().st_size < 115_000


@needs_executorch
def test_int8_keeps_the_accuracy(files, test_digits):
    scores = [(executorch.edge_logits(path, test_digits).argmax(1) == test_digits.labels).float().mean()
              for path in files[1:3]]
    assert abs(scores[0] - scores[1]) < 0.01


@needs_executorch
def test_a_single_digit_has_the_logits_it_has_in_a_batch(files, test_digits):
    some, run = test_digits[::97], executorch.edge_network(files[2])
    each = torch.cat([run(some.inputs[i:i + 1]).clone() for i in range(len(some))])
    assert torch.equal(each, executorch.edge_logits(files[2], some))


@needs_executorch
def test_rows_for_the_ledger(files, test_digits, tmp_path):
    rows = executorch.edge_latency(files[0], tmp_path, load_sample()[0][:100], test_digits, (1, 32), 3)
    assert [(row.name, row.batch) for row in rows] == [
        (f"ExecuTorch {kind}", batch) for batch in (1, 32) for kind in ("float32", "int8")]
    assert all(0 < row.low <= row.median <= row.high for row in rows)
    assert rows[0].ratio == rows[2].ratio == 1
    with pytest.raises(ValueError, match="batches must be at most 1000; got 1001"):
        executorch.edge_latency(files[0], tmp_path, test_digits, test_digits, (1001,))


@needs_executorch
def test_wrong_input_is_quoted(test_digits, tmp_path):
    with pytest.raises(ValueError, match="at least one digit to calibrate on; got 0"):
        executorch.export_edge(DigitClassifier((784, 5, 10)), tmp_path / "a.pte", test_digits[:0])
    (tmp_path / "half.pte").write_bytes(b"no program")
    with pytest.raises(ValueError, match=r"half\.pte is no ExecuTorch program"):
        executorch.edge_network(tmp_path / "half.pte")


@needs_executorch
def test_it_works_in_silence(tmp_path):
    program = """
from mnist_compress import edge
from mnist_compress.data import load_sample
from mnist_compress.model import DigitClassifier
digits = load_sample()[0][:20]
executorch.export_edge(DigitClassifier((784, 5, 10)), "a.pte", digits)
executorch.edge_logits("a.pte", digits)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True,
                          text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_silence_covers_the_stream_and_the_descriptor():
    """As a notebook does, sys.stderr is another object than file descriptor 2."""
    program = ("import io, os, sys; from mnist_compress import edge\n"
               "sys.stderr = shown = io.StringIO()\n"
               "with executorch._silent():\n"
               "    print('hidden', file=sys.stderr, flush=True); os.write(2, b'hidden')\n"
               "print('seen', file=sys.stderr); os.write(2, b'seen too')\n"
               "print(shown.getvalue())")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert (done.stdout.strip(), done.stderr) == ("seen", "seen too")

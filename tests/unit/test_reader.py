"""The torch-free reader: the same integers as torch, on every digit, with only NumPy installed."""

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

import mnist_compress
from mnist_compress.data import flatten, load_sample
from mnist_compress.packed.file import pack, save_packed
from mnist_compress.packed.header import (
    CODERS,
    PackedFileError,
    PackedLayer,
    PackedNetwork,
    spread_2x2,
)
from mnist_compress.packed.reader import PackedClassifier
from mnist_compress.pruning import prune
from mnist_compress.quantization import quantize_model
from mnist_compress.training import trained_model

PROGRAM = """
import sys
class Nothing:  # only NumPy may be imported, whatever else is installed
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('torch', 'constriction', 'pandas', 'onnx', 'onnxruntime'):
            raise ImportError(f'{name} is not there')
sys.meta_path.insert(0, Nothing())
import json, numpy
from mnist_compress.reader import PackedClassifier
pixels = numpy.load(sys.argv[2])
model = PackedClassifier.load(sys.argv[1])
numpy.save(sys.argv[3], model.logits(pixels))
foreign = {name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)
print(json.dumps(sorted(foreign)))
"""


@pytest.fixture(scope="module")
def integer():
    """The course's network with 97 % zeros: small enough to pack in a second."""
    return quantize_model(prune(trained_model(), 0.97), load_sample()[0])


@pytest.fixture(scope="module")
def pixels():
    """All 4,000 test digits of the sample, uint8 (4000, 784)."""
    return flatten(load_sample()[1].images)


def by_loops(network, digit):
    """One digit through the integer network in Python's own integers, as the design states it."""
    values = [int(value) for value in digit]
    for layer in network.layers:
        sums = [sum(w * v for w, v in zip(row, values, strict=True) if w) + bias
                for row, bias in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)]
        if layer.shift is None:
            return sums
        m, s = (np.broadcast_to(part, len(sums)).tolist()
                for part in (layer.multiplier, layer.shift))
        values = [min((max(0, total) * m[i] + 2 ** (s[i] - 1)) // 2 ** s[i], 255)
                  for i, total in enumerate(sums)]


def deep_network(seed=0):
    """Three layers, 2x2 sharing and a scale for each unit: what the course's network lacks."""
    rng = np.random.default_rng(seed)

    def layer(inputs, units, hidden):
        weight = rng.choice([-90, -30, 0, 0, 30, 127], (units, inputs)).astype(np.int8)
        bias = rng.integers(-9000, 9000, units).astype(np.int32)
        size = (units,) if hidden else ()
        rest = [rng.integers(2**20, 2**24, size).astype(np.int32),
                rng.integers(33, 37, size).astype(np.int32)] if hidden else []
        return PackedLayer(weight, bias, np.full(size, 0.01, np.float32), *rest)

    layers = [layer(196, 20, True), layer(20, 15, True), layer(15, 10, False)]
    layers[0].weight = spread_2x2(layers[0].weight)
    return PackedNetwork(layers)


@pytest.mark.parametrize("per_channel", [False, True])
def test_same_logits_as_torch_on_every_digit(pixels, per_channel):
    model = quantize_model(prune(trained_model(), 0.97), load_sample()[0], per_channel=per_channel)
    found = PackedClassifier(pack(model, reorder=True)).logits(pixels.numpy())
    assert found.dtype == np.int32 and found.shape == (4000, 10)
    assert np.count_nonzero(found != model.sums(pixels).numpy()) == 0


def test_same_logits_as_plain_python(integer, pixels):
    some = pixels.numpy()[::400]
    for network in (integer, deep_network()):
        reader = PackedClassifier(pack(network))
        assert reader.logits(some).tolist() == [by_loops(network, digit) for digit in some]


def test_hidden_values_of_the_deep_network_differ(pixels):
    """Or the comparison above would not see a wrong rescaling."""
    network, some = deep_network(), pixels.numpy()[::40]
    first = network.layers[0]
    sums = np.maximum(some.astype(np.int64) @ first.weight.T + first.bias, 0) * first.multiplier
    exact = sums / 2.0**first.shift
    assert ((exact > 1) & (exact < 254)).mean() > 0.2 and (exact > 255.5).any()


def test_predict_takes_pictures_and_rows(integer, pixels, tmp_path):
    save_packed(integer, tmp_path / "digits.mc")
    model, images = PackedClassifier.load(tmp_path / "digits.mc"), load_sample()[1].images.numpy()
    wanted = integer.sums(pixels).argmax(1).numpy()
    assert np.array_equal(model.predict(images), wanted)
    assert np.array_equal(model.predict(pixels.numpy()), wanted)
    assert model.logits(images[:0]).shape == (0, 10)


@pytest.mark.parametrize("wrong", [
    np.zeros((2, 784), np.float32), np.zeros((2, 783), np.uint8), np.zeros(784, np.uint8),
    np.zeros((2, 28, 27), np.uint8), np.zeros((), np.uint8)])
def test_wrong_pixels_are_quoted(integer, wrong):
    with pytest.raises(ValueError, match="784 for each digit") as error:
        PackedClassifier(pack(integer)).logits(wrong)
    assert str(wrong.dtype) in str(error.value) and str(wrong.shape) in str(error.value)


@pytest.mark.parametrize("coder", [name for name in CODERS if name != "record"])
def test_other_coders_are_named(coder):
    with pytest.raises(PackedFileError, match=f"knows the coder record, not {coder}"):
        PackedClassifier(pack(deep_network(), coder))


def test_damage_is_rejected(integer):
    data = bytearray(pack(integer))
    data[len(data) // 2] ^= 16
    with pytest.raises(PackedFileError, match="checksum"):
        PackedClassifier(bytes(data))


def run_alone(python, root, folder, model, pixels):
    """Run PROGRAM in a process of its own: (logits, modules that are not Python's own)."""
    save_packed(model, folder / "digits.mc")
    np.save(folder / "pixels.npy", pixels.numpy())
    files = [str(folder / name) for name in ("digits.mc", "pixels.npy", "logits.npy")]
    done = subprocess.run([str(python), "-c", f"import sys; sys.path.insert(0, {str(root)!r})"
                           + PROGRAM, *files], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    return np.load(files[2]), json.loads(done.stdout)


def test_runs_where_torch_cannot_be_imported(integer, pixels, tmp_path):
    root = Path(mnist_compress.__file__).parents[1]
    found, modules = run_alone(sys.executable, root, tmp_path, integer, pixels)
    assert np.array_equal(found, integer.sums(pixels).numpy())
    assert "torch" not in modules and "constriction" not in modules and "numpy" in modules


def test_runs_with_only_numpy_installed(integer, pixels, tmp_path):
    """A new environment that holds Python, a copy of NumPy and four files of ours."""
    venv.create(tmp_path / "bare", with_pip=False, symlinks=sys.platform != "win32")
    python = tmp_path / "bare" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    where = "import sysconfig; print(sysconfig.get_paths()['platlib'])"
    site = Path(subprocess.check_output([str(python), "-c", where], text=True).strip())
    source = Path(np.__file__).parents[1]
    for name in ("numpy", "numpy.libs"):
        if (source / name).is_dir():
            shutil.copytree(source / name, site / name,
                            ignore=shutil.ignore_patterns("tests", "__pycache__"))
    ours, package = Path(mnist_compress.__file__).parent, tmp_path / "ours" / "mnist_compress"
    package.mkdir(parents=True)
    for name in ("__init__.py", "packed_format.py", "packed_decoder.py", "reader.py"):
        shutil.copy(ours / name, package)
    missing = subprocess.run([str(python), "-c", "import torch"], capture_output=True, text=True)
    assert "No module named 'torch'" in missing.stderr
    found, modules = run_alone(python, package.parent, tmp_path, integer, pixels)
    assert np.array_equal(found, integer.sums(pixels).numpy())
    assert set(modules) == {"__main__", "mnist_compress", "numpy"}

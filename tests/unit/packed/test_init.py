"""What `mnist_compress.packed` hands out works where Python has nothing but NumPy."""

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

import mnist_compress
from mnist_compress import packed
from mnist_compress.pruning import prune
from mnist_compress.quantization import quantize_model
from mnist_compress.training import trained_model

PACKAGE = Path(mnist_compress.__file__).parent
PROGRAM = """
import sys
class Nothing:  # only NumPy may be imported, whatever else is installed
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('torch', 'constriction', 'pandas', 'onnx', 'onnxruntime'):
            raise ImportError(f'{name} is not there')
sys.meta_path.insert(0, Nothing())
import json, numpy
from mnist_compress import packed
pixels = numpy.load(sys.argv[1])
for path in sys.argv[2:]:
    numpy.save(path + '.npy', packed.load(path).logits(pixels))
foreign = {name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)
print(json.dumps(sorted(foreign)))
"""


@pytest.fixture(scope="module")
def integer(digits):
    """The course's network with 97 % zeros: small enough to pack in a second."""
    return quantize_model(prune(trained_model(), 0.97), digits)


def run_alone(python, root, folder, integer, digits):
    """Run PROGRAM in a process of its own, check its logits; the modules not Python's own."""
    pixels = digits.images.numpy()
    np.save(folder / "pixels.npy", pixels)
    files = [str(folder / codec) for codec in packed.CODECS if codec != "order0"]
    for path in files:
        packed.save(integer, path, Path(path).name)
    done = subprocess.run([str(python), "-c", f"import sys; sys.path.insert(0, {str(root)!r})"
                           + PROGRAM, str(folder / "pixels.npy"), *files],
                          capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    for path in files:
        found = np.load(path + ".npy")
        assert found.dtype == np.int32 and found.shape == (len(digits), 10)
        assert np.array_equal(found, integer.logits(pixels))
    return json.loads(done.stdout)


def test_it_runs_where_torch_cannot_be_imported(integer, test, tmp_path):
    modules = run_alone(sys.executable, PACKAGE.parent, tmp_path, integer, test)
    assert "torch" not in modules and "constriction" not in modules and "numpy" in modules


def test_it_runs_with_only_numpy_installed(integer, test, tmp_path):
    """A new environment that holds Python, a copy of NumPy and a few files of ours."""
    venv.create(tmp_path / "bare", with_pip=False, symlinks=sys.platform != "win32")
    python = tmp_path / "bare" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    where = "import sysconfig; print(sysconfig.get_paths()['platlib'])"
    site = Path(subprocess.check_output([str(python), "-c", where], text=True).strip())
    source = Path(np.__file__).parents[1]
    for name in ("numpy", "numpy.libs"):
        if (source / name).is_dir():
            shutil.copytree(source / name, site / name,
                            ignore=shutil.ignore_patterns("tests", "__pycache__"))
    ours = tmp_path / "ours" / "mnist_compress"
    ours.mkdir(parents=True)
    shutil.copytree(PACKAGE / "integer", ours / "integer")
    shutil.copy(PACKAGE / "__init__.py", ours)
    shutil.copytree(PACKAGE / "packed", ours / "packed")
    missing = subprocess.run([str(python), "-c", "import torch"], capture_output=True, text=True)
    assert "No module named 'torch'" in missing.stderr
    modules = run_alone(python, ours.parent, tmp_path, integer, test)
    assert set(modules) == {"__main__", "mnist_compress", "numpy"}

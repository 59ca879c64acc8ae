"""Files that several tests read."""

import pytest

from mnist_compress.data import load_sample
from mnist_compress.deploy import export_onnx, quantize_onnx
from mnist_compress.pruning import prune
from mnist_compress.training import trained_model


@pytest.fixture(scope="package")
def onnx_files(tmp_path_factory):
    """The course's pruned network: (model, float file, int8 file, bytes of both)."""
    folder, model = tmp_path_factory.mktemp("onnx"), prune(trained_model(), 0.3)
    paths = folder / "float.onnx", folder / "int8.onnx"
    sizes = export_onnx(model, paths[0]), quantize_onnx(*paths, load_sample()[0])
    return model, *paths, sizes

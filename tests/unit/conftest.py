"""What many tests start from: the sample, MNIST's official files, the trained network, its integer
form."""

import os
from pathlib import Path

import hypothesis
import pytest
import torch

from mnist_compress.data import load_sample
from mnist_compress.official import _SHA256, DataError, _checked
from mnist_compress.quantization import quantize_model
from mnist_compress.training import trained_model

torch.set_num_threads(1)
hypothesis.settings.register_profile(  # no deadline: other programs may hold us up
    "course", deadline=None, max_examples=int(os.environ.get("EXAMPLES", "50")))
hypothesis.settings.load_profile("course")


@pytest.fixture(scope="session")
def digits():
    return load_sample()[0]


@pytest.fixture(scope="session")
def validation():
    return load_sample()[1]


@pytest.fixture(scope="session")
def test():
    return load_sample()[2]


def official_folder():
    """Where MNIST's four official .gz files are, itself or in torchvision's layout, or None.

    Looks in $MNIST_COMPRESS_TEST_DATA, or else $MNIST_COMPRESS_DATA, or else in shared/mnist beside
    the repository. (official.full_is_here looks into ./data too, and tests need the packed files.)
    """
    named = os.environ.get("MNIST_COMPRESS_TEST_DATA") or os.environ.get("MNIST_COMPRESS_DATA")
    beside = Path(__file__).resolve().parents[3] / "shared" / "mnist"
    folder = Path(named).expanduser().absolute() if named else beside
    return next((place for place in (folder, folder / "MNIST" / "raw")
                 if all(_is_official(place / f"{name}.gz", name) for name in _SHA256)), None)


def _is_official(path, name):
    """Whether the file is there and whole: others of its name change no test's result."""
    try:
        return bool(_checked(path, name))
    except DataError:
        return False


@pytest.fixture(scope="session")
def official():
    """The folder of MNIST's official files; skips a test where there is none."""
    folder = official_folder()
    if folder is None:
        pytest.skip("MNIST's four official .gz files are not here; set MNIST_COMPRESS_TEST_DATA to "
                    "their folder")
    return folder


@pytest.fixture
def model():
    return trained_model()


@pytest.fixture(scope="session")
def integer(digits):
    return quantize_model(trained_model(), digits)

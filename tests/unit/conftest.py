"""What many tests start from: the sample, the trained network, its integer form."""

import pytest
import torch

from mnist_compress.data import load_sample
from mnist_compress.quantization import quantize_model
from mnist_compress.training import trained_model

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def digits():
    return load_sample()[0]


@pytest.fixture(scope="session")
def test():
    return load_sample()[1]


@pytest.fixture
def model():
    return trained_model()


@pytest.fixture(scope="session")
def integer(digits):
    return quantize_model(trained_model(), digits)

"""A tenth of the training digits."""

import pytest


@pytest.fixture(scope="session")
def few(digits):
    return digits[::10]

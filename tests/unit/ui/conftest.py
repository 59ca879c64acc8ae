"""Every test of the screen begins as a learner who has guessed and answered nothing."""

import pytest

from mnist_compress.ui import state


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Keep the state in a fresh folder, named by the environment variable, not yet made."""
    monkeypatch.setattr(state, "_unsaved", [])
    monkeypatch.setenv("MNIST_COMPRESS_STATE", str(tmp_path / "deep" / "state"))
    return tmp_path / "deep" / "state"

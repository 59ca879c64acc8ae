"""Every test of the screen begins as a learner who has guessed and answered nothing."""

from types import SimpleNamespace

import pytest

from mnist_compress.ui import state

NOW = 1_700_000_000


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """A clock that stands still: set `clock.now` to let time pass."""
    clock = SimpleNamespace(now=NOW, time=lambda: clock.now)
    monkeypatch.setattr(state, "time", clock)
    return clock


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Keep the state in a fresh folder, named by the environment variable, not yet made."""
    monkeypatch.setattr(state, "_unsaved", [])
    monkeypatch.setattr(state, "_trouble", "")
    monkeypatch.setenv("MNIST_COMPRESS_STATE", str(tmp_path / "deep" / "state"))
    return tmp_path / "deep" / "state"

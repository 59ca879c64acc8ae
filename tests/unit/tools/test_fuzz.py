"""2,000 damaged files end well, and the tool that says so notices when one does not."""

import pytest

from mnist_compress.packed import CODECS
from mnist_compress.packed.header import Port
from tools import fuzz as tool


def test_two_thousand_damaged_files():
    report = tool.fuzz(2000, seed=1)
    print("\n".join(report.lines()))
    assert not report.failures
    assert report.total("damaged") == 2000 and report.total("accepted") == 0
    assert report.total("past") >= 1000
    for codec in (*CODECS, tool.CONVOLUTIONS):
        assert report.outcomes[codec, "past"] >= 150
        assert report.outcomes[codec, "decoded"] >= 10
    assert len(report.problems) > 15  # many different checks have spoken


def test_the_same_seed_gives_the_same_report():
    first, again, other = (tool.fuzz(300, seed) for seed in (3, 3, 4))
    assert first.outcomes == again.outcomes and first.problems == again.problems
    assert first.problems != other.problems


class Crash(BaseException):
    """Stands for a panic inside a compiled library."""


@pytest.mark.parametrize("error", [IndexError("boom"), MemoryError(), Crash("boom")])
def test_an_error_of_another_kind_is_a_failure(monkeypatch, error):
    def broken(data):
        raise error

    monkeypatch.setattr(tool, "unpack", broken)
    report = tool.fuzz(10)
    assert len(report.failures) == 10
    assert type(error).__name__ in report.failures[0][1]
    assert any("FAILED" in line for line in report.lines())


def test_a_network_outside_the_limits_is_a_failure(monkeypatch):
    whole = tool.seeds()[0][1]
    read = tool.unpack

    monkeypatch.setattr(tool, "unpack", lambda data: read(whole, trusted=True))
    assert all("wrong checksum" in what for _, what, _ in tool.fuzz(20).failures)
    assert tool.fuzz(20).failures
    monkeypatch.setitem(Port.LIMITS, "weights", 10)
    assert len(tool.fuzz(20).failures) == 20
    assert "too many weights" in tool.fuzz(20).failures[0][1]


def test_a_slow_file_is_a_failure(monkeypatch):
    monkeypatch.setattr(tool, "SLOWEST", 0.0)
    assert len(tool.fuzz(5).failures) == 5

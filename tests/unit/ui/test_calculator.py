"""The arithmetic of a unit, line by line."""

from mnist_compress import trace
from mnist_compress.ui import show_unit


def test_one_unit():
    traced = trace.UnitTrace(3, ((9, 255, -127, -32385), (10, 2, 3, 6)), 102, 5000, -7, -27386,
                             16099809, 36, 0, 0.0221769, 0.25)
    told = show_unit(traced)
    assert repr(told) == str(told) == "\n".join([
        "pixel   9: 255 x -127 =     -32,385",
        "pixel  10:   2 x    3 =           6",
        "102 other products            5,000",
        "bias                             -7",
        "accumulator                 -27,386",
        f"m / 2**s = 16,099,809 / 2**36 = {16099809 / 2**36:.10f}",
        f"0 x {16099809 / 2**36:.10f} = 0.00, rounded and at most 255: 0",
        "0 x 0.0221769 = 0.000; the pruned float network has 0.250"])
    positive = show_unit(trace.UnitTrace(
        3, ((9, 200, 5, 1000),), 0, 0, 301, 1301, 5, 4, 255, 0.02, 5.1)).splitlines()
    assert positive[3:] == [
        "m / 2**s = 5 / 2**4 = 0.3125000000",
        "1,301 x 0.3125000000 = 406.56, rounded and at most 255: 255",
        "255 x 0.0200000 = 5.100; the pruned float network has 5.100"]
    assert not any("other" in line for line in positive)

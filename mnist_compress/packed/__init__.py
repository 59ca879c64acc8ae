"""Packed files: an integer network <-> as few bytes as possible.

Read `file.py` first: `pack` and `unpack`, and the table CODECS. Then `port.py` (how a file is
written and read by the same lines, and what a reader refuses), `header.py` (what every file begins
with), `plain.py` (three simple formats), `range_coder.py`, `context_mixing.py` (the smallest files)
and `breakdown.py`. NumPy alone is enough, but for the range coder, which is that of constriction.
"""

from .breakdown import breakdown
from .file import CODECS, load, pack, save, unpack
from .port import PackedFileError

__all__ = ["CODECS", "PackedFileError", "breakdown", "load", "pack", "save", "unpack"]

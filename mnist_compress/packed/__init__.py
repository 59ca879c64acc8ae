"""Packed files: an integer network <-> as few bytes as possible.

Read `file.py` first: `pack`, `unpack` and the table CODECS. Then `header.py` (how the same lines
write and read a file, and what a reader refuses), `plain.py` (three simple formats),
`range_coder.py`, `context_mixing.py` (the smallest files) and `breakdown.py`. NumPy alone is enough
for all but the range coder, which is that of constriction.
"""

from .breakdown import breakdown
from .file import CODECS, load, pack, save, unpack
from .header import PackedFileError

__all__ = ["CODECS", "PackedFileError", "breakdown", "load", "pack", "save", "unpack"]

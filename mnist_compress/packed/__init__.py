"""Packed files: an integer network <-> as few bytes as possible.

Read `file.py` first: `pack`, `unpack` and the table CODECS. Then `header.py` (how the same lines
write and read a file), `rules.py` (what neither does), `plain.py` (three simple formats),
`range_coder.py` (constriction's, or the same in Python in `words.py` where it has no wheel),
`context_mixing.py` (the smallest files) and `convolutions.py` (the same for another kind of layer).
NumPy is enough for all.
"""

from .file import CODECS, breakdown, load, pack, save, stream_of, unpack
from .header import PackedFileError

__all__ = ["CODECS", "PackedFileError", "breakdown", "load", "pack", "save", "stream_of",
           "unpack"]

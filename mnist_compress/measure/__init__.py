"""What a network costs: `from mnist_compress import measure`.

`files` counts bytes of files really written, `speed` multiplications and microseconds, `answers`
the digits that are read differently; `energy` estimates by published tables. Each takes any network
of Linear and Conv2d layers, unless it says otherwise.
"""

from .answers import ChangedAnswers, by_digit, changed_answers, confidence
from .energy import energy
from .files import (
    FileRow,
    csr_files,
    dense_file,
    integer_file,
    masked_file,
    packed_file,
    torchao_file,
)
from .speed import LatencyRow, latency, latency_rows, multiply_adds

__all__ = [
    "ChangedAnswers", "FileRow", "LatencyRow", "by_digit", "changed_answers",
    "confidence", "csr_files", "dense_file", "energy", "integer_file", "latency", "latency_rows",
    "masked_file", "multiply_adds", "packed_file", "torchao_file"]

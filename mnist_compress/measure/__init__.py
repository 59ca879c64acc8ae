"""What a network costs: `from mnist_compress import measure`.

`files` counts bytes of files really written, `speed` multiplications and microseconds, `answers`
the digits that are read differently; `energy` estimates by published tables. Each takes any network
of Linear and Conv2d layers, unless it says otherwise.
"""

from .answers import ChangedAnswers, by_digit, changed_answers, confidence  # noqa: F401
from .energy import energy  # noqa: F401
from .files import (  # noqa: F401
    FileRow,
    csr_files,
    dense_file,
    integer_file,
    masked_file,
    packed_file,
    torchao_file,
)
from .speed import LATENCY_ROWS, LatencyRow, latency, latency_rows, multiply_adds  # noqa: F401

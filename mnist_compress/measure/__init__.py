"""What a model costs: bytes of a real file, multiply-adds, microseconds, changed answers."""

from .answers import ChangedAnswers, changed_answers  # noqa: F401
from .files import (  # noqa: F401
    COMPRESSIONS,
    INDEX_TYPES,
    FileRow,
    csr_file,
    csr_ledger,
    dense_file,
    integer_file,
    masked_file,
    measure_file,
    packed_file,
    torchao_file,
)
from .speed import (  # noqa: F401
    LATENCY_ROWS,
    LatencyRow,
    check_batches,
    latency,
    latency_ledger,
    multiply_adds,
    sparse_forward,
)

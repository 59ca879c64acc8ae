"""What the bytes of a packed file are for."""

from .file import read
from .header import Port

_LABELS = ("header", "positions", "signs", "magnitudes", "scales", "biases")


def breakdown(data: bytes, trusted: bool = False) -> dict[str, int]:
    """bytes of a packed file -> how many of them are for what; the sum is len(data).

    The bytes of a stream are shared out by the information they carry, rounded to whole bytes by
    largest remainder. trusted: see `unpack`. PackedFileError.
    """
    port = Port(data, trusted)
    read(port)
    stream, carried = port.sizes["stream"], sum(port.shares.values())
    exact = {label: port.sizes[label] + stream * port.shares[label] / max(carried, 1e-9)
             for label in _LABELS}
    whole = {label: int(size) for label, size in exact.items()}
    for label in sorted(exact, key=lambda label: whole[label] - exact[label]):
        whole[label] += sum(whole.values()) < len(data)
    return whole

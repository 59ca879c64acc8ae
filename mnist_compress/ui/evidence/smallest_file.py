"""What decides the questions of 07_smallest_file."""

from math import log2

import torch

from ...packed.header import Port
from ...packed.range_coder import order0


def _coded_bits():
    bits = torch.zeros(80_000, dtype=torch.int8)
    bits[torch.randperm(len(bits), generator=torch.Generator().manual_seed(0))[::8]] = 1
    port = Port()
    order0(port, bits.view(200, -1).numpy())
    written = len(port.out) - len(Port().out)
    one, zero = -log2(1 / 8), -log2(7 / 8)
    return (f"-log2(1/8) = {one:g} bits for a 1, -log2(7/8) = {zero:.2f} for a 0: {one / 8:.3f} + "
            f"{7 * zero / 8:.3f} = {one / 8 + 7 * zero / 8:.3f} a bit. Of {len(bits):,} such bits, "
            f"the range coder of notebook 07 makes {8 * written / len(bits):.2f} a bit.")

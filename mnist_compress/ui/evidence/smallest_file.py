"""What decides the questions of 07_smallest_file."""

from math import log2

import numpy as np
import torch

from ... import pretrained
from ...compress import distillation_loss
from ...integer import IntegerLayer, IntegerNetwork
from ...packed import breakdown, pack
from ...packed.header import Port
from ...packed.range_coder import order0


def _three_formats():
    rng = np.random.default_rng(0)
    weight = rng.integers(1, 128, (100, 1000)).astype(np.int8)
    weight[rng.permuted(np.tile(np.arange(1000) >= 100, (100, 1)), axis=1)] = 0
    layer = IntegerLayer(weight, np.zeros(100, np.int32), np.array(0.01, np.float32))
    sizes = {codec: len(pack(IntegerNetwork([layer]), codec))
             for codec in ("dense", "bitmask", "csr")}
    told = ", ".join(f"{codec} {size:,}" for codec, size in sizes.items())
    return (f"{np.count_nonzero(weight):,} of {weight.size:,} weights are not zero. Bytes of the "
            f"files: {told}. The smallest is {min(sizes, key=sizes.get)}.")


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


def _parts_of_thousand():
    parts = breakdown(pretrained.path("thousand").read_bytes())
    told = ", ".join(f"{name} {size}" for name, size in parts.items())
    return (f"The file thousand.mc, bytes: {told}. Half of what signs take is "
            f"{parts['signs'] / 2:g}; half of the file would be {sum(parts.values()) / 2:g}.")


def _what_a_student_hears():
    teacher, labels = torch.tensor([[4.0, 1.0, 0.0]]), torch.tensor([0])
    losses = [distillation_loss(student, teacher, labels, share=1.0).item()
              for student in (teacher, teacher.flip(1))]
    return (f"With the teacher's counting alone, distillation costs a student {losses[0]:.2f} if "
            f"it gives the same probabilities, and {losses[1]:.2f} if it gives them in the "
            "opposite order. What it reads are the copies that augmentation made.")


def _padded_units():
    network = pretrained.load("lenet")
    alive = [int(np.any(layer.weight, axis=1).sum()) for layer in network.layers[:-1]]
    size = pretrained.measured("lenet").mean_bytes
    return (f"Of 300 and 100 hidden units in the file, {alive[0]} and {alive[1]} have weights. "
            f"156,880 / {size:,.0f} = {156_880 / size:.0f}, and 1,066,440 / {size:,.0f} = "
            f"{1_066_440 / size:.0f}.")

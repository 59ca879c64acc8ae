"""What decides questions about packed files, other runtimes, pages and chips."""

import re
import subprocess
import sys
import tempfile
from math import log2
from pathlib import Path

import numpy as np
import torch

from ... import deploy, pretrained
from ...compress import distillation_loss
from ...data import flatten
from ...integer import IntegerLayer, IntegerNetwork
from ...measure import multiply_adds
from ...packed import breakdown, pack
from ...pruning import fine_tune, prune
from ...quantization import quantize_model
from ..microcontroller import on_chip
from . import course


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
    bits = np.zeros(80_000, np.int8)
    bits[torch.randperm(len(bits), generator=torch.Generator().manual_seed(0))[::8]] = 1
    written = len(pack(IntegerNetwork([IntegerLayer(
        bits.reshape(10, -1), np.zeros(10, np.int32), np.array(1, np.float32))]), "order0"))
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


def _two_networks():
    model, train, validation = course()
    pixels = flatten(validation.images).numpy()
    with tempfile.TemporaryDirectory(prefix="mnist_compress-") as folder:
        floats, small = Path(folder, "float.onnx"), Path(folder, "int8.onnx")
        deploy.export_onnx(model, floats)
        deploy.quantize_onnx(floats, small, train)
        theirs, twin = deploy.onnx_logits(small, pixels), deploy.numpy_logits(small, pixels)
    ours = quantize_model(model, train).predict(pixels)
    return (f"ONNX Runtime's logits that its NumPy twin does not have: "
            f"{np.count_nonzero(theirs != twin)} of {twin.size:,}. Answers that differ from our "
            f"integers', which come from the same floats: {(theirs.argmax(1) != ours).sum()} of "
            f"{len(ours):,}.")


def _pairs_of_products():
    told = ", ".join(f"weight {weight}: {2 * 255 * weight:,}" for weight in (15, 64, 127, 128))
    return (f"Two products of the largest pixel, {told}; 16 bits reach {2**15 - 1:,}. The largest "
            f"weight that always fits is {(2**15 - 1) // (2 * 255)}.")


def _modules_loaded():
    program = ("import sys; import numpy as np; from mnist_compress import packed; "
               f"network = packed.load({str(pretrained.path('thousand'))!r}); "
               "answer = network.predict(np.zeros((1, 784), np.uint8)); "
               "print(len(answer), *[name in sys.modules for name in ('numpy', 'torch', "
               "'onnxruntime')])")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          check=True)
    count, numpy, torch, runtime = done.stdout.split()
    return (f"A fresh Python read thousand.mc and answered {count} digit. What it had loaded then: "
            f"numpy {numpy}, torch {torch}, onnxruntime {runtime}.")


def _what_a_page_asks_for():
    with tempfile.TemporaryDirectory(prefix="mnist_compress-") as folder:
        path = Path(folder, "page.html")
        deploy.export_page(pretrained.load("thousand"), path)
        text = path.read_text("utf-8")
    asked = len(re.findall(r"https?:|fetch\(|XMLHttpRequest|<link|src=", text))
    policy = "default-src 'none'" in text
    return (f"A page of one file: {asked} places in it ask for another file or a server; its "
            f"security policy forbids every request: {policy}.")


def _exact_floats():
    model, train, _ = course()
    first = quantize_model(model, train).layers[0]
    reach = first.bound * int(first.multiplier)
    return (f"As float64, 2**53 is {2.0**53:,.0f}, and 2**53 + 1 is {float(2**53 + 1):,.0f}: no "
            f"longer exact. No product of this network is above {reach:,}, {reach / 2**53:.1%} of "
            "that.")


def _zeros_in_a_table():
    model, train, validation = course()
    sparse = quantize_model(fine_tune(prune(model, 0.9), train), train)
    kept, left_out = (_instructions((sparse, encoding), validation)
                      for encoding in ("dense", "gaps"))
    return (f"The same integers, 90 % zeros: {kept:,.0f} instructions with the zeros in the table, "
            f"{left_out:,.0f} without them.")


def _floats_on_a_chip():
    model, train, validation = course()
    products = multiply_adds(model)[0]
    floats, integers = (_instructions(network, validation) / products
                        for network in (model, (quantize_model(model, train), "dense")))
    return (f"For {products:,} products, {floats:.0f} instructions each in float32 and "
            f"{integers:.0f} in int8.")


def _instructions(network, digits):
    """Of one program; `on_chip` draws a bar for more."""
    (row,) = on_chip({"it": network}, digits)
    return row.instructions

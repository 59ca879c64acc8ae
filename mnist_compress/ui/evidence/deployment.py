"""What decides the questions of 08_deployment."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from ... import deploy, pretrained
from ...data import flatten, load_sample
from ...quantization import quantize_model
from ...training import trained_model


def _two_networks():
    train, validation, _ = load_sample()
    model, pixels = trained_model(), flatten(validation.images).numpy()
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
    count, *loaded = done.stdout.split()
    told = ", ".join(f"{name} {found}" for name, found in
                     zip(("numpy", "torch", "onnxruntime"), loaded, strict=True))
    return (f"A fresh Python read thousand.mc and answered {count} digit. What it had loaded then: "
            f"{told}.")


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
    first = quantize_model(trained_model(), load_sample()[0]).layers[0]
    reach = first.bound * int(first.multiplier)
    return (f"As float64, 2**53 is {2.0**53:,.0f}, and 2**53 + 1 is {float(2**53 + 1):,.0f}: no "
            f"longer exact. No product of this network is above {reach:,}, {reach / 2**53:.1%} of "
            "that.")

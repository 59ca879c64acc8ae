"""The course's pruned network in every runtime, and the page in Chromium: a section in Markdown.

    python -m tests.benchmarks.bench_runtimes

One thread. Each runtime's int8 is compared with float32 in the same runtime; the functions take
turns. ExecuTorch is measured where it is installed (pip install '.[executorch]'), the page where
Chromium is found.
"""

import base64
import io
import statistics
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mnist_compress import deploy, measure, packed, pretrained
from mnist_compress.data import flatten, load_sample, normalize
from mnist_compress.deploy import executorch
from mnist_compress.pruning import fine_tune, prune
from mnist_compress.quantization import quantize_model, torchao_quantize
from mnist_compress.training import trained_model
from tests.browser import conftest

BATCHES = (1, 32, 1000)
ROUNDS = 25
TIME = """([text, batch, rounds]) => {
    const all = Uint8Array.from(atob(text), letter => letter.charCodeAt());
    const digits = Array.from({length: batch}, (_, place) =>
        all.subarray(784 * place, 784 * place + 784));
    const times = [];
    for (let round = 0; round < rounds + 5; round++) {
        const began = performance.now();
        let spent = 0, runs = 0;
        for (; spent < 20; runs++, spent = performance.now() - began) digits.forEach(activations);
        times.push(1000 * spent / runs);
    }
    return times.slice(5);
}"""


@dataclass
class Way:
    """One way to compute the answers: the bytes of its file, the network, all its inputs."""

    name: str
    size: int
    network: Callable
    inputs: Any


def saved(model):
    """Bytes of torch.save of its tensors."""
    buffer = io.BytesIO()
    torch.save(model.state_dict(), buffer)
    return len(buffer.getvalue())


def old_torch(model, digits):
    """{name: network} by torch.ao.quantization, deprecated since 2.10."""
    from torch.ao import quantization as old

    layers = [torch.nn.Linear(*reversed(layer.weight.shape)) for layer in model.layers]
    for new, layer in zip(layers, model.layers, strict=True):
        new.load_state_dict(layer.state_dict())
    parts = [part for layer in layers for part in (layer, torch.nn.ReLU())][:-1]
    dynamic = old.quantize_dynamic(torch.nn.Sequential(*parts), {torch.nn.Linear}, torch.qint8)
    static = torch.nn.Sequential(old.QuantStub(), *parts, old.DeQuantStub()).eval()
    static.qconfig = old.get_default_qconfig(torch.backends.quantized.engine)
    static = old.prepare(static)
    static(digits.inputs)
    return {"int8 by torch.ao, dynamic (deprecated)": dynamic,
            "int8 by torch.ao, static (deprecated)": old.convert(static)}


def torch_ways(model, digits, test):
    networks = {"float32": model,
                "int8 weights by torchao, float32 products": torchao_quantize(model),
                "int8 by torchao, dynamic": torchao_quantize(model, "dynamic"),
                **old_torch(model, digits)}
    return [Way(name, saved(network), network, test.inputs) for name, network in networks.items()]


def onnx_ways(model, digits, test, folder):
    floats, small = folder / "float.onnx", folder / "int8.onnx"
    sizes = [deploy.export_onnx(model, floats), deploy.quantize_onnx(floats, small, digits)]
    return [Way(name, size, deploy.load_onnx(path), test.inputs.numpy())
            for name, size, path in zip(("float32", "int8, static"), sizes, (floats, small),
                                        strict=True)]


def executorch_ways(model, digits, test, folder):
    ways = []
    for name, calibration in (("float32", None), ("int8, static", digits)):
        path = folder / f"{name[:4]}.pte"
        size = executorch.export(model, path, calibration)
        ways.append(Way(name, size, executorch.load(path), test.inputs))
    return ways


def numpy_ways(model, integer, test, folder):
    """float32 and the packed integers, both from the pixels as they were stored."""
    layers = [(layer.weight.detach().numpy(), layer.bias.detach().numpy())
              for layer in model.layers]

    def floats(images):
        values = normalize(flatten(torch.from_numpy(images))).numpy()
        for place, (weight, bias) in enumerate(layers):
            values = (np.maximum(values, 0) if place else values) @ weight.T + bias
        return values

    size = packed.save(integer, folder / "digits.mc", reorder=True)
    reader, images = packed.load(folder / "digits.mc"), test.images.numpy()
    return [Way("float32", sum(weight.nbytes + bias.nbytes for weight, bias in layers), floats,
                images),
            Way("int8, packed", size, reader.logits, images)]


def runtimes(model, integer, folder, digits, test):
    """{runtime: its ways}; float32, with which the others are compared, comes first."""
    found = {"PyTorch": torch_ways(model, digits, test),
             "ONNX Runtime": onnx_ways(model, digits, test, folder)}
    if executorch.installed():
        found["ExecuTorch"] = executorch_ways(model, digits, test, folder)
    return {**found, "NumPy": numpy_ways(model, integer, test, folder)}


def answers(way):
    """The predicted digits; a thousand at a time, as ExecuTorch's file plans for so many."""
    parts = [way.inputs[start:start + executorch.BATCH]
             for start in range(0, len(way.inputs), executorch.BATCH)]
    with torch.no_grad():
        return np.concatenate([np.asarray(way.network(part)).argmax(1) for part in parts])


def runtime_table(found, labels):
    """Markdown lines: bytes, accuracy, and microseconds with the ratio to float32."""
    yield "| runtime | network | file | accuracy | same answers as float32 | " + " | ".join(
        f"batch {batch}" for batch in BATCHES) + " |"
    yield "|---|---|---|---|---|" + "---|" * len(BATCHES)
    for runtime, ways in found.items():
        rows = measure.latency({way.name: (way.network, way.inputs) for way in ways}, BATCHES,
                               ROUNDS)
        wanted = answers(ways[0])
        for way in ways:
            cells = [f"{row.median:,.0f} ({row.low:,.0f}-{row.high:,.0f}), x{row.ratio:.2f}"
                     for row in rows if row.name == way.name]
            got = answers(way)
            yield (f"| {runtime} | {way.name} | {way.size:,} | {(got == labels).mean():.2%} "
                   f"| {(got == wanted).sum():,} of {len(labels):,} | {' | '.join(cells)} |")


def page_table(pages, pixels, chromium):
    """Markdown lines: what pages cost in Chromium; memory is the heap above an empty page's."""
    text = base64.b64encode(pixels[:max(BATCHES)].numpy().tobytes()).decode()

    def heap(session):
        session.send("HeapProfiler.collectGarbage")
        return session.send("Runtime.getHeapUsage")["usedSize"]

    yield "| page | bytes | heap | " + " | ".join(f"batch {batch}" for batch in BATCHES) + " |"
    yield "|---|---|---|" + "---|" * len(BATCHES)
    for name, path in pages.items():
        page = chromium.new_page()
        session = page.context.new_cdp_session(page)
        empty = heap(session)
        page.goto(path.as_uri())
        page.wait_for_selector("#pad")
        held = heap(session) - empty
        cells = []
        for batch in BATCHES:
            low, middle, high = statistics.quantiles(
                page.evaluate(TIME, [text, batch, ROUNDS]), n=4)
            cells.append(f"{middle:,.0f} ({low:,.0f}-{high:,.0f})")
        yield f"| {name} | {path.stat().st_size:,} | {held:,} | {' | '.join(cells)} |"
        page.close()


def main():
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    digits, test, _ = load_sample()  # called test here: the validation digits, as in the notebook
    model = fine_tune(prune(trained_model(), 0.9), digits)
    integer = quantize_model(model, digits, bits=4)
    print("## Runtimes\n\n`python -m tests.benchmarks.bench_runtimes`\n")
    print("The network of notebook 08: 784-128-10, 90 % of its weights zero. `packed` has "
          "integers of 4 bits; the others are quantized by the tool of their runtime. "
          f"Microseconds on one thread: median of {ROUNDS} (middle half), x median / float32 in "
          f"the same runtime. Accuracy on the {len(test):,} validation digits. "
          f"{deploy.processor()}\n")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        found = runtimes(model, integer, folder, digits, test)
        for line in runtime_table(found, test.labels.numpy()):
            print(line, flush=True)
        if not executorch.installed():
            print("\nExecuTorch was not installed: it is the extra [executorch]")
        path = conftest.find_chromium()
        if not path:
            print("\nChromium was not found: the page was not measured.")
            return
        pages = {"the same network": folder / "own.html",
                 "the shipped network `thousand`": folder / "small.html"}
        for network, file in zip((integer, pretrained.load("thousand")), pages.values(),
                                 strict=True):
            deploy.export_page(network, file)
        print("\nThe page in Chromium, in JavaScript, all layers with the trace; bytes of the heap "
              "hold network, script and page:\n")
        with conftest.launch(path) as chromium:
            for line in page_table(pages, flatten(test.images), chromium):
                print(line, flush=True)


if __name__ == "__main__":
    main()

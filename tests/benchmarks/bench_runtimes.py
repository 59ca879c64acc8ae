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
from functools import partial
from pathlib import Path

import numpy as np
import torch

from mnist_compress import deploy, pretrained
from mnist_compress.data import flatten, load_sample
from mnist_compress.deploy import executorch
from mnist_compress.measure.speed import latency
from mnist_compress.packed.file import save_packed
from mnist_compress.packed.reader import PackedClassifier
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


def runtimes(model, integer, folder, digits, test):
    """{runtime: {name: (bytes of its file, batch -> call, logits of all test digits)}}; float32,
    with which the others are compared, comes first."""
    rows, pixels = test.inputs, flatten(test.images)

    def torch_way(network, inputs=rows):
        return saved(network), lambda n: partial(network, inputs[:n]), network(inputs)

    torch_ways = {"float32": torch_way(model),
                  "int8 weights by torchao, float32 products": torch_way(torchao_quantize(model)),
                  "int8 by torchao, dynamic": torch_way(torchao_quantize(model, "dynamic"))}
    for name, network in old_torch(model, digits).items():
        torch_ways[name] = torch_way(network)
    torch_ways["int8 by hand"] = (saved(integer), lambda n: partial(integer.sums, pixels[:n]),
                                  integer.sums(pixels))
    found = {"PyTorch": torch_ways, "ONNX Runtime": {}}
    files = folder / "float.onnx", folder / "int8.onnx"
    deploy.export_onnx(model, files[0]), deploy.quantize_onnx(*files, digits)
    for name, path in zip(("float32", "int8, static"), files, strict=True):
        run = partial(deploy.onnx_session(path).run, None)
        found["ONNX Runtime"][name] = (
            path.stat().st_size, lambda n, run=run: partial(run, {"rows": rows[:n].numpy()}),
            deploy.onnx_logits(path, pixels))
    if executorch.installed():
        found["ExecuTorch"] = {}
        for name, calibration in (("float32", None), ("int8, static", digits)):
            path = folder / f"{name[:4]}.pte"
            size, run = executorch.export_edge(model, path, calibration), executorch.edge_network(path)
            found["ExecuTorch"][name] = (
                size, lambda n, run=run: partial(run, rows[:n].contiguous()),
                executorch.edge_logits(path, test))
    layers = [(layer.weight.detach().numpy(), layer.bias.detach().numpy())
              for layer in model.layers]

    def numpy_float(values):
        for place, (weight, bias) in enumerate(layers):
            values = (np.maximum(values, 0) if place else values) @ weight.T + bias
        return values

    size = save_packed(integer, folder / "digits.mc", reorder=True)
    reader = PackedClassifier.load(folder / "digits.mc")
    found["NumPy"] = {
        "float32": (sum(w.nbytes + b.nbytes for w, b in layers),
                    lambda n: partial(numpy_float, rows[:n].numpy()), numpy_float(rows.numpy())),
        "int8, packed": (size, lambda n: partial(reader.logits, pixels[:n].numpy()),
                         reader.logits(pixels.numpy()))}
    return found


def runtime_table(found, labels):
    """Markdown lines: bytes, accuracy, and microseconds with the ratio to float32."""
    yield "| runtime | network | file | accuracy | same answers as float32 | " + " | ".join(
        f"batch {batch}" for batch in BATCHES) + " |"
    yield "|---|---|---|---|---|" + "---|" * len(BATCHES)
    for runtime, ways in found.items():
        cells = {name: [] for name in ways}
        for batch in BATCHES:
            with torch.no_grad():
                calls = {name: call(batch) for name, (_, call, _) in ways.items()}
                for row in latency(calls, batch, ROUNDS):
                    cells[row.name].append(f"{row.median:,.0f} ({row.low:,.0f}-{row.high:,.0f}), "
                                           f"x{row.ratio:.2f}")
        answers = {name: np.asarray(way[2]).argmax(1) for name, way in ways.items()}
        for name, (size, _, _) in ways.items():
            yield (f"| {runtime} | {name} | {size:,} | {(answers[name] == labels).mean():.2%} "
                   f"| {(answers[name] == answers['float32']).sum():,} of {len(labels):,} "
                   f"| {' | '.join(cells[name])} |")


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
        page.wait_for_selector("#p")
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
    digits, test = load_sample()
    model = fine_tune(prune(trained_model(), 0.95), digits)
    integer = quantize_model(model, digits, bits=4)
    print("## Runtimes\n\n`python -m tests.benchmarks.bench_runtimes`\n")
    print("The network of notebook 08: 784-128-10, 95 % of its weights zero. `by hand` and "
          "`packed` are the same integers of 4 bits; the others are quantized by the tool of "
          "their runtime. Microseconds on one thread: median of "
          f"{ROUNDS} (middle half), x median / float32 in the same runtime. Accuracy on the "
          f"sample's 4,000 test digits. {deploy.processor()}\n")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        with torch.no_grad():
            found = runtimes(model, integer, folder, digits, test)
        for line in runtime_table(found, test.labels.numpy()):
            print(line, flush=True)
        if not executorch.installed():
            print(f"\nExecuTorch was not installed: {executorch.INSTALL}")
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

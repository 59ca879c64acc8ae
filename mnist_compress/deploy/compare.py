"""deploy/compare"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from ..data import flatten
from ..deploy import executorch
from ..measure.files import dense_file
from ..measure.speed import LatencyRow, latency
from ..packed.file import load_packed, save_packed
from ..training import evaluate
from .onnx import _onnx_bytes, export_onnx, onnx_logits, onnx_session, quantize_onnx
from .page import export_page


@dataclass(frozen=True)
class Deployment:
    """One way to run the network on a device.

    file_bytes: of the file it needs. memory_bytes: of the weights and biases it holds while it
    runs. time: a `LatencyRow` for one digit, on one thread. accuracy: on the test digits, a
    fraction of 1. None: not measured here.
    """

    name: str
    file_bytes: int
    memory_bytes: int | None
    time: LatencyRow | None
    accuracy: float | None


def deployments(model, integer, folder, train_digits, test_digits, rounds=25):
    """Write every file of `integer` and `model` into a folder and measure: a list of `Deployment`.

    model: the float network that `integer` was made from. Files: float.onnx and int8.onnx (by ONNX
    Runtime's own quantization of `model`), int8.pte (the same by ExecuTorch's, where it is
    installed), digits.mc (packed), digits.html (the page).
    """
    floats, small, packed, page = (Path(folder, name) for name in (
        "float.onnx", "int8.onnx", "digits.mc", "digits.html"))
    export_onnx(model, floats), quantize_onnx(floats, small, train_digits)
    save_packed(integer, packed, reorder=True), export_page(integer, page)
    reader, pixels = load_packed(packed), flatten(test_digits.images).numpy()
    labels, row = test_digits.labels.numpy(), test_digits.inputs[:1]

    def right(answers):
        return float((np.asarray(answers) == labels).mean())

    ways = {  # name: (call for one digit, bytes of the file, bytes of the weights, accuracy)
        "PyTorch float32": (
            partial(model, row), dense_file("float32", model, test_digits).bytes,
            _tensor_bytes(model), evaluate(model, test_digits).accuracy)}
    for name, path in (("ONNX Runtime float32", floats), ("ONNX Runtime int8", small)):
        ways[name] = (partial(onnx_session(path).run, None, {"rows": row.numpy()}),
                      path.stat().st_size, _onnx_bytes(path),
                      right(onnx_logits(path, pixels).argmax(1)))
    if executorch.installed():
        path = Path(folder, "int8.pte")
        size = executorch.export_edge(model, path, train_digits)
        ways["ExecuTorch int8"] = (partial(executorch.edge_network(path), row), size,
                                   executorch.edge_bytes(model),
                                   right(executorch.edge_logits(path, test_digits).argmax(1)))
    ways["NumPy int8, packed"] = (partial(reader.logits, pixels[:1]),
                                  packed.stat().st_size,
                                  reader.nbytes, right(reader.predict(pixels)))
    with torch.no_grad():
        times = latency({name: way[0] for name, way in ways.items()}, 1, rounds)
    result = [Deployment(time.name, size, held, time, score) for time, (_, size, held, score)
              in zip(times, ways.values(), strict=True)]
    return [*result, Deployment("page", page.stat().st_size, None, None, None)]


def _tensor_bytes(model):
    return sum(part.numel() * part.element_size() for part in model.state_dict().values())

"""One network in every runtime, side by side: files, memory, time, accuracy."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ..data import Digits
from ..integer import IntegerNetwork
from ..measure import LatencyRow, dense_file, latency
from ..model import DigitClassifier
from ..packed import load, save
from . import executorch
from .onnx import export_onnx, float_copy, load_onnx, quantize_onnx
from .page import export_page


class Deployment(NamedTuple):
    """One way to run the network on a device: bytes of its file, and of the weights and biases it
    holds while it runs; time for one digit, on one thread; accuracy, 0..1. None: not measured."""

    name: str
    file_bytes: int
    memory_bytes: int | None = None
    time: LatencyRow | None = None
    accuracy: float | None = None


def deployments(model: DigitClassifier, integer: IntegerNetwork, folder: str | Path,
                train_digits: Digits, digits: Digits) -> list[Deployment]:
    """Write every file of `integer` and `model` into a folder and measure them, on `digits`.

    model: the float network that `integer` was made from. Files: float.onnx and int8.onnx (by ONNX
    Runtime's own quantization of `model`), int8.pte (the same by ExecuTorch's, where it is
    installed), digits.mc (packed), digits.html (the page).
    """
    ways = list(_networks(model, integer, Path(folder), train_digits, digits))
    times = latency({name: (network, inputs) for name, network, inputs, *_ in ways})
    rows = [Deployment(name, size, held, time, _accuracy(network, inputs, digits.labels))
            for (name, network, inputs, size, held), time in zip(ways, times, strict=True)]
    return [*rows, Deployment("page", export_page(integer, Path(folder, "digits.html")))]


def _networks(model: DigitClassifier, integer: IntegerNetwork, folder: Path, train_digits: Digits,
              digits: Digits) -> Iterator[tuple[str, Callable, Any, int, int]]:
    """Name, network, all its inputs, bytes of its file and in memory; writes the files."""
    network, inputs = float_copy(model), digits.inputs
    yield ("PyTorch float32", network, inputs, dense_file("", network, digits).bytes,
           sum(part.nbytes for part in network.state_dict().values()))
    floats, small = folder / "float.onnx", folder / "int8.onnx"
    export_onnx(model, floats)
    quantize_onnx(floats, small, train_digits)
    for name, path in (("float32", floats), ("int8", small)):
        yield (f"ONNX Runtime {name}", load_onnx(path), inputs.numpy(), path.stat().st_size,
               _onnx_bytes(path))
    if executorch.installed():
        path = folder / "int8.pte"
        size = executorch.export(model, path, train_digits)
        yield "ExecuTorch int8", executorch.load(path), inputs, size, executorch.nbytes(model)
    size = save(integer, folder / "digits.mc", reorder=True)
    reader = load(folder / "digits.mc", trusted=True)
    yield "NumPy int8, packed", reader.logits, digits.images.numpy(), size, reader.nbytes


def _accuracy(network: Callable, inputs: Any, labels: torch.Tensor) -> float:
    batches = range(0, len(inputs), executorch.BATCH)
    with torch.no_grad():
        logits = [torch.as_tensor(network(inputs[start:start + executorch.BATCH])).clone()
                  for start in batches]
    return (torch.cat(logits).argmax(1) == labels).double().mean().item()


def _onnx_bytes(path: Path) -> int:
    import onnx
    from onnx import numpy_helper

    numbers = onnx.load(str(path)).graph.initializer
    return sum(numpy_helper.to_array(part).nbytes for part in numbers)

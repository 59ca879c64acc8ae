"""ExecuTorch, PyTorch's own runtime for phones: an optional extra, `pip install '.[executorch]'`.

The course does not need it. Like ONNX Runtime it gets the pruned float network and quantizes it
with the tool that belongs to it, so its integers are its own; XNNPACK's kernels run them.
"""

import contextlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..data import Digits
from ..model import DigitClassifier
from ..quantization import quiet
from .onnx import float_copy

BATCH = 1000  # digits at a time; the file plans memory for so many


def installed() -> bool:
    """Whether ExecuTorch is here; looks without importing it."""
    return importlib.util.find_spec("executorch") is not None


def export(model: DigitClassifier, path: str | Path, digits: Digits | None = None) -> int:
    """Write a .pte file: inputs (1..BATCH, in) float32 -> logits (n, 10). Returns its bytes.

    digits: the training digits, to calibrate int8 on; None leaves the network in float32. Weights
    get one scale a unit.
    """
    with _ready():
        from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
        from executorch.exir import to_edge_transform_and_lower

        graph = float_copy(model) if digits is None else _quantized_graph(model, digits)
        program = to_edge_transform_and_lower(_traced(graph, model),
                                              partitioner=[XnnpackPartitioner()])
        return Path(path).write_bytes(program.to_executorch().buffer)


def _quantized_graph(model: DigitClassifier, digits: Digits) -> nn.Module:
    """What `export`'s int8 file computes, as a torch module that rounds in float32."""
    with _ready():
        from executorch.backends.xnnpack.quantizer import xnnpack_quantizer as xnnpack
        from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

        scheme = xnnpack.get_symmetric_quantization_config(is_per_channel=True)
        graph = prepare_pt2e(_traced(float_copy(model), model).module(),
                             xnnpack.XNNPACKQuantizer().set_global(scheme))
        with torch.no_grad():
            for inputs in digits.inputs.split(100):
                graph(inputs)
        return convert_pt2e(graph)


def _traced(module: nn.Module, model: DigitClassifier) -> Any:
    batch = torch.export.Dim("batch", min=1, max=BATCH)
    inputs = torch.zeros(2, model.widths[0], dtype=torch.float32)
    return torch.export.export(module, (inputs,), dynamic_shapes=({0: batch},))


def load(path: str | Path) -> Callable[[Tensor], Tensor]:
    """Load a .pte file: a function of float32 inputs (1..BATCH, in) that returns logits (n, 10).

    From now on all networks of this process run on one thread.
    """
    with _ready():
        from executorch.extension.pybindings.portable_lib import _unsafe_reset_threadpool
        from executorch.runtime import Runtime

        _unsafe_reset_threadpool(1)  # safe while nothing runs; there is no public name for it
        program = Runtime.get().load_program(str(path))
        method = program.load_method("forward")

    def run(inputs: Tensor, program: Any = program) -> Tensor:  # which lives as long as its method
        return method.execute([inputs.contiguous()])[0]

    return run


def nbytes(model: DigitClassifier) -> int:
    """What int8 in XNNPACK holds: int8 weights, and for each unit a float32 scale and a bias."""
    return sum(layer.weight.numel() + (4 + 4) * len(layer.weight) for layer in model.layers)


@contextlib.contextmanager
def _ready() -> Iterator[None]:
    """While ExecuTorch works, silence and torch's usual dtype.

    Its C++ writes notes on the processor to file descriptor 2 and, through pybind11, to sys.stderr,
    which in a notebook is another. Its int8 kernels take no scales of another default dtype.
    """
    sys.stderr.flush()
    before, dtype = os.dup(2), torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere), quiet():
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        torch.set_default_dtype(dtype)

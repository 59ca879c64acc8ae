"""ExecuTorch, PyTorch's own runtime for phones: an optional extra, `pip install '.[executorch]'`.

The course does not need it. Like ONNX Runtime it gets the pruned float network and quantizes it
with the tool that belongs to it, so its integers are not those of `quantization`. The network runs
in XNNPACK's int8 kernels, on one thread.
"""

import contextlib
import copy
import importlib.util
import os
import sys
from functools import partial
from pathlib import Path

import torch

from ..measure.speed import check_batches, latency
from ..quantization import quiet

INSTALL = "pip install -c constraints.txt -e '.[executorch]'"
BATCH = 1000  # rows at a time; the file plans memory for so many
CALIBRATION_BATCH = 100


def installed():
    """Whether ExecuTorch is here; looks without importing it."""
    return importlib.util.find_spec("executorch") is not None


def export_edge(model, path, digits=None):
    """Write a DigitClassifier as a .pte file: rows (1..1000, in) float32 -> logits (n, 10).

    digits: the training rows, to calibrate int8 on; None leaves the network in float32. Weights
    get one scale a row. Returns the bytes. ImportError with the command that installs ExecuTorch,
    ValueError for no digits.
    """
    _require()
    with quiet(), _silent():
        from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
        from executorch.exir import to_edge_transform_and_lower

        graph = copy.deepcopy(model).eval() if digits is None else quantized_graph(model, digits)
        program = to_edge_transform_and_lower(
            _exported(graph, model.widths[0]), partitioner=[XnnpackPartitioner()])
        return Path(path).write_bytes(program.to_executorch().buffer)


def quantized_graph(model, digits):
    """What export_edge's int8 file computes, as a torch module that rounds in float32.

    Quantized by torchao's pt2e flow and ExecuTorch's XNNPACKQuantizer, symmetric weights a row.
    """
    _require()
    if not len(digits):
        raise ValueError("need at least one digit to calibrate on; got 0")
    with quiet(), _silent():
        from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
            XNNPACKQuantizer,
            get_symmetric_quantization_config,
        )
        from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

        scheme = get_symmetric_quantization_config(is_per_channel=True)
        graph = _exported(copy.deepcopy(model).eval(), model.widths[0]).module()
        graph = prepare_pt2e(graph, XNNPACKQuantizer().set_global(scheme))
        with torch.no_grad():
            for rows in digits.inputs.split(CALIBRATION_BATCH):
                graph(rows)
        return convert_pt2e(graph)


def edge_network(path):
    """Load a .pte file: a function of float32 rows (1..1000, in) that returns logits (n, 10).

    One thread for all networks of this process. ValueError for a file that cannot be loaded.
    """
    _require()
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no file {path}")
    with quiet(), _silent():
        from executorch.extension.pybindings.portable_lib import _unsafe_reset_threadpool
        from executorch.runtime import Runtime

        _unsafe_reset_threadpool(1)  # safe while nothing runs; there is no public name for it
        try:
            program = Runtime.get().load_program(str(path))
            method = program.load_method("forward")
        except RuntimeError as error:
            raise ValueError(f"{path} is no ExecuTorch program: {error}") from error

    def run(rows, program=program):  # which has to live as long as its method
        return method.execute([rows.contiguous()])[0]

    return run


def edge_logits(path, digits):
    """ExecuTorch's logits for `digits`, float32 (n, 10)."""
    run = edge_network(path)
    with _silent():
        return torch.cat([run(rows).clone() for rows in digits.inputs.split(BATCH)])


def edge_bytes(model):
    """What int8 in XNNPACK holds: int8 weights, and for each row a float32 scale and a bias."""
    return sum(layer.weight.numel() + (4 + 4) * len(layer.weight) for layer in model.layers)


def edge_latency(model, folder, train_digits, digits, batches=(1, 32, 1000), rounds=25):
    """float32 and int8 in ExecuTorch, one thread: a list of `LatencyRow`, batch after batch.

    Writes float.pte and int8.pte into the folder. Without ExecuTorch: an empty list. ValueError for
    batches larger than `digits` or BATCH.
    """
    if not installed():
        return []
    batches = check_batches(batches, min(BATCH, len(digits)))
    networks, result = {}, []
    for kind, file, calibration in (("float32", "float.pte", None),
                                    ("int8", "int8.pte", train_digits)):
        export_edge(model, Path(folder, file), calibration)
        networks[f"ExecuTorch {kind}"] = edge_network(Path(folder, file))
    for batch in batches:
        rows = digits.inputs[:batch].contiguous()
        with _silent():
            result += latency({name: partial(run, rows) for name, run in networks.items()},
                              batch, rounds)
    return result


def _exported(module, inputs):
    """torch.export with 1..BATCH rows."""
    batch = torch.export.Dim("batch", min=1, max=BATCH)
    return torch.export.export(module, (torch.zeros(2, inputs),), dynamic_shapes=({0: batch},))


def _require():
    if not installed():
        raise ImportError("ExecuTorch is not installed, and the course does not need it. To add "
                          f"it: {INSTALL}")


@contextlib.contextmanager
def _silent():
    """ExecuTorch's C++ writes notes on the processor past Python's logs: to file descriptor 2 and,
    through pybind11, to whatever sys.stderr is, which in a notebook is a red box."""
    sys.stderr.flush()
    before = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(before, 2)
        os.close(before)

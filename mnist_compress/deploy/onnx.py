"""ONNX files: written by PyTorch, quantized and run by ONNX Runtime, and recomputed in NumPy."""

import copy
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import torch

from ..data import Digits
from ..model import DigitClassifier, weight_layers
from ..quantization import quiet


def float_copy(model: DigitClassifier) -> DigitClassifier:
    """A copy to export: float32, in eval mode. ValueError for anything but a DigitClassifier."""
    if not isinstance(model, DigitClassifier):
        raise ValueError(f"only a DigitClassifier can be exported; got {type(model).__name__}")
    weight_layers(model)  # refuses weights that are computed
    return copy.deepcopy(model).float().eval()


def export_onnx(model: DigitClassifier, path: str | Path) -> int:
    """Write an ONNX file: inputs (n, in) float32 -> logits (n, 10), with n free. Returns its bytes.

    ValueError for anything but a DigitClassifier.
    """
    network = float_copy(model)
    inputs = torch.zeros(2, model.widths[0], dtype=torch.float32)  # data would be dragged along
    with quiet():
        proto: Any = torch.onnx.export(
            network, (inputs,), input_names=["rows"], output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("batch")},), dynamo=True, verbose=False,
        ).model_proto
    return save_onnx(proto, path)


def save_onnx(proto: Any, path: str | Path) -> int:
    """Write an exported model without the exporter's notes, which name folders of this machine and
    the build of PyTorch: so every machine writes the same bytes. Returns how many."""
    proto.producer_version = torch.__version__.partition("+")[0]
    graph = proto.graph
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info,
                 *graph.initializer):
        del part.metadata_props[:]
    return Path(path).write_bytes(proto.SerializeToString())


def quantize_onnx(float_path: str | Path, path: str | Path, digits: Digits) -> int:
    """Float ONNX file -> int8 ONNX file, by ONNX Runtime's own static quantization.

    digits: calibrate the activations; take the training digits. Weights get one scale a unit and 7
    bits (reduce_range): products of two neighbours then fit into the 16 bits that processors
    without VNNI add them in, and every processor gives the same logits. Returns the bytes.
    """
    _runtime()
    from onnxruntime import quantization as ort
    from onnxruntime.quantization.shape_inference import quant_pre_process

    batches = iter([{"rows": part.numpy()} for part in digits.inputs.split(100)])
    reader = SimpleNamespace(get_next=lambda: next(batches, None))
    with quiet(), tempfile.TemporaryDirectory(prefix="mnist_compress-") as folder:
        prepared = Path(folder, "prepared.onnx")
        quant_pre_process(str(float_path), str(prepared), skip_symbolic_shape=True)
        ort.quantize_static(prepared, path, reader, quant_format=ort.QuantFormat.QDQ,
                            per_channel=True, reduce_range=True)
    return Path(path).stat().st_size


def _runtime() -> Any:
    """ONNX Runtime, imported with its telemetry off (see Privacy.md in its package)."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when it is imported
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # for builds of Windows, which do not read it
    return onnxruntime


def load_onnx(path: str | Path) -> Callable[[Any], np.ndarray]:
    """An ONNX file as a function, on one thread: inputs (n, ...) float32, an array or a tensor, by
    the name "rows" -> logits (n, classes), an array."""
    onnxruntime = _runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(None, {"rows": np.asarray(inputs)})[0]


def onnx_logits(path: str | Path, pixels: Any) -> np.ndarray:
    """uint8 pixels (n, in), a tensor or an array -> ONNX Runtime's logits, float32 (n, 10)."""
    return load_onnx(path)(_inputs(pixels))


def _inputs(pixels: Any) -> np.ndarray:
    return np.asarray(pixels).astype(np.float32) / np.float32(255)


class _OnnxLayer(NamedTuple):
    """One layer in an int8 ONNX file: weight int8 (out, in), bias int32 (out,), float32 scales, of
    weights (out,), int8 zero points."""

    weight: np.ndarray
    bias: np.ndarray
    weight_scale: np.ndarray
    input_scale: np.float32
    input_zero: int
    output_scale: np.float32
    output_zero: int


def onnx_layers(path: str | Path) -> list[_OnnxLayer]:
    """The layers of a file that `quantize_onnx` wrote, and of no other."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    numbers = {part.name: numpy_helper.to_array(part) for part in graph.initializer}
    maker = {node.output[0]: node for node in graph.node}
    reader = {node.input[0]: node for node in graph.node}
    layers = []
    for node in (node for node in graph.node if node.op_type == "Gemm"):
        inputs, weight, bias = (maker[name].input for name in node.input)
        output = reader[node.output[0]].input
        layers.append(_OnnxLayer(
            numbers[weight[0]], numbers[bias[0]], numbers[weight[1]], numbers[inputs[1]][()],
            int(numbers[inputs[2]]), numbers[output[1]][()], int(numbers[output[2]])))
    return layers


def numpy_logits(path: str | Path, pixels: Any) -> np.ndarray:
    """The logits of an int8 ONNX file, recomputed: uint8 pixels (n, in) -> float32 (n, 10).

    Accumulators are exact integers; the one float32 product after each layer is rounded half to
    even, as ONNX Runtime does. Its logits are equal bit for bit.
    """
    layers = onnx_layers(path)
    first, last = layers[0], layers[-1]
    values = _to_int8(_inputs(pixels) / first.input_scale, first.input_zero)
    for layer in layers:
        accumulators = (values - layer.input_zero) @ layer.weight.T.astype(np.int32) + layer.bias
        scale = layer.input_scale * layer.weight_scale / layer.output_scale
        values = _to_int8(accumulators.astype(np.float32) * scale, layer.output_zero)
    return (values - last.output_zero).astype(np.float32) * last.output_scale


def _to_int8(steps: np.ndarray, zero_point: int) -> np.ndarray:
    """float32 steps -> rounded half to even, -128..127; ReLU needs no step of its own, as a
    hidden layer's zero point is -128. int32, for exact products."""
    return np.clip(np.rint(steps) + zero_point, -128, 127).astype(np.int32)


def processor() -> str:
    """What matters of this processor for int8: a sentence on the instructions it names."""
    known = {"avx2": "AVX2", "avx512f": "AVX-512", "avx_vnni": "AVX-VNNI",
             "avx512_vnni": "AVX-512 VNNI", "amx_int8": "AMX int8", "asimddp": "Arm dot product"}
    told = Path("/proc/cpuinfo")
    words = told.read_text().split() if told.exists() else []
    found = [name for flag, name in known.items() if flag in words]
    return f"This processor has {', '.join(found) or 'no int8 instructions that Linux names'}."

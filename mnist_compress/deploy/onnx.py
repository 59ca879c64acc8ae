"""deploy/onnx"""

import copy
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from ..measure.speed import check_batches, latency
from ..quantization import quiet

CALIBRATION_BATCH = 100  # rows at a time


def export_onnx(model, path):
    """Write a DigitClassifier as an ONNX file: rows (n, in) float32 -> logits (n, 10).

    n is free. Uses the exporter that traces with torch.export ("dynamo"). The exporter's notes are
    left out: they name folders of this machine. Returns the bytes.
    """
    import onnx

    rows = torch.zeros(2, model.widths[0])  # a slice of data would drag all of it along
    with quiet():
        proto = torch.onnx.export(
            copy.deepcopy(model).eval(), (rows,), input_names=["rows"],
            output_names=["logits"], dynamic_shapes=({0: torch.export.Dim("batch")},),
            dynamo=True, verbose=False).model_proto
    proto.producer_version = torch.__version__.partition("+")[0]
    graph = proto.graph
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info,
                 *graph.initializer):
        del part.metadata_props[:]
    onnx.save(proto, str(path))
    return Path(path).stat().st_size


def quantize_onnx(float_path, path, digits):
    """Float ONNX file -> int8 ONNX file, by ONNX Runtime's own static quantization.

    digits: calibrates the activations; take the training rows. Weights get one scale a row and 7
    bits (reduce_range): products of two neighbours then fit into the 16 bits that processors
    without VNNI add them in, and every processor gives the same logits. Returns the bytes.
    ValueError for no digits.
    """
    from onnxruntime import quantization as ort
    from onnxruntime.quantization.shape_inference import quant_pre_process

    if not len(digits):
        raise ValueError("need at least one digit to calibrate on; got 0")
    batches = iter([{"rows": part.numpy()} for part in digits.inputs.split(CALIBRATION_BATCH)])

    class Rows(ort.CalibrationDataReader):
        def get_next(self):
            return next(batches, None)

    with quiet(), tempfile.TemporaryDirectory(prefix="mnist_compress-") as folder:
        prepared = Path(folder, "prepared.onnx")
        quant_pre_process(str(float_path), str(prepared), skip_symbolic_shape=True)
        ort.quantize_static(prepared, path, Rows(), quant_format=ort.QuantFormat.QDQ,
                            per_channel=True, reduce_range=True)
    return Path(path).stat().st_size


def onnx_session(path):
    """An ONNX Runtime session on one processor thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def onnx_logits(path, pixels):
    """uint8 pixels (n, in), a tensor or an array -> ONNX Runtime's logits, float32 (n, 10)."""
    return onnx_session(path).run(None, {"rows": _rows(pixels)})[0]


def _rows(pixels):
    pixels = np.asarray(pixels)
    if pixels.dtype != np.uint8 or pixels.ndim != 2:
        raise ValueError(f"pixels must be uint8 of the shape (n, in); got {pixels.dtype} of "
                         f"{pixels.shape}")
    return pixels.astype(np.float32) / np.float32(255)


def _onnx_bytes(path):
    import onnx
    from onnx import numpy_helper

    return sum(numpy_helper.to_array(part).nbytes for part in
               onnx.load(str(path)).graph.initializer)


@dataclass(frozen=True)
class OnnxLayer:
    """The numbers of one layer in an int8 ONNX file.

    weight int8 (out, in), bias int32 (out,), weight_scale float32 (out,). The input and the output
    have a float32 scale and an int8 zero_point each.
    """

    weight: np.ndarray
    bias: np.ndarray
    weight_scale: np.ndarray
    input_scale: np.float32
    input_zero: int
    output_scale: np.float32
    output_zero: int


def onnx_layers(path):
    """The layers of a file that `quantize_onnx` wrote. ValueError for any other file."""
    import onnx
    from google.protobuf.message import DecodeError
    from onnx import numpy_helper

    layers = []
    try:
        graph = onnx.load(str(path), format="protobuf").graph
        numbers = {part.name: numpy_helper.to_array(part) for part in graph.initializer}
        maker = {node.output[0]: node for node in graph.node}
        reader = {node.input[0]: node for node in graph.node}
        for node in (node for node in graph.node if node.op_type == "Gemm"):
            inputs, weight, bias = (maker[name].input for name in node.input)
            output = reader[node.output[0]].input
            layers.append(OnnxLayer(
                numbers[weight[0]], numbers[bias[0]], numbers[weight[1]], numbers[inputs[1]][()],
                int(numbers[inputs[2]]), numbers[output[1]][()], int(numbers[output[2]])))
    except (DecodeError, onnx.checker.ValidationError, LookupError, TypeError,
            ValueError) as error:
        raise ValueError(f"{path} is no network from quantize_onnx: {error!r}") from error
    if not layers:
        raise ValueError(f"{path} is no network from quantize_onnx: it has no layers")
    return layers


def numpy_logits(path, pixels):
    """The logits of an int8 ONNX file, recomputed: uint8 pixels (n, in) -> float32 (n, 10).

    Sums are exact integers; the one float32 product after each layer is rounded half to even, as
    ONNX Runtime does. Its logits are equal bit for bit.
    """
    layers = onnx_layers(path)
    first, last, rows = layers[0], layers[-1], _rows(pixels)
    inputs = first.weight.shape[1]
    if rows.shape[1] != inputs:
        raise ValueError(f"{path} reads {inputs} pixels a digit; got {rows.shape[1]}")
    values = _to_int8(rows / first.input_scale, first.input_zero)
    for layer in layers:
        sums = (values - layer.input_zero) @ layer.weight.T.astype(np.int32) + layer.bias
        scale = layer.input_scale * layer.weight_scale / layer.output_scale
        values = _to_int8(sums.astype(np.float32) * scale, layer.output_zero)
    return (values - last.output_zero).astype(np.float32) * last.output_scale


def _to_int8(steps, zero_point):
    """float32 steps -> rounded half to even, -128..127; ReLU needs no step of its own, as a
    hidden layer's zero point is -128. int32, for exact products."""
    return np.clip(np.rint(steps) + zero_point, -128, 127).astype(np.int32)


def onnx_latency(float_path, int8_path, digits, batches=(1, 32, 1000), rounds=25):
    """Both files in ONNX Runtime, one thread: a list of `LatencyRow`, batch after batch.

    ValueError for batches larger than `digits`.
    """
    batches = check_batches(batches, len(digits))
    rows = digits.inputs.numpy()
    sessions = {"ONNX Runtime float32": onnx_session(float_path),
                "ONNX Runtime int8": onnx_session(int8_path)}
    result = []
    for batch in batches:
        calls = {name: partial(session.run, None, {"rows": rows[:batch]})
                 for name, session in sessions.items()}
        result += latency(calls, batch, rounds)
    return result


def processor():
    """What matters of this processor for int8: a sentence on the instructions it names."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return "This system does not say which int8 instructions its processor has."
    known = {"avx2": "AVX2", "avx512f": "AVX-512", "avx_vnni": "AVX-VNNI",
             "avx512_vnni": "AVX-512 VNNI", "amx_int8": "AMX int8", "asimddp": "Arm dot product"}
    words = set(text.split())
    found = [name for flag, name in known.items() if flag in words]
    return f"This processor has {', '.join(found) or 'no int8 instructions that we know'}."

"""The network leaves PyTorch: ONNX Runtime, and one HTML page.

ONNX Runtime gets the pruned float network and quantizes it with its own tool, so its integers are
not the integers of `quantization`; `numpy_logits` recomputes them from the file, bit for bit. The
page carries the packed file and computes the very integers of `IntegerClassifier`.
"""

import base64
import copy
import hashlib
import tempfile
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from . import edge
from .data import SIDE, flatten
from .ledger import LatencyRow, check_batches, dense_file, integer_file, latency
from .minify import minify_css, minify_js
from .packed_format import read_header
from .packing import as_network, pack, save_packed
from .quantization import quiet
from .reader import PackedClassifier
from .training import evaluate

CALIBRATION_BATCH = 100  # rows at a time
QR_BYTES = 2953  # in the largest QR code, version 40 with error correction L
QR_PREFIX = "data:text/html,"
PAGE_SOURCES = ("header.js", "decoder.js", "page.js")
PAGE_NAMES = ("packed", "activations", "centre", "drawn")  # that stay readable in the page


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
    batches = iter([{"rows": part.numpy()} for part in digits.rows.split(CALIBRATION_BATCH)])

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
    reader, pixels = PackedClassifier.load(packed), flatten(test_digits.images)
    labels, row = test_digits.labels.numpy(), test_digits.rows[:1]

    def right(answers):
        return float((np.asarray(answers) == labels).mean())

    ways = {  # name: (call for one digit, bytes of the file, bytes of the weights, accuracy)
        "PyTorch float32": (
            partial(model, row), dense_file("float32", model, test_digits).bytes,
            _tensor_bytes(model), evaluate(model, test_digits).accuracy),
        "PyTorch int8": (
            partial(integer.sums, pixels[:1]), integer_file("int8", integer, test_digits).bytes,
            _tensor_bytes(integer), evaluate(integer, test_digits).accuracy)}
    for name, path in (("ONNX Runtime float32", floats), ("ONNX Runtime int8", small)):
        ways[name] = (partial(onnx_session(path).run, None, {"rows": row.numpy()}),
                      path.stat().st_size, _onnx_bytes(path),
                      right(onnx_logits(path, pixels).argmax(1)))
    if edge.installed():
        path = Path(folder, "int8.pte")
        size = edge.export_edge(model, path, train_digits)
        ways["ExecuTorch int8"] = (partial(edge.edge_network(path), row), size,
                                   edge.edge_bytes(model),
                                   right(edge.edge_logits(path, test_digits).argmax(1)))
    ways["NumPy int8, packed"] = (partial(reader.logits, pixels[:1].numpy()),
                                  packed.stat().st_size,
                                  reader.nbytes, right(reader.predict(pixels.numpy())))
    with torch.no_grad():
        times = latency({name: way[0] for name, way in ways.items()}, 1, rounds)
    result = [Deployment(time.name, size, held, time, score) for time, (_, size, held, score)
              in zip(times, ways.values(), strict=True)]
    return [*result, Deployment("page", page.stat().st_size, None, None, None)]


def _tensor_bytes(model):
    return sum(part.numel() * part.element_size() for part in model.state_dict().values())


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
    rows = digits.rows.numpy()
    sessions = {"ONNX Runtime float32": onnx_session(float_path),
                "ONNX Runtime int8": onnx_session(int8_path)}
    result = []
    for batch in batches:
        calls = {name: partial(session.run, None, {"rows": rows[:batch]})
                 for name, session in sessions.items()}
        result += latency(calls, batch, rounds)
    return result


def int8_sentence(rows):
    """`LatencyRow`s in pairs of float32 and int8 -> when int8 is faster, a sentence a runtime.

    A difference counts if the middle halves of both do not overlap.
    """
    told = {}
    for base, small in zip(rows[::2], rows[1::2], strict=True):
        runtime, other = (row.name.rpartition(" ")[0] for row in (base, small))
        if (small.batch, other) != (base.batch, runtime):
            raise ValueError("rows must come in pairs of one runtime and batch; got "
                             f"{base.name} at {base.batch}, {small.name} at {small.batch}")
        verdict = "faster" if small.high < base.low else "slower" if small.low > base.high \
            else "no different"
        times = f" ({1 / small.ratio:.1f} times)" * (verdict == "faster")
        told.setdefault(runtime, {}).setdefault(verdict, []).append(f"{small.batch}{times}")
    order = ("faster", "no different", "slower")
    return " ".join(f"In {runtime}, int8 against float32 is " + "; ".join(
        f"{verdict} at batch {', '.join(places[verdict])}" for verdict in order
        if verdict in places) + "." for runtime, places in told.items())


def export_page(model, path):
    """Write one HTML file that reads drawn digits: network, decoder and draw pad inside.

    model: an IntegerClassifier or a PackedNetwork of 784 inputs and 10 outputs. The page makes no
    request (its Content-Security-Policy forbids all) and computes the model's own integers. Hidden
    units are in the packed file's order (`sort_units`). Returns the bytes.

    ValueError if sums could leave the integers that JavaScript's numbers hold exactly.
    """
    network = as_network(model)
    _check_page(network)
    data, style = pack(network, reorder=True), minify_css(_source("page.css"))
    script = (f'document.querySelector("main").insertAdjacentHTML("afterbegin",`<style>{style}'
              f"</style>{_source('pad.html')}`);"
              + minify_js("".join(map(_source, PAGE_SOURCES)), keep=PAGE_NAMES))
    payload = base64.b64encode(data + _deflate(script)).decode()
    loader = _source("loader.js").strip().format(payload=payload, length=len(data))
    size, page = -1, b""
    while len(page) != size:  # the page says what it weighs, which is part of its weight
        size = len(page)
        page = _source("page.html").format(
            loader=loader, loader_hash=_sha256(loader), script_hash=_sha256(script),
            style_hash=_sha256(style), page_bytes=f"{size:,}",
            network_bytes=f"{len(data):,}").encode()
    return Path(path).write_bytes(page)


def export_qr_page(model, path):
    """Write one HTML file, ASCII, that fits into a single QR code; return its bytes.

    Network, decoder and a draw pad without the trace. Of the packed file it holds the stream; what
    the header says stands in the script. With QR_PREFIX before it, it is an address: browsers
    follow no link to it, but open it when it is pasted into the address bar.
    ValueError if prefix and page have more than QR_BYTES bytes, or for networks that `export_page`
    refuses or that have a scale for each row.
    """
    network = as_network(model)
    _check_page(network)
    if np.ndim(network.layers[0].scale):
        raise ValueError("the page in a QR code needs one scale a layer; got one for each row")
    data = pack(network, reorder=True)
    header, cursor = read_header(data)
    stream, layers = bytes(cursor.rest), []
    for layer, step in zip(header.layers, header.steps, strict=True):
        rescale = "" if layer.shift is None else f"[[{layer.multiplier},{layer.shift}]]"
        layers.append(f"[[],[],,{rescale},{step}]")
    script = (f"const floor = Math.floor, data = P.slice(0, {len(stream)}), "
              f"tied = {int(header.tied)}, widths = {list(network.widths)}, "
              f"layers = [{','.join(layers)}];\nlet at = 0;\n"
              + _source("decoder.js") + _source("qr.js"))
    script = minify_js(script, keep=("P", "activations"))
    script = script.replace("let activations=", "activations=")  # for callers outside
    code = _deflate(script)
    stream += bytes(-len(stream + code) % 4)  # the decoder reads zeros after the end anyway
    page = ('<script>for(P=[],i=0,s="' + _base85(stream + code) + '";s[i];P.push(n>>24,n>>16,n>>8,n'
            "))for(n=0,j=5;j--;)n=n*85+(68*s.charCodeAt(i++)+7)% 87;P=new Uint8Array(P);"
            f"new Response(new Blob([P.slice({len(stream)})]).stream().pipeThrough(new "
            'DecompressionStream("deflate-raw"))).text().then(eval)</script>').encode()
    room = QR_BYTES - len(QR_PREFIX)
    if len(page) > room:
        raise ValueError(f"the page has {len(page)} bytes, a QR code has room for {room}; prune "
                         f"the network, which takes {len(data)} of them, further")
    return Path(path).write_bytes(page)


def _base85(data):
    """bytes, a multiple of 4 -> 5 letters for 4 bytes, highest first.

    A letter of the code c is the digit (68 * c + 7) % 87: with that, no letter needs an escape in a
    script's string or in a data: address (`"`, `\\`, `<`, `#`, `%` are not among them).
    """
    letters = {(68 * ord(letter) + 7) % 87: letter for letter in "".join(
        chr(code) for code in range(33, 127)) if letter not in '"#%<\\'}
    return "".join(letters[int(number) // 85**place % 85]
                   for number in np.frombuffer(data, ">u4") for place in (4, 3, 2, 1, 0))


def _deflate(text):
    """ASCII text -> raw deflate, without zlib's header."""
    return min((coder.compress(text.encode()) + coder.flush() for coder in (
        zlib.compressobj(9, zlib.DEFLATED, -15, memory) for memory in (8, 9))), key=len)


def _source(name):
    """A text file beside this module."""
    return Path(__file__).with_name(name).read_text("utf-8").strip() + "\n" * name.endswith(".js")


def _sha256(text):
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _check_page(network):
    widths = network.widths
    if widths[0] != SIDE**2 or widths[-1] != 10 or len(widths) < 3:
        raise ValueError(f"the page needs {SIDE**2} pixels, a hidden layer and 10 digits; got a "
                         f"network of {widths}")
    for place, layer in enumerate(network.layers):
        weight, bias = layer.weight.astype(np.int64), layer.bias.astype(np.int64)
        largest = (255 * np.abs(weight).sum(1) + np.abs(bias)).max()
        if largest >= 2**31:
            raise ValueError(f"layer {place}: a sum could reach {largest}, beyond int32")
        if layer.shift is not None:
            product = int(largest) * int(layer.multiplier.max()) + (1 << int(layer.shift.max()) - 1)
            if product >= 2**53:
                raise ValueError(f"layer {place}: a product could reach {product}; JavaScript is "
                                 f"exact below {2**53}")


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

"""The network leaves PyTorch: `from mnist_compress import deploy`.

`onnx` writes ONNX files, runs them and recomputes their int8 in NumPy; `executorch` writes and runs
files for PyTorch's runtime for phones; `page` writes one HTML file with everything inside, from the
sources in `web/`; `compare` sets all of them side by side. `c` writes one C file from the sources
in `c/`, with its weights in one of `encodings`; `chip` compiles it for a microcontroller and runs
it in an emulator. A runtime, a compiler or an emulator is imported when it is used.
"""

from . import chip
from .c import export_c
from .compare import deployments
from .onnx import (
    export_onnx,
    load_onnx,
    numpy_logits,
    onnx_layers,
    onnx_logits,
    processor,
    quantize_onnx,
    save_onnx,
)
from .page import QR_BYTES, QR_PREFIX, export_page, export_qr_page

__all__ = [
    "QR_BYTES", "QR_PREFIX", "chip", "deployments", "export_c", "export_onnx", "export_page",
    "export_qr_page", "load_onnx", "numpy_logits", "onnx_layers", "onnx_logits", "processor",
    "quantize_onnx", "save_onnx"]

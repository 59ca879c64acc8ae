"""The network leaves PyTorch: ONNX Runtime, ExecuTorch, one HTML page."""

from .compare import Deployment, deployments  # noqa: F401
from .onnx import (  # noqa: F401
    CALIBRATION_BATCH,
    OnnxLayer,
    export_onnx,
    numpy_logits,
    onnx_latency,
    onnx_layers,
    onnx_logits,
    onnx_session,
    processor,
    quantize_onnx,
)
from .page import PAGE_NAMES, PAGE_SOURCES, QR_BYTES, QR_PREFIX, export_page, export_qr_page  # noqa: F401

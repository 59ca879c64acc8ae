"""The network leaves PyTorch: `from mnist_compress import deploy`.

`onnx` writes ONNX files, runs them and recomputes their int8 in NumPy; `executorch` does so for
PyTorch's runtime for phones; `page` writes one HTML file with everything inside, from the sources
in `web/`; `compare` sets all of them side by side. `c` writes one C file from the sources in `c/`,
with its weights in one of `encodings`; `chip` compiles it for a microcontroller and runs it in an
emulator. A module is imported when its first name is asked for, and a runtime when it is used.
"""

from importlib import import_module

_NAMES = {
    "c": ("export_c",),
    "compare": ("Deployment", "deployments"),
    "encodings": ("ENCODINGS",),
    "onnx": ("export_onnx", "load_onnx", "numpy_logits", "onnx_latency", "onnx_layers",
             "onnx_logits", "processor", "quantize_onnx", "save_onnx"),
    "page": ("export_page", "export_qr_page"),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names}
_WHOLE = ("chip", "executorch")  # modules with names of their own: deploy.chip.build
__all__ = sorted([*_MODULES, *_WHOLE])


def __getattr__(name: str):
    if name in _WHOLE:
        return import_module(f".{name}", __name__)
    if name not in _MODULES:
        raise AttributeError(f"mnist_compress.deploy has no {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def __dir__():
    return __all__

"""What decides the questions of 04_quantization."""

import torch

from ... import measure
from ...data import load_sample
from ...quantization import choose_qparams, qparams_of, quantize, torchao_quantize
from ...training import trained_model


def _quantize_example():
    steps = quantize(torch.tensor([0.1234]), qparams_of(0.01)).item()
    return f"0.1234 / 0.01 = {0.1234 / 0.01:.2f}; quantize says {steps}."


def _row_scales():
    weights = torch.tensor([[1.27, -0.6], [0.004, -0.003]])
    shared, own = (quantize(weights, choose_qparams(weights, per_channel=each))[1].tolist()
                   for each in (False, True))
    return f"The row 0.004, -0.003 becomes {shared} at the layer's scale and {own} at its own."


def _weights_only():
    model, test = trained_model(), load_sample()[1]
    share = measure.torchao_file("", model, test).bytes / measure.dense_file("", model, test).bytes
    weight = torchao_quantize(model).layers[0].weight
    return (f"torchao's file has {share:.0%} of the bytes. Its weights are kept as "
            f"{weight.qdata.dtype} and multiplied as {weight.dequantize().dtype}.")

"""What decides the questions of 05_prediction_trace."""

import torch

from ...data import load_sample
from ...pruning import prune
from ...quantization import quantize_model
from ...trace import run_pipeline
from ...training import trained_model
from . import one_unit


def _bytes_of_data():
    told = [f"{stage.name}: {' x '.join(map(str, stage.after[0]))} {stage.dtype}, "
            f"{stage.bytes:,} bytes" for stage in run_pipeline(epochs=1).stages[:3]]
    return f"{'; '.join(told)}."


def _bytes_of_network():
    told = [f"{stage.name}: {stage.bytes:,} bytes" for stage in run_pipeline(epochs=1).stages[3:]]
    return f"Files written after {'; '.join(told)}."


def _output_steps():
    network = quantize_model(prune(trained_model(), 0.3), load_sample()[0])
    scale = network.activation_scales[1]
    return (f"The output scale of this network's hidden layer is {scale:.4f}: 81 steps are "
            f"{81 * scale:.2f}, 80 would be {80 * scale:.2f} and 82 {82 * scale:.2f}.")


def _unit_output():
    total, output = one_unit([252, 212, 38], [108, -103, 105], 9376, round(0.00062 * 2**24), 24)
    return (f"The package's layer, of pixels 252, 212, 38 and weights 108, -103, 105: accumulator "
            f"{total:,}, handed on {output}.")


def _largest_sum():
    products = torch.tensor([255 * 127, 255 * 127])
    short, long = (products.sum(dtype=kind).item() for kind in (torch.int16, torch.int32))
    return f"32,385 + 32,385 is {short:,} in int16 and {long:,} in int32."

"""What decides the questions of 05_prediction_trace."""

import torch


def _largest_sum():
    products = torch.tensor([255 * 127, 255 * 127])
    short, long = (products.sum(dtype=kind).item() for kind in (torch.int16, torch.int32))
    return f"32,385 + 32,385 is {short:,} in int16 and {long:,} in int32."

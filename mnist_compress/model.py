"""The network of the course: a multilayer perceptron, 784-128-10 unless other widths are given."""

from itertools import pairwise

import torch
from torch import nn


class DigitClassifier(nn.Module):
    """Linear layers with ReLU between them.

    widths: units from input to output, at least two. `layers` holds one nn.Linear for each pair,
    whose weight PyTorch stores as (out, in): 784 inputs and 128 hidden units make 128 x 784.
    Reads rows (n, 784) float32 and returns logits (n, 10). ValueError for impossible widths.
    """

    def __init__(self, widths=(784, 128, 10)):
        super().__init__()
        widths = tuple(widths)
        if len(widths) < 2 or not all(type(width) is int and width > 0 for width in widths):
            raise ValueError(f"widths must be two or more whole numbers above 0; got {widths}")
        self.layers = nn.ModuleList(nn.Linear(inputs, units) for inputs, units in pairwise(widths))

    @property
    def widths(self):
        """Units from input to output, as the layers have them now."""
        return (self.layers[0].in_features, *(layer.out_features for layer in self.layers))

    def forward(self, rows):
        return self.activations(rows)[-1]

    def activations(self, rows):
        """Outputs of all layers: (n, 128) after ReLU, then logits (n, 10)."""
        outputs = []
        for layer in self.layers:
            rows = layer(torch.relu(rows) if outputs else rows)
            outputs.append(rows)
        return [torch.relu(output) for output in outputs[:-1]] + outputs[-1:]

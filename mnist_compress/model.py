"""The network of the course, and where the weights of any network are."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from .arguments import whole

_MENDS = {  # what an attribute of a layer says about its weight: the call that makes it plain again
    "parametrizations": "torch.nn.utils.parametrize.remove_parametrizations",
    "weight_mask": "torch.nn.utils.prune.remove",
    "weight_g": "torch.nn.utils.remove_weight_norm",
    "weight_orig": "torch.nn.utils.remove_spectral_norm",
}


class DigitClassifier(nn.Module):
    """A multilayer perceptron, 784-128-10 by default: linear layers with ReLU between them.

    widths: units from input to output, at least two. `layers` holds one nn.Linear for each pair,
    whose weight PyTorch stores as (out, in): 784 inputs and 128 hidden units make 128 x 784.
    Reads inputs (n, 784) float32 and returns logits (n, 10). ValueError for impossible widths.
    """

    def __init__(self, widths: Sequence[int] = (784, 128, 10)):
        super().__init__()
        widths = [whole("each of widths", width, 1) for width in widths]
        whole("number of widths", len(widths), 2)
        self.layers: Any = nn.ModuleList(nn.Linear(inputs, units, dtype=torch.float32)
                                         for inputs, units in pairwise(widths))

    @property
    def widths(self) -> tuple[int, ...]:
        """Units from input to output, as the layers have them now."""
        return (self.layers[0].in_features, *(layer.out_features for layer in self.layers))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.activations(inputs)[-1]

    def activations(self, inputs: Tensor) -> list[Tensor]:
        """Outputs of all layers: (n, 128) after ReLU, then logits (n, 10)."""
        outputs: list[Tensor] = []
        for layer in self.layers:
            inputs = layer(torch.relu(inputs) if outputs else inputs)
            outputs.append(inputs)
        return [torch.relu(output) for output in outputs[:-1]] + outputs[-1:]


def weight_layers(model: nn.Module) -> list[tuple[str, nn.Linear | nn.Conv2d]]:
    """The Linear and Conv2d layers of any network by name, each weight once.

    ValueError if there are none, or for a weight that is no plain parameter: a hook or a
    parametrization would compute it anew and undo what is done to it. The message has the mend.
    """
    found: dict[int, tuple[str, nn.Linear | nn.Conv2d]] = {}
    for name, layer in model.named_modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            if "weight" not in layer._parameters:
                mend = next((call for mark, call in _MENDS.items() if hasattr(layer, mark)), "")
                raise ValueError(f"the weight of layer {name!r} is computed in every pass; make it "
                                 f"plain: {mend}(model.get_submodule({name!r}), 'weight')")
            found.setdefault(id(layer.weight), (name, layer))
    if not found:
        raise ValueError(f"need a Linear or Conv2d layer; got {type(model).__name__}")
    return list(found.values())

"""The network of the course, and the weights of any network."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize, prune, spectral_norm, weight_norm

from mnist_compress.model import DigitClassifier, weight_layers
from mnist_compress.pruning import fine_tune, sparsity
from mnist_compress.pruning import prune as cut
from mnist_compress.quantization import round_weights


def test_shapes():
    model = DigitClassifier()
    assert model.widths == (784, 128, 10)
    assert [tuple(layer.weight.shape) for layer in model.layers] == [(128, 784), (10, 128)]
    hidden, logits = model.activations(torch.randn(3, 784))
    assert hidden.shape == (3, 128) and hidden.min() >= 0 and logits.shape == (3, 10)


def test_the_network_is_two_matrices_and_relu(model, test):
    (w1, b1), (w2, b2) = ((layer.weight.detach().numpy(), layer.bias.detach().numpy())
                          for layer in model.layers)
    inputs = test.inputs[:50].numpy()
    wanted = np.maximum(inputs @ w1.T + b1, 0) @ w2.T + b2
    assert np.allclose(model(test.inputs[:50]).detach().numpy(), wanted, atol=1e-4)


@pytest.mark.parametrize("widths", [(), (784,), (784, 0, 10), (784, -1), (784.0, 10), (True, 10)])
def test_impossible_widths(widths):
    with pytest.raises(ValueError, match=r"widths must be a whole number, [12] or more; got "):
        DigitClassifier(widths)


def test_layers_of_any_network():
    shared = nn.Linear(5, 5)
    tied = nn.Linear(5, 5)
    tied.weight = shared.weight
    model = nn.ModuleDict({"first": nn.Conv2d(1, 2, 3, groups=1), "norm": nn.BatchNorm2d(2),
                           "inner": nn.Sequential(shared, nn.ReLU(), shared, tied)})
    assert [name for name, _ in weight_layers(model)] == ["first", "inner.0"]
    assert [name for name, _ in weight_layers(nn.Linear(2, 2, bias=False))] == [""]
    with pytest.raises(ValueError, match="need a Linear or Conv2d layer; got ReLU"):
        weight_layers(nn.ReLU())


class Double(nn.Module):
    def forward(self, weight):
        return 2 * weight


@pytest.mark.parametrize(("hook", "mend"), [
    (lambda layer: prune.l1_unstructured(layer, "weight", 0.5), "torch.nn.utils.prune.remove"),
    (weight_norm, "torch.nn.utils.remove_weight_norm"),
    (spectral_norm, "torch.nn.utils.remove_spectral_norm"),
    (lambda layer: parametrize.register_parametrization(layer, "weight", Double()),
     "torch.nn.utils.parametrize.remove_parametrizations")])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_weights_that_are_computed_are_refused_with_the_line_that_mends(hook, mend):
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 3))
    hook(model[1])
    pair = torch.randn(10, 8), torch.randint(3, (10,))
    for call in (lambda: cut(model, 0.5), lambda: sparsity(model), lambda: round_weights(model),
                 lambda: fine_tune(model, pair)):
        with pytest.raises(ValueError, match="the weight of layer '1' is computed in every pass") \
                as error:
            call()
    line = str(error.value).partition("plain: ")[2]
    assert line.startswith(f"{mend}(model.get_submodule('1'), 'weight')")
    exec(line, {"torch": torch, "model": model})
    assert sparsity(cut(model, 0.5)) == 0.5

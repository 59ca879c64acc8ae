"""What decides the questions of 10_your_network."""

import torch

from ...convolution import remove_channels, small_convolution
from ...data import load_sample
from ...model import weight_layers
from ...pretrained import CONVOLUTIONS, checkpoint
from ...quantization import torchao_quantize
from ...training import evaluate


def _layers_changed():
    model = checkpoint("trained", small_convolution())
    kinds = {name: type(layer.weight.data).__name__
             for name, layer in weight_layers(torchao_quantize(model))}
    sizes = [layer.weight.numel() for _, layer in weight_layers(model)]
    told = ", ".join(f"layer {name} {kind} ({size:,} weights)"
                     for (name, kind), size in zip(kinds.items(), sizes, strict=True))
    return f"Types after the call: {told}."


def _next_shape():
    smaller = remove_channels(small_convolution(), "8", range(16))
    return f"remove_channels says: {' x '.join(map(str, smaller[13].weight.shape))}."


def _tested_often():
    validation = load_sample()[1]
    pair = validation.inputs.view(-1, 1, 28, 28), validation.labels
    correct = torch.stack([
        evaluate(checkpoint(name, small_convolution(channels), seed), pair).correct.double()
        for name, channels in CONVOLUTIONS.items() for seed in range(5, 10)])
    generator, found = torch.Generator().manual_seed(0), []
    for _ in range(200):
        half, other = torch.randperm(len(pair[1]), generator=generator).chunk(2)
        best = correct[:, half].mean(1).argmax()
        found.append([100 * correct[best, part].mean().item() for part in (half, other)])
    chosen, honest = torch.tensor(found).mean(0)
    return (f"200 times, half of the validation digits chose the best of {len(correct)} networks: "
            f"{chosen:.1f} % of that half were right on average, of the other half {honest:.1f} %.")

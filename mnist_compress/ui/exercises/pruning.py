"""Exercises about pruning: right functions, and cases to try."""

import torch
from torch.nn import functional as F

from ... import training
from . import Exercise, small_network


def _mask(weight, sparsity):
    size = weight.abs().flatten()
    count = round(sparsity * weight.numel())
    mask = torch.ones(weight.numel(), dtype=torch.bool)
    mask[size.argsort(stable=True)[:count]] = False
    return mask.view(weight.shape)


def _which_stay(mask, weight, sparsity):
    """How large the weights are that stay: of equal magnitudes any may go."""
    if mask.dtype != torch.bool or mask.shape != weight.shape:
        return mask
    return torch.cat([weight[mask].abs().sort().values, weight[~mask].abs().sort().values,
                      mask.sum()[None]])


def _hold(weights, masks):
    with torch.no_grad():
        for weight, mask in zip(weights, masks, strict=True):
            weight *= mask


def _held(hold, name, seed):
    """Weights of two layers after their masks were held, as a training loop does it."""
    generator = torch.Generator().manual_seed(seed)
    weights = [torch.nn.Parameter(torch.randn(shape, generator=generator).round(decimals=2))
               for shape in ((2, 3), (2,))]
    masks = [torch.rand(weight.shape, generator=generator) > 0.5 for weight in weights]
    hold(list(weights), masks)
    return [weight.detach() for weight in weights]


def _fine_tune(model, batches):
    mask = model.weight != 0
    optimizer = training.Adam(model.parameters(), lr=0.1)
    for inputs, labels in batches:
        loss = F.cross_entropy(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            model.weight *= mask
    return model


def _frozen(model, optimizer, batches):
    mask = model.weight != 0
    for inputs, labels in batches:
        loss = F.cross_entropy(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            model.weight *= mask
    return model


def _network(seed):
    """A network of 3 inputs and 2 answers, an Adam that knows it, and three batches."""
    generator = torch.Generator().manual_seed(seed)
    model = small_network(generator)
    batches = [(torch.randn(4, 3, generator=generator), torch.tensor([0, 1, 1, 0]))
               for _ in range(3)]
    optimizer = training.Adam(model.parameters(), lr=0.1)
    for inputs, labels in batches:
        optimizer.zero_grad()
        F.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    optimizer.zero_grad()
    _hold([model.weight], [torch.tensor([[True, False, True], [False, True, False]])])
    return model, optimizer, batches


def _weights_after(tune, name, seed):
    model, _, batches = _network(seed)
    return _weights(tune(model, batches), model)


def _weights_after_frozen(tune, name, seed):
    model, optimizer, batches = _network(seed)
    return _weights(tune(model, optimizer, batches), model)


def _weights(returned, model):
    return (model if returned is None else returned).weight.detach()


def _smaller(weight1, bias1, weight2, keep):
    return weight1[keep], bias1[keep], weight2[:, keep]


def _of_parts(smaller, name, keep):
    """Two layers of 3 inputs, 4 units and 2 outputs, after units were removed."""
    return smaller(torch.arange(12.0).view(4, 3), torch.arange(4.0),
                   torch.arange(8.0).view(2, 4) / 10, torch.tensor(keep))


_WEIGHTS = torch.tensor([[0.5, -0.9, 0.02, -0.01], [0.03, 0.8, -0.7, 0.6], [-4.0, 3.0, 2.0, -1.0]])
_TIES = torch.tensor([[0.1, -0.1, 0.5, 0.1], [-0.7, 0.1, 0.6, 0.8]])
_ZEROS = torch.tensor([[0.0, 0.4, 0.0, -0.3], [0.0, 0.2, 0.0, 0.9]])
_TEN = torch.tensor([[0.7, -0.2, 0.4, 0.9, -0.1], [0.3, 0.8, -0.6, 0.5, 1.0]])
_CUT = [("a network with three weights cut", 0), ("another one", 1)]
_EXERCISES = {
    "my_mask": Exercise(_mask, [
        (_WEIGHTS, 0.5), (_WEIGHTS, 0.25), (_WEIGHTS * 3, 0.75), (_WEIGHTS, 0.3), (_WEIGHTS, 0.2),
        (_TEN, 0.25), (_TIES, 0.25), (_ZEROS, 0.25), (_WEIGHTS, 0.0)], alike=_which_stay),
    "my_hold": Exercise(_hold, [("two layers and their masks", 0), ("two other layers", 1)], _held),
    "my_fine_tune": Exercise(_fine_tune, _CUT, _weights_after),
    "my_frozen": Exercise(_frozen, _CUT, _weights_after_frozen),
    "my_smaller": Exercise(_smaller, [("units 0 and 2 of four", [0, 2]),
                                      ("units 3, 1 and 2 of four", [3, 1, 2])], _of_parts),
}

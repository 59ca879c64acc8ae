"""Networks that are not the course's own, to be measured all the same."""

import pytest
import torch
from torch import nn


@pytest.fixture
def mixed():
    """A convolution, BatchNorm and Dropout, in train mode, and a pair (inputs, labels) for it."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2, bias=False), nn.BatchNorm2d(4), nn.ReLU(),
                            nn.Dropout(0.5), nn.Flatten(), nn.Linear(4 * 13 * 13, 10))
    network(5 * torch.randn(20, 1, 28, 28))  # so that BatchNorm's buffers are not fresh
    return network, (torch.randn(50, 1, 28, 28), torch.randint(10, (50,)))


@pytest.fixture
def undisturbed(mixed):
    """Fails a test after which the mixed network is not what it was."""
    network, _ = mixed
    before = {name: part.clone() for name, part in network.state_dict().items()}
    random = torch.random.get_rng_state()
    yield
    assert all(module.training for module in network.modules())
    assert torch.equal(random, torch.random.get_rng_state())
    assert not any(module._forward_hooks or module._forward_pre_hooks
                   for module in network.modules())
    assert all(torch.equal(before[name], part) for name, part in network.state_dict().items())

"""Networks of bare tensors: first weights, forward passes, batches."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from mnist_compress.compress.network import (
    batches,
    forward,
    random_network,
    straight_through,
    trainable,
)

from . import generator


@given(count=st.integers(1, 40), size=st.integers(1, 15), steps=st.integers(0, 30))
def test_batches_visit_every_digit_once_a_pass(count, size, steps):
    found = list(batches(count, size, steps, generator()))
    assert len(found) == steps
    a_pass = math.ceil(count / size)
    for start in range(0, steps - a_pass + 1, a_pass):
        visited = torch.cat(found[start:start + a_pass])
        assert sorted(visited.tolist()) == list(range(count))
    again = list(batches(count, size, steps, generator()))
    assert all(torch.equal(a, b) for a, b in zip(found, again, strict=True))


def test_the_last_batch_of_a_pass_is_smaller():
    sizes = [len(index) for index in batches(23, 5, 12, generator())]
    assert sizes == [5, 5, 5, 5, 3] * 2 + [5, 5]


def test_first_weights_are_those_of_he():
    network = random_network((400, 300, 10), generator())
    assert [weight.shape for weight, _ in network] == [(300, 400), (10, 300)]
    for weight, bias in network:
        assert weight.std().item() == pytest.approx(math.sqrt(2 / weight.shape[1]), rel=0.05)
        assert abs(weight.mean()) < 0.005 and not bias.any() and bias.shape == weight.shape[:1]


def test_a_trainable_copy_leaves_the_network_alone():
    network = random_network((6, 5, 10), generator())
    copy = trainable(network)
    for layer, own in zip(network, copy, strict=True):
        for part, twin in zip(layer, own, strict=True):
            assert torch.equal(part, twin) and twin.requires_grad and not part.requires_grad
            assert part.data_ptr() != twin.data_ptr()


def test_forward_is_matrix_products_and_relu():
    network = random_network((6, 5, 4, 10), generator())
    network = [(weight, torch.randn(len(weight), generator=generator(1))) for weight, _ in network]
    inputs = torch.rand(9, 6, generator=generator())
    values = inputs.double().numpy()
    found = forward(network, inputs)
    for place, (weight, bias) in enumerate(network):
        assert np.allclose(found[place].numpy(), values, atol=1e-5)
        values = values @ weight.double().numpy().T + bias.double().numpy()
        values = values if place == 2 else np.maximum(values, 0)
    assert len(found) == 4 and np.allclose(found[-1].numpy(), values, atol=1e-5)


def test_a_change_is_made_to_hidden_values_alone():
    network, places = random_network((6, 5, 4, 10), generator()), []

    def change(values, place):
        places.append((place, tuple(values.shape), values.min().item() >= 0))
        return values * 0

    inputs = torch.rand(9, 6, generator=generator())
    found = forward(network, inputs, change)
    assert places == [(1, (9, 5), True), (2, (9, 4), True)]
    assert torch.equal(found[0], inputs) and not any(values.any() for values in found[1:])


def test_the_gradient_of_a_network_is_that_of_finite_differences():
    network = random_network((4, 3, 5), generator())
    network = [(w.double().requires_grad_(), b.double().requires_grad_()) for w, b in network]
    inputs = torch.rand(3, 4, generator=generator(), dtype=torch.float64)

    def loss(*parts):
        pairs = list(zip(parts[::2], parts[1::2], strict=True))
        return F.cross_entropy(forward(pairs, inputs)[-1], torch.tensor([1, 2, 3]))

    assert torch.autograd.gradcheck(loss, [part for layer in network for part in layer])


def test_straight_through_has_the_value_of_one_and_the_gradient_of_the_other():
    x = torch.tensor([0.2, 1.7, -3.4], requires_grad=True)
    y = straight_through(x**2, x.round())
    assert y.tolist() == pytest.approx([0, 2, -3])
    y.sum().backward()
    assert torch.allclose(x.grad, 2 * x.detach())

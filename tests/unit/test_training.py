"""Training and measuring: what does not fit is said before torch stumbles over it."""

import math

import pytest
import torch

from mnist_compress.model import DigitClassifier
from mnist_compress.training import evaluate, fit, logits, train


def need(widths, outputs=10):
    return (f"these digits need a network with 784 inputs and at least {outputs} outputs; got one "
            f"of the widths {widths}")


@pytest.mark.parametrize("widths", [(10, 5, 2), (100, 10, 10), (785, 10), (784, 5, 3), (784, 9)])
def test_a_network_that_does_not_fit(digits, test, widths):
    for call in (lambda: evaluate(DigitClassifier(widths), test),
                 lambda: logits(DigitClassifier(widths), test),
                 lambda: train(digits, test, widths=widths),
                 lambda: next(fit(DigitClassifier(widths).double(), digits, 1, 16, 1e-3))):
        with pytest.raises(ValueError) as error:
            call()
        assert str(error.value) == need(widths)


def test_a_network_without_layers(digits):
    model = DigitClassifier()
    model.layers = torch.nn.ModuleList()
    for call in (lambda: evaluate(model, digits), lambda: next(fit(model, digits, 1, 16, 1e-3))):
        with pytest.raises(ValueError, match="the model has no layers, so it cannot read digits"):
            call()


def test_zeros_and_ones_need_two_outputs(digits, test):
    few, unseen = (part[part.labels < 2] for part in (digits, test))
    model, history = train(few, unseen, widths=(784, 4, 2), epochs=2)
    assert model.widths == (784, 4, 2) and history[-1].test_accuracy > 0.9
    with pytest.raises(ValueError) as error:
        evaluate(model, test[test.labels < 3])
    assert str(error.value) == need((784, 4, 2), 3)
    assert logits(model, test[:0]).shape == (0, 2)


def test_a_model_of_your_own_is_measured_too(test):
    mine = torch.nn.Sequential(torch.nn.Linear(784, 12))
    assert evaluate(mine, test[:5]).predictions.shape == (5,)
    assert evaluate(lambda rows: rows[:, 300:310], test[:5]).predictions.shape == (5,)


@pytest.mark.parametrize("wrong", ["x", None, True, 1j, [0.1], 1, math.inf, -0.1])
def test_a_learning_rate_that_is_none(digits, test, wrong):
    with pytest.raises(ValueError) as error:
        train(digits, test, learning_rate=wrong)
    assert str(error.value) == f"learning_rate must be above 0 and below 1; got {wrong!r}"

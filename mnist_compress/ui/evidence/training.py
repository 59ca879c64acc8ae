"""What decides the questions of 02_training."""

import torch

from ...data import load_sample
from ...training import evaluate, trained_model


def _linear_shape():
    layer = torch.nn.Linear(784, 128)
    return (f"torch.nn.Linear(784, 128).weight has the shape {tuple(layer.weight.shape)}, "
            f"its bias {tuple(layer.bias.shape)}.")


def _train_and_test_accuracy():
    model = trained_model()
    seen, new = (evaluate(model, digits).accuracy for digits in load_sample()[:2])
    return f"This network gets {seen:.1%} of its training digits right and {new:.1%} of new digits."

"""What decides the questions of 02_training."""

import torch
from torch.nn import functional as F

from ...data import load_sample
from ...training import Adam, evaluate, train, trained_model


def _linear_shape():
    layer = torch.nn.Linear(784, 128)
    return (f"torch.nn.Linear(784, 128).weight has the shape {tuple(layer.weight.shape)}, "
            f"its bias {tuple(layer.bias.shape)}.")


def _train_and_test_accuracy():
    model = trained_model()
    seen, new = (evaluate(model, digits).accuracy for digits in load_sample()[:2])
    return f"This network gets {seen:.1%} of its training digits right and {new:.1%} of new digits."


def _missing_line():
    told = []
    for left_out in ("step", "zero_grad"):
        layer = torch.nn.Linear(2, 2)
        torch.nn.init.ones_(layer.weight)
        optimizer = Adam(layer.parameters(), lr=0.1)
        for label in (0, 1, 1):
            if left_out != "zero_grad":
                optimizer.zero_grad()
            F.cross_entropy(layer(torch.ones(1, 2)), torch.tensor([label])).backward()
            if left_out != "step":
                optimizer.step()
        told.append(f"without {left_out}, {int((layer.weight != 1).sum())} of 4 weights change "
                    f"and {int((layer.weight.grad != 0).sum())} have a gradient")
    return f"A layer of 2 x 2 weights, three batches: {'; '.join(told)}."


def _epoch_four():
    epochs = train(*load_sample()[:2], seed=0)[1][2:]
    rows = [f"epoch {row.epoch} {row.train_loss:.2f} and {row.validation_accuracy:.1%}"
            for row in epochs]
    return ("This is seed 0 of the course's network, training loss and validation accuracy: "
            f"{', '.join(rows)}.")


def _two_seeds():
    validation = load_sample()[1]
    three, six = (evaluate(trained_model(seed), validation).accuracy for seed in (3, 6))
    return (f"At one and the same learning rate, seed 3 gets {three:.1%} and seed 6 {six:.1%} of "
            "the validation digits right.")

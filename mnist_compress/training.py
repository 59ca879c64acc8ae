"""Training the network, measuring it, and one line about each epoch."""

import copy
import functools
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch.nn import functional as F

from .data import SIDE, as_number, flatten, load_sample
from .model import DigitClassifier


class Evaluation(NamedTuple):
    """How a model does on n digits: loss, accuracy 0..1, predictions (n,) int64, correct (n,)."""

    loss: float
    accuracy: float
    predictions: torch.Tensor
    correct: torch.Tensor


@dataclass(frozen=True)
class Epoch:
    """One row of a `History`: losses are mean cross-entropies, accuracies fractions of 1."""

    epoch: int
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    observation: str


class History(tuple):
    """One `Epoch` for each pass over the training rows."""

    def table(self):
        """A pandas table, rounded for reading: losses to 2 digits, accuracies in per cent."""
        import pandas as pd

        rows = [(row.epoch, f"{row.train_loss:.2f}", f"{100 * row.train_accuracy:.1f} %",
                 f"{row.test_loss:.2f}", f"{100 * row.test_accuracy:.1f} %", row.observation)
                for row in self]
        names = ["epoch", "train loss", "train acc.", "test loss", "test acc.", "observation"]
        return pd.DataFrame(rows, columns=names).set_index("epoch")


def check_fits(model, digits):
    """ValueError unless the model has layers, reads 784 pixels and has an output for each label.

    Labels 0 and 1 alone need two outputs. A model of your own without `widths` is not checked.
    """
    if not hasattr(type(model), "widths"):
        return
    if not len(model.layers):
        raise ValueError("the model has no layers, so it cannot read digits")
    widths, outputs = model.widths, int(digits.labels.max()) + 1 if len(digits) else 1
    if widths[0] != SIDE * SIDE or widths[-1] < outputs:
        raise ValueError(f"these digits need a network with {SIDE * SIDE} inputs and at least "
                         f"{outputs} outputs; got one of the widths {widths}")


def logits(model, digits):
    """Logits (n, 10) float32 of any model of the course. An integer model reads the pixels.

    ValueError for a network that does not fit the digits.
    """
    check_fits(model, digits)
    rows = flatten(digits.images) if getattr(model, "reads_pixels", False) else digits.inputs
    with torch.no_grad():
        return model(rows)


def evaluate(model, digits):
    """Measure a model on `digits`: an `Evaluation`.

    ValueError if there are no digits or the model does not fit them.
    """
    if not len(digits):
        raise ValueError("need at least one digit to evaluate on; got 0")
    answers = logits(model, digits)
    correct = answers.argmax(1) == digits.labels
    loss = F.cross_entropy(answers.double(), digits.labels).item()
    return Evaluation(loss, correct.double().mean().item(), answers.argmax(1), correct)


def train(train_digits, test_digits, *, widths=(784, 128, 10), epochs=5, batch_size=16,
          learning_rate=1e-3, seed=0, progress=None):
    """Train a new network with Adam (Kingma & Ba 2015): (DigitClassifier, History).

    The same seed gives the same network: torch's own random state is neither used nor changed.
    Arithmetic is float64 and rounded once, at the end, to float32: so processors that add in
    another order still agree on the weights. progress: wraps the epochs, as tqdm does.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model, history = DigitClassifier(widths).double(), []
        for _ in fit(model, train_digits, epochs, batch_size, learning_rate, progress):
            scores = [evaluate(_rounded(model), digits) for digits in (train_digits, test_digits)]
            history.append(_epoch(history, *scores))
    return _rounded(model), History(history)


@functools.cache
def _trained(seed):
    return train(*load_sample(), seed=seed)[0]


def trained_model(seed=0):
    """The course's network, trained on the 1000 sample digits; a copy of its own for each call."""
    return copy.deepcopy(_trained(seed))


def fit(model, digits, epochs, batch_size, learning_rate, progress=None, after_step=None):
    """Train a float64 model where it stands and yield after each epoch.

    after_step(model) runs after every step of the optimizer; pruning uses it to hold its masks.
    ValueError for settings that cannot be or a model that does not fit the digits.
    """
    for name, value in (("epochs", epochs), ("batch_size", batch_size), ("digits", len(digits))):
        if type(value) is not int or value < 1:
            raise ValueError(f"{name} must be a whole number, 1 or more; got {value!r}")
    if not 0 < as_number(learning_rate) < 1:
        raise ValueError(f"learning_rate must be above 0 and below 1; got {learning_rate!r}")
    check_fits(model, digits)
    rows, labels = digits.inputs.double(), digits.labels
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
    for epoch in (progress or iter)(range(epochs)):
        for batch in torch.randperm(len(digits)).split(batch_size):
            loss = F.cross_entropy(model(rows[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if after_step:
                after_step(model)
        yield epoch


def _rounded(model):
    return copy.deepcopy(model).float()


def _epoch(history, train, test):
    """The next `Epoch`. Its observation is derived from its figures and the last row's."""
    gap = 100 * (train.accuracy - test.accuracy)
    if not history:
        text = f"After one pass, {100 * train.accuracy:.0f} of 100 rows are right."
    else:
        before = history[-1]
        fall = 100 * (before.train_loss - train.loss) / (before.train_loss or 1)
        gain = 100 * (test.accuracy - before.test_accuracy)
        if fall < 0:
            text = "The loss rises: the steps are too long."
        elif abs(gain) < 0.25:
            text = f"Loss -{fall:.0f} %, but new digits gain nothing."
        else:
            text = f"Loss -{fall:.0f} %, new digits {gain:+.1f} points."
        if gap > 8:
            text = f"Old rows lead by {gap:.0f} points: memorising."
    return Epoch(len(history) + 1, train.loss, train.accuracy, test.loss, test.accuracy, text)

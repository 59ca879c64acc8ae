"""Training a network and measuring it: the course's own, or any that answers with logits."""

import copy
import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .arguments import finite, real, whole
from .data import Digits, inputs_and_labels, load_sample
from .model import DigitClassifier

COURSE_SEED = 7  # of the course's network: about the median of seeds 0 to 9, on validation digits
Pair = Digits | tuple[Tensor, Tensor]  # digits, or inputs (n, ...) and labels (n,)


class _Evaluation(NamedTuple):
    """How a model does on n digits: loss, accuracy 0..1, predictions (n,) int64, correct (n,),
    by_digit, the accuracy of each label from 0 up, NaN where there is none, and confidence, the
    mean of the largest probability."""

    loss: float
    accuracy: float
    predictions: Tensor
    correct: Tensor
    by_digit: Tensor
    confidence: float


@dataclass(frozen=True)
class Epoch:
    """One row of a `History`: losses are mean cross-entropies, accuracies fractions of 1."""

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float


class History(tuple[Epoch, ...]):
    """One `Epoch` for each pass over the training digits."""


@contextmanager
def _undisturbed(model: Any, training: bool) -> Iterator[None]:
    """All of the model in train or eval mode for a while; torch's random state stays as it is."""
    modes = [(module, module.training) for module in getattr(model, "modules", list)()]
    with torch.random.fork_rng(devices=[]):
        if modes:
            model.train(training)
        try:
            yield
        finally:
            for module, mode in modes:
                module.training = mode


def logits(model: Any, digits: Pair) -> Tensor:
    """Logits (n, classes), float, of any torch.nn.Module, in eval mode and without gradients.

    An `IntegerNetwork` reads the pixels, uint8. ValueError for inputs that the model does not
    take, or answers that are no logits for these labels.
    """
    if hasattr(model, "logit_scale"):
        pixels = digits.images if isinstance(digits, Digits) else digits[0]
        return torch.from_numpy(model.logits(pixels.numpy())).float() * model.logit_scale
    inputs, labels = inputs_and_labels(digits)
    if inputs.is_floating_point():  # in the precision of the model's first weight
        inputs = inputs.to(next(iter(getattr(model, "parameters", list)()), inputs).dtype)
    with torch.no_grad(), _undisturbed(model, training=False):
        try:
            answers = torch.as_tensor(model(inputs))
        except RuntimeError as error:
            raise ValueError(f"the model does not read inputs of {tuple(inputs.shape)}: {error}"
                             ) from error
    most = int(labels.max()) if len(labels) else 0
    if answers.ndim != 2 or answers.shape[1] <= most:
        raise ValueError(f"the model must give a logit for each of the labels 0 to {most}; got "
                         f"answers of {tuple(answers.shape)}")
    return answers


def evaluate(model: Any, digits: Pair) -> _Evaluation:
    """Loss, accuracy, predictions and so on, of any model on `digits` or a pair.

    The model stays as it is, its mode and buffers too. ValueError if there are no digits, and as
    `logits` says.
    """
    labels = digits.labels if isinstance(digits, Digits) else inputs_and_labels(digits)[1]
    whole("number of digits", len(labels), 1)
    answers = logits(model, digits).double()
    correct = answers.argmax(1) == labels
    sure = answers.softmax(1).amax(1).mean().item()
    by_digit = torch.bincount(labels, correct.double()) / torch.bincount(labels)
    return _Evaluation(F.cross_entropy(answers, labels).item(), correct.double().mean().item(),
                       answers.argmax(1), correct, by_digit, sure)


def train(train_digits: Pair, validation_digits: Pair, *, widths: tuple[int, ...] = (784, 128, 10),
          epochs: int = 5, batch_size: int = 16, learning_rate: float = 1e-3,
          seed: int = COURSE_SEED, progress: Callable | None = None
          ) -> tuple[DigitClassifier, History]:
    """Train a new network with Adam (Kingma & Ba 2015): (DigitClassifier, History).

    The same seed gives the same network: torch's random state and settings are neither used nor
    changed. Arithmetic is float64 and rounded once, at the end, to float32: so processors that add
    in another order still agree on the weights. progress: wraps the epochs, as tqdm does.
    """
    history: list[Epoch] = []
    parts = [inputs_and_labels(part) for part in (train_digits, validation_digits)]

    def note(model: nn.Module) -> None:
        old, new = (evaluate(_rounded(model), part) for part in parts)
        history.append(Epoch(len(history) + 1, old.loss, old.accuracy, new.loss, new.accuracy))

    with torch.random.fork_rng(devices=[]), torch.inference_mode(False):
        torch.manual_seed(seed)
        model = DigitClassifier(widths).double()
        fit(model, parts[0], epochs=epochs, batch_size=batch_size, learning_rate=learning_rate,
            progress=progress, after_epoch=note)
        return _rounded(model), History(history)


def _rounded(model: nn.Module) -> Any:
    return copy.deepcopy(model).float()


@functools.cache
def _trained(seed: int) -> DigitClassifier:
    return train(*load_sample()[:2], seed=seed)[0]


def trained_model(seed: int = COURSE_SEED) -> DigitClassifier:
    """The course's network, trained on the 1000 sample digits; a copy of its own for each call."""
    return copy.deepcopy(_trained(seed))


def train_on(model: nn.Module, digits: Pair, *, epochs: int = 2, batch_size: int = 16,
             learning_rate: float = 1e-3, one_cycle: bool = False, seed: int = 0,
             progress: Callable | None = None, after_step: Callable | None = None) -> Any:
    """A copy of any network, trained further; see `fit`. What was float32 is so again afterwards.

    The same seed gives the same network, as in `train`. ValueError for a weight or bias that is NaN
    or infinite, which training would spread.
    """
    for parameter in model.parameters():
        finite("weights and biases", parameter)
    with torch.inference_mode(False), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        precise = copy.deepcopy(model).double()
        fit(precise, digits, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate,
            one_cycle=one_cycle, progress=progress, after_step=after_step)
        trained = copy.deepcopy(model)
        trained.load_state_dict(precise.state_dict())
    return trained


class Adam:
    """Adam (Kingma and Ba 2015), the same steps as `torch.optim.Adam`, in ten lines.

    The first optimizer of torch in a process imports its compiler, which costs memory and seconds.
    """

    def __init__(self, parameters: Iterable[Tensor], lr: float):
        self.weights, self.lr, self.steps = list(parameters), lr, 0
        self.means = [torch.zeros_like(weight) for weight in self.weights]  # of the gradients
        self.squares = [torch.zeros_like(weight) for weight in self.weights]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for weight in self.weights:
            weight.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move each weight against the mean of its gradients, over the root of their squares."""
        self.steps += 1
        for weight, mean, square in zip(self.weights, self.means, self.squares, strict=True):
            if weight.grad is not None:
                mean.lerp_(weight.grad, 0.1)
                square.mul_(0.999).addcmul_(weight.grad, weight.grad, value=0.001)
                size = square.sqrt().div_((1 - 0.999**self.steps) ** 0.5).add_(1e-8)
                weight.addcdiv_(mean, size, value=-self.lr / (1 - 0.9**self.steps))


def fit(model: nn.Module, digits: Pair, *, epochs: int, batch_size: int, learning_rate: float,
        one_cycle: bool = False, progress: Callable | None = None,
        after_step: Callable | None = None, after_epoch: Callable | None = None) -> None:
    """Train any float64 model where it stands, with torch's current random state.

    one_cycle: the rate rises to `learning_rate`, then falls to almost 0 (Smith & Topin 2018, arXiv
    1708.07120). after_step(model) and after_epoch(model) run when a step of Adam, or a pass over
    the digits, is done; pruning holds its masks so. ValueError for settings that cannot be, or a
    model that does not read the digits.
    """
    inputs, labels = inputs_and_labels(digits)
    epochs, batch_size = whole("epochs", epochs, 1), whole("batch_size", batch_size, 1)
    whole("number of digits", len(labels), 1)
    logits(model, (inputs[:1], labels[:1]))  # says what does not fit
    rate = real("learning_rate", learning_rate, above=0, below=1)
    with torch.inference_mode(False), torch.enable_grad(), _undisturbed(model, training=True):
        inputs = inputs.double()
        optimizer: Any = Adam(model.parameters(), rate)
        schedule = None
        if one_cycle:
            optimizer = torch.optim.Adam(model.parameters(), rate, fused=True)
            steps = epochs * -(-len(labels) // batch_size)
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
        for _ in (progress or iter)(range(epochs)):
            for batch in torch.randperm(len(labels)).split(batch_size):
                loss = F.cross_entropy(model(inputs[batch]), labels[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                if schedule:
                    schedule.step()
                if after_step:
                    after_step(model)
            if after_epoch:
                after_epoch(model)

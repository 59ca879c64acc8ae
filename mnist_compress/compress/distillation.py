"""A large teacher learns from the augmented digits; a small student learns from its answers."""

from collections.abc import Callable
from itertools import chain
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ..data import Digits, normalize
from .augmentation import augmented_copies
from .network import Network, Watch, batches, forward, random_network, trainable, unwatched
from .recipe import Recipe

_RATE, _DROPOUT = 3e-3, 0.3  # of the teacher's training


class Lesson(NamedTuple):
    """What students learn from: inputs uint8 (copies * n, in); labels int64 (n,), the same for each
    copy; soft, the teacher's logits for each input, float32 (copies * n, 10)."""

    inputs: Tensor
    labels: Tensor
    soft: Tensor

    def loss(self, network: Network, index: Tensor, change: Callable | None = None) -> Tensor:
        """The distillation loss of a network on the inputs at `index`; change as in `forward`."""
        answers = forward(network, normalize(self.inputs[index]), change)[-1]
        labels = self.labels[index % len(self.labels)]
        return distillation_loss(answers, self.soft[index], labels)


def distillation_loss(student: Tensor, teacher: Tensor, labels: Tensor, temperature: float = 2.0,
                      share: float = 0.5) -> Tensor:
    """Logits (n, 10) of both and labels (n,) -> loss () (Hinton, Vinyals & Dean 2015).

    The teacher's probabilities at `temperature` count `share`, the labels the rest.
    """
    soft = F.kl_div((student / temperature).log_softmax(1), (teacher / temperature).softmax(1),
                    reduction="batchmean")
    return (1 - share) * F.cross_entropy(student, labels) + share * temperature**2 * soft


@torch.inference_mode(False)  # with gradients, even inside no_grad or inference_mode
def teach(digits: Digits, recipe: Recipe, seed: int = 0, watch: Watch = unwatched) -> Lesson:
    """Training digits -> Lesson: augmented copies, and what a dense teacher says of each.

    watch: shows how far it is, such as `ui.bar`.
    """
    generator = torch.Generator().manual_seed(seed)
    inputs = augmented_copies(digits.images, recipe.copies, recipe.tie, generator,
                              recipe.augmentation, watch)
    teacher = _train_teacher(inputs, digits.labels, recipe, generator, watch)
    with torch.no_grad():
        soft = [forward(teacher, normalize(part))[-1] for part in inputs.split(10_000)]
    return Lesson(inputs, digits.labels, torch.cat(soft))


def _train_teacher(inputs, labels, recipe, generator, watch):
    """AdamW (Loshchilov & Hutter 2019), one cycle of the rate, dropout on hidden units."""
    def drop(values, _):
        keep = torch.empty_like(values).bernoulli_(1 - _DROPOUT, generator=generator)
        return values * keep / (1 - _DROPOUT)

    steps = recipe.teacher_steps
    widths = (inputs.shape[1], *recipe.teacher, recipe.widths[-1])
    teacher = trainable(random_network(widths, generator))
    adam = torch.optim.AdamW(chain(*teacher), lr=_RATE, fused=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR(adam, _RATE, total_steps=steps, pct_start=0.1)
    order = batches(len(inputs), recipe.batch, steps, generator)
    for index in watch(order, "teacher", steps):
        adam.zero_grad()
        answers = forward(teacher, normalize(inputs[index]), drop)[-1]
        F.cross_entropy(answers, labels[index % len(labels)]).backward()
        adam.step()
        cycle.step()
    return teacher

"""compress/distillation"""

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from .augmentation import PART, distorted_copies
from .network import CLASSES, batches, logits, random_network, require


@dataclass(frozen=True)
class Lesson:
    """What students learn from: rows uint8 (copies * n, in), labels int64 (n,), the teacher's
    logits for each row float32 (copies * n, 10), and the teacher, a network."""

    rows: torch.Tensor
    labels: torch.Tensor
    soft: torch.Tensor
    teacher: list

    def loss(self, network, index, scales=None):
        """The distillation loss of a network on the rows of that index."""
        out = logits(network, self.rows[index] / 255, scales)
        return distillation_loss(out, self.soft[index], self.labels[index % len(self.labels)])


def distillation_loss(student, teacher, labels, temperature=2.0, share=0.5):
    """Logits (n, 10) twice and labels (n,) -> loss (Hinton, Vinyals & Dean 2015).

    The soft part, the teacher's probabilities at `temperature`, counts `share`; labels the rest.
    """
    soft = F.kl_div((student / temperature).log_softmax(1), (teacher / temperature).softmax(1),
                    reduction="batchmean")
    return (1 - share) * F.cross_entropy(student, labels) + share * temperature**2 * soft


def train_teacher(rows, labels, widths, steps, batch, generator, rate=3e-3, dropout=0.3):
    """uint8 rows (copies * n, in), labels (n,) -> a dense network.

    AdamW (Loshchilov & Hutter 2019) with one cycle of the rate, and dropout on hidden units.
    """
    def drop(values):
        keep = torch.empty_like(values).bernoulli_(1 - dropout, generator=generator)
        return values * keep / (1 - dropout)

    network = random_network(widths, generator)
    parameters = [part.requires_grad_() for layer in network for part in layer]
    adam = torch.optim.AdamW(parameters, lr=rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, rate, total_steps=steps, pct_start=0.1)
    for index in batches(len(rows), batch, steps, generator):
        adam.zero_grad()
        out = logits(network, rows[index] / 255, drop=drop)
        F.cross_entropy(out, labels[index % len(labels)]).backward()
        adam.step()
        schedule.step()
    return [(w.detach(), b.detach()) for w, b in network]


def teach(digits, recipe, seed=0):
    """Training Digits -> Lesson: distorted copies, a dense teacher, what it says about each row.

    ValueError if there are no digits.
    """
    require(len(digits) > 0, "need at least one digit to learn from; got 0")
    generator = torch.Generator().manual_seed(seed)
    rows = distorted_copies(digits.images, recipe.copies, recipe.tie, generator, recipe.distortion)
    widths = (recipe.inputs, *recipe.teacher, CLASSES)
    teacher = train_teacher(rows, digits.labels, widths, recipe.teacher_steps, recipe.batch,
                            generator)
    with torch.no_grad():
        soft = torch.cat([logits(teacher, part / 255) for part in rows.split(5 * PART)])
    return Lesson(rows, digits.labels, soft, teacher)

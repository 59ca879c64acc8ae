"""The lesson: its loss against the formula, a teacher that learns."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mnist_compress.compress import distillation_loss, teach
from mnist_compress.compress.network import forward, random_network

from . import DEEP, TINY, generator


def test_the_distillation_loss_is_hintons():
    chance = np.random.default_rng(0)
    student, teacher = chance.normal(size=(2, 7, 10))
    labels = chance.integers(0, 10, 7)

    def probabilities(values, temperature):
        powers = np.exp(values / temperature)
        return powers / powers.sum(1, keepdims=True)

    hard = -np.log(probabilities(student, 1)[np.arange(7), labels]).mean()
    p, q = probabilities(teacher, 3), probabilities(student, 3)
    soft = (p * np.log(p / q)).sum(1).mean()
    got = distillation_loss(torch.tensor(student), torch.tensor(teacher), torch.tensor(labels),
                            temperature=3.0, share=0.3)
    assert got.item() == pytest.approx(0.7 * hard + 0.3 * 9 * soft)


def test_the_loss_of_a_lesson_is_that_of_its_digits(few):
    lesson = teach(few, TINY)
    network = random_network((196, 12, 10), generator())
    index = torch.tensor([3, len(few) + 3, 150])  # a digit, its copy, another copy
    answers = forward(network, lesson.inputs[index] / 255)[-1]
    labels = few.labels[[3, 3, 50]]
    wanted = distillation_loss(answers, lesson.soft[index], labels)
    assert lesson.loss(network, index).item() == pytest.approx(wanted.item())
    silent = lesson.loss(network, index, lambda values, place: values * 0)
    nothing = distillation_loss(torch.zeros(3, 10), lesson.soft[index], labels)
    assert silent.item() == pytest.approx(nothing.item())


def test_a_teacher_learns_and_a_seed_repeats_the_lesson(few):
    recipe = replace(TINY, teacher=(32,), teacher_steps=80, augmentation=1.0)
    first, again, other = (teach(few, recipe, seed) for seed in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first.soft, other.soft) and not torch.equal(first.inputs, other.inputs)
    answers = first.soft[:len(few)].argmax(1)
    assert (answers == few.labels).float().mean() > 0.8


@pytest.mark.parametrize("recipe", [TINY, DEEP], ids=["tied", "deep"])
def test_the_lesson_has_a_copy_for_each_digit(few, recipe):
    lesson = teach(few, recipe)
    assert lesson.inputs.shape == (recipe.copies * len(few), recipe.student_widths[0])
    assert lesson.inputs.dtype == torch.uint8 and lesson.soft.dtype == torch.float32
    assert lesson.soft.shape == (recipe.copies * len(few), 10)
    assert torch.equal(lesson.labels, few.labels)

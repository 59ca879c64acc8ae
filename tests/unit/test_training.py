"""Training and measuring, of the course's network and of any other."""

import copy
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mnist_compress import training
from mnist_compress.data import load_sample
from mnist_compress.model import DigitClassifier
from mnist_compress.training import evaluate, fit, logits, train, trained_model


def call_fit(model, digits):
    fit(model.double(), digits, epochs=1, batch_size=16, learning_rate=1e-3)


@pytest.mark.parametrize("widths", [(10, 5, 2), (100, 10, 10), (785, 10)])
def test_a_network_that_does_not_read_the_digits(digits, test, widths):
    for call in (lambda: evaluate(DigitClassifier(widths), test),
                 lambda: train(digits, test, widths=widths),
                 lambda: call_fit(DigitClassifier(widths), digits)):
        with pytest.raises(ValueError, match=r"the model does not read inputs of \(\d+, 784\)"):
            call()


def test_a_network_without_an_answer_for_each_label(digits, test):
    few, unseen = (part[part.labels < 2] for part in (digits, test))
    model, history = train(few, unseen, widths=(784, 4, 2), epochs=4)
    assert model.widths == (784, 4, 2) and history[-1].validation_accuracy > 0.9
    with pytest.raises(ValueError) as error:
        evaluate(model, test[test.labels < 3])
    assert str(error.value).startswith("the model must give a logit for each of the labels 0 to 2; "
                                       "got answers of (")
    assert logits(model, test[:0]).shape == (0, 2)
    with pytest.raises(ValueError, match="number of digits must be a whole number, 1 or more"):
        evaluate(model, test[:0])


def test_the_training_trace_is_near_the_documented_one(digits, test):
    model, history = train(digits, test)
    assert [row.epoch for row in history] == [1, 2, 3, 4, 5]
    assert [row.train_loss for row in history] == pytest.approx([.76, .44, .31, .24, .20], abs=0.05)
    assert [row.train_accuracy for row in history] == pytest.approx([.84, .90, .93, .95, .96],
                                                                    abs=0.03)
    with torch.no_grad():
        wanted = nn.functional.cross_entropy(model(test.inputs), test.labels).item()
    assert history[-1].validation_loss == pytest.approx(wanted, rel=1e-5)
    assert history[-1].validation_accuracy == evaluate(model, test).accuracy
    seeds = [evaluate(train(digits, test[:1], seed=seed)[0], test).accuracy for seed in (1, 2, 3)]
    assert 0.865 < np.mean([history[-1].validation_accuracy, *seeds]) < 0.89


def test_training_is_seeded_and_pure(digits, test):
    images, state = digits.images.clone(), torch.random.get_rng_state()
    one, two, other = (train(digits, test[:1], epochs=1, seed=seed)[0] for seed in (3, 3, 4))
    assert all(map(torch.equal, one.parameters(), two.parameters()))
    assert not all(map(torch.equal, one.parameters(), other.parameters()))
    assert torch.equal(images, digits.images)
    assert torch.equal(state, torch.random.get_rng_state())
    first, second = trained_model(), trained_model()
    first.layers[0].weight.data.zero_()
    assert second.layers[0].weight.abs().sum() > 0


@pytest.mark.parametrize(("name", "value", "text"), [
    ("epochs", 0, "epochs must be a whole number, 1 or more; got 0"),
    ("epochs", 1.5, "epochs must be a whole number, 1 or more; got 1.5"),
    ("batch_size", -1, "batch_size must be a whole number, 1 or more; got -1"),
    ("learning_rate", 0, "learning_rate must be a finite number above 0 and below 1; got 0"),
    ("learning_rate", math.nan,
     "learning_rate must be a finite number above 0 and below 1; got nan")])
def test_bad_training_settings(digits, test, name, value, text):
    with pytest.raises(ValueError) as error:
        train(digits, test, **{name: value})
    assert str(error.value) == text


def test_evaluation_by_brute_force(model, test):
    few = test[range(0, 3000, 100)]
    score = evaluate(model, few)
    right = [int(model(row[None]).argmax()) == int(label)
             for row, label in zip(few.inputs, few.labels, strict=True)]
    assert score.correct.tolist() == right
    assert score.accuracy == sum(right) / 30


def test_a_function_is_measured_too(test):
    assert evaluate(lambda inputs: inputs[:, 300:310], test[:5]).predictions.shape == (5,)


@pytest.mark.parametrize("wrong", ["x", None, True, 1j, [0.1], 1, math.inf, -0.1])
def test_a_learning_rate_that_is_none(digits, test, wrong):
    with pytest.raises(ValueError) as error:
        train(digits, test, learning_rate=wrong)
    assert str(error.value) == ("learning_rate must be a finite number above 0 and below 1; got "
                                f"{wrong!r}")


def test_numbers_of_numpy_and_torch_are_settings(digits, test):
    few = digits[::10]
    ours, _ = train(few, few, epochs=np.int64(1), batch_size=torch.tensor(8),
                    learning_rate=np.float64(0.01))
    plain, _ = train(few, few, epochs=1, batch_size=8, learning_rate=0.01)
    assert all(map(torch.equal, ours.parameters(), plain.parameters()))


@pytest.mark.parametrize("name", ["no_grad", "inference_mode", "float64", "float16"])
def test_torchs_settings_change_nothing(digits, name):
    few, default = digits[::10], torch.get_default_dtype()
    wanted, history = train(few, few, epochs=1)
    random = torch.random.get_rng_state()
    try:
        if name.startswith("float"):
            torch.set_default_dtype(getattr(torch, name))
            model, again = train(few, few, epochs=1)
        else:
            with getattr(torch, name)():
                model, again = train(few, few, epochs=1)
    finally:
        torch.set_default_dtype(default)
    assert history == again and torch.equal(random, torch.random.get_rng_state())
    for old, new in zip(wanted.parameters(), model.parameters(), strict=True):
        assert torch.equal(old, new) and new.dtype == torch.float32 and not new.is_inference()


class Residual(nn.Module):
    """Inside another module, with a function that would be random in train mode."""

    def __init__(self, width):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(width, width, bias=False), nn.BatchNorm1d(width))

    def forward(self, inputs):
        return inputs + nn.functional.dropout(self.inner(inputs), 0.5, self.training)


def random_module(parts, seed):
    """A module tree from a list of names; reads (n, 16), answers with (n, 3)."""
    torch.manual_seed(seed)
    made = {"linear": lambda: nn.Linear(16, 16), "norm": lambda: nn.BatchNorm1d(16),
            "dropout": lambda: nn.Dropout(0.3), "relu": nn.ReLU, "residual": lambda: Residual(16),
            "nested": lambda: nn.Sequential(nn.Linear(16, 16), nn.Sequential(nn.Dropout(0.5)))}
    return nn.Sequential(*(made[part]() for part in parts), nn.Linear(16, 3))


PARTS = st.lists(st.sampled_from(["linear", "norm", "dropout", "relu", "residual", "nested"]),
                 max_size=5)


@given(PARTS, st.integers(0, 9), st.booleans(), st.sampled_from([torch.float32, torch.float64,
                                                                 torch.bfloat16]))
@settings(deadline=None, max_examples=60)
def test_measuring_disturbs_nothing(parts, seed, training, dtype):
    model = random_module(parts, seed).to(dtype).train(training)
    model[0].eval()  # a mode of its own
    modes = [module.training for module in model.modules()]
    before = copy.deepcopy(model.state_dict())
    pair = torch.randn(20, 16), torch.randint(3, (20,))
    random = torch.random.get_rng_state()
    first, second = evaluate(model, pair), evaluate(model, pair)
    assert first.loss == second.loss and torch.equal(first.predictions, second.predictions)
    assert torch.equal(random, torch.random.get_rng_state())
    assert modes == [module.training for module in model.modules()]
    assert all(torch.equal(before[name], part) for name, part in model.state_dict().items())
    with torch.no_grad():
        wanted = copy.deepcopy(model).eval()(pair[0].to(dtype))
    assert torch.equal(logits(model, pair), wanted)


def test_a_convolution_is_measured_and_trained(digits):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2), nn.ReLU(), nn.Flatten(),
                          nn.Linear(4 * 13 * 13, 10)).double()
    pair = digits.inputs.view(-1, 1, 28, 28), digits.labels
    before = evaluate(model, pair)
    fit(model, pair, epochs=2, batch_size=32, learning_rate=0.01)
    assert evaluate(model, pair).accuracy > 0.8 > before.accuracy


@pytest.mark.parametrize("name", ["no_grad", "inference_mode"])
def test_a_network_is_trained_where_gradients_are_off(digits, name):
    """Directly by `fit`, as in a cell of one's own."""
    plain = DigitClassifier((784, 4, 10)).double()
    within = copy.deepcopy(plain)
    torch.manual_seed(0)
    fit(plain, digits[::50], epochs=1, batch_size=5, learning_rate=0.01)
    torch.manual_seed(0)
    with getattr(torch, name)():
        fit(within, digits[::50], epochs=1, batch_size=5, learning_rate=0.01)
    assert all(map(torch.equal, plain.parameters(), within.parameters()))


# ---- Adam

def one_step_each(model, optimizer, steps=40):
    generator = torch.Generator().manual_seed(1)
    for _ in range(steps):
        inputs = torch.randn(8, 6, generator=generator, dtype=torch.float64)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(inputs), torch.arange(8) % 3).backward()
        optimizer.step()
    return torch.cat([part.detach().flatten() for part in model.parameters()])


def test_adam_moves_weights_as_that_of_torch():
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)).double()
    model[0].bias.requires_grad_(False)
    library = copy.deepcopy(model)
    ours = one_step_each(model, training.Adam(model.parameters(), 0.01))
    theirs = one_step_each(library, torch.optim.Adam(library.parameters(), lr=0.01, fused=True))
    assert torch.allclose(ours, theirs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("seed", [0, 7])
def test_the_courses_networks_are_the_same_with_adam_of_torch(monkeypatch, seed):
    ours = training.trained_model(seed)
    monkeypatch.setattr(training, "Adam",
                        lambda weights, lr: torch.optim.Adam(weights, lr=lr, fused=True))
    theirs = training.train(*load_sample()[:2], seed=seed)[0]
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(one, other)


def test_training_does_without_the_compiler():
    program = ("import sys; from mnist_compress import training; training.trained_model(); "
               "print([name for name in ('torch._dynamo', 'torch._inductor', 'sympy') "
               "if name in sys.modules])")
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          check=True).stdout
    assert said.strip() == "[]"

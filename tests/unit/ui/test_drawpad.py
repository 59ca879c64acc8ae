"""The draw pad without a page: what the page would send, and what comes back."""

import functools
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_compress.data import Digits, center_digit, load_sample
from mnist_compress.pruning import prune
from mnist_compress.quantization import quantize_model
from mnist_compress.trace import trace_prediction
from mnist_compress.training import trained_model
from mnist_compress.ui.drawpad import _DRAWN, _NOTHING, DrawPad, _shifted
from mnist_compress.ui.tables import trace_table

ONE = np.zeros((_DRAWN, _DRAWN), np.uint8)
ONE[20:120, 64:78] = 255


@functools.cache
def models():
    model = trained_model()
    return {"float": model, "pruned": prune(model, 0.3),
            "int8": quantize_model(prune(model, 0.3), load_sample()[0])}


@pytest.fixture
def pad(test):
    return DrawPad(models(), test[::300])


def send(pad, **values):
    """What the page does: all traits at once, bytes as a memoryview."""
    pad.set_state({name: memoryview(value) if isinstance(value, bytes) else value
                   for name, value in values.items()})


def expected(image):
    """{model: ten probabilities}, computed with NumPy from each network's weights."""
    pixels, found = image.reshape(784).astype(np.int64), {}
    for name, model in models().items():
        first, second = model.layers
        if name == "int8":
            sums = first.weight.astype(np.int64) @ pixels + first.bias
            raised = np.maximum(sums, 0) * first.multiplier.astype(np.int64)
            shift = first.shift.astype(np.int64)
            hidden = np.minimum((raised + (1 << (shift - 1))) >> shift, 255)
            sums = second.weight.astype(np.int64) @ hidden + second.bias
            outputs = sums * float(model.logit_scale)
        else:
            weights = [part.detach().numpy() for layer in (first, second)
                       for part in (layer.weight, layer.bias)]
            outputs = weights[2] @ np.maximum(weights[0] @ (pixels / 255) + weights[1], 0)
            outputs = outputs + weights[3]
        powers = np.exp(outputs - outputs.max())
        found[name] = powers / powers.sum()
    return found


def matches(pad):
    wanted = expected(np.frombuffer(pad.seen, np.uint8))
    assert list(pad.probabilities) == list(wanted) == ["float", "pruned", "int8"]
    for name, values in wanted.items():
        np.testing.assert_allclose(pad.probabilities[name], values, atol=1e-5)
        best = values.argmax()
        assert f"{name} says {best} ({100 * values[best]:.0f} %)" in pad.sentence


def test_starts_with_the_first_test_digit(pad, test):
    assert pad.seen == test.images[0].numpy().tobytes()
    assert pad.sentence.startswith("Picture 0, a 0: float says ")
    assert pad.count == 10 and pad.problem == ""
    matches(pad)


def test_drawing_is_centred_as_mnist_was(pad):
    send(pad, drawing=ONE.tobytes(), position=None, down=0, right=0)
    assert pad.seen == center_digit(ONE).numpy().tobytes()
    rows, columns = np.nonzero(np.frombuffer(pad.seen, np.uint8).reshape(28, 28))
    assert rows.max() - rows.min() == 19  # the long side fills the box of 20 x 20
    assert abs(rows.mean() - 14) <= 0.5 and abs(columns.mean() - 14) <= 0.5
    assert pad.sentence.startswith("Your drawing: float says 1 (")
    assert pad.sentence.count("says 1 ") == 3
    matches(pad)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 9), st.integers(-30, 30), st.integers(-30, 30))
def test_shift_is_a_roll_with_zero_fill(position, down, right):
    test = load_sample()[2][::300]
    image = test.images[position].numpy()
    wanted = np.roll(image, (down, right), (0, 1))
    wanted[:max(down, 0)] = 0
    wanted[28 + min(down, 0) if down > -28 else 0:] = 0
    wanted[:, :max(right, 0)] = 0
    wanted[:, 28 + min(right, 0) if right > -28 else 0:] = 0
    np.testing.assert_array_equal(_shifted(test.images[position], down, right), wanted)
    pad = DrawPad(models(), test)
    send(pad, position=position, down=down, right=right)
    assert pad.seen == wanted.tobytes()
    if wanted.any():
        matches(pad)
    else:
        assert pad.sentence == _NOTHING and pad.probabilities == {}


def test_moves_are_told_and_a_drawing_moves_too(pad):
    send(pad, position=7, down=-2, right=1)
    assert pad.sentence.startswith("Picture 7, a 7, moved 1 right and 2 up: float says ")
    send(pad, drawing=ONE.tobytes(), position=None, down=3, right=0)
    assert pad.sentence.startswith("Your drawing, moved 3 down: float says ")
    centred = center_digit(ONE).numpy()
    assert pad.seen == np.vstack([np.zeros((3, 28), np.uint8), centred[:-3]]).tobytes()


def test_trace_is_that_of_what_is_seen(pad):
    send(pad, drawing=ONE.tobytes(), position=None)
    wanted = trace_prediction(models(), Digits(center_digit(ONE)[None], torch.tensor([0])))
    assert pad.trace.units == wanted.units
    assert trace_table(pad.trace).equals(trace_table(wanted))
    for text in trace_table(wanted)["int8"]:
        assert text.replace("  ", " ") in re.sub(r"\s+", " ", pad.trace_html)


def test_clear_leaves_nothing(pad):
    send(pad, drawing=ONE.tobytes(), position=None)
    send(pad, drawing=b"", position=None, down=0, right=0)
    assert (pad.sentence, pad.probabilities, pad.trace, pad.trace_html) == (_NOTHING, {}, None, "")
    assert not any(pad.seen)


def test_one_look_for_all_that_changes_at_once(pad, monkeypatch):
    looks = []
    monkeypatch.setattr("mnist_compress.ui.drawpad.trace_prediction",
                        lambda *given: looks.append(given) or trace_prediction(*given))
    send(pad, drawing=ONE.tobytes(), position=None, down=1, right=2)
    assert len(looks) == 1


def test_what_goes_wrong_is_shown_and_no_old_answer_stays(pad, monkeypatch):
    def broken(*given):
        raise RuntimeError("no such network")

    with monkeypatch.context() as patch:
        patch.setattr("mnist_compress.ui.drawpad.trace_prediction", broken)
        send(pad, drawing=ONE.tobytes(), position=None, down=1)
    assert pad.problem == "RuntimeError: no such network"
    assert pad.probabilities == {} and pad.sentence == "" and pad.trace is None
    assert pad.trace_html == "" and pad.seen != bytes(784)
    send(pad, down=0)
    assert pad.problem == "" and pad.sentence.startswith("Your drawing: float says 1")


def test_back_to_what_was_answered_before_the_error(pad):
    before = pad.sentence, pad.probabilities
    send(pad, drawing=b"123", position=None)
    assert pad.problem and not pad.sentence
    send(pad, drawing=b"", position=0)
    assert (pad.sentence, pad.probabilities) == before and pad.problem == ""


def test_bad_values_are_shown(pad):
    send(pad, drawing=b"123")
    assert pad.problem == "RuntimeError: shape '[140, 140]' is invalid for input of size 3"
    send(pad, drawing=b"", position=3)
    assert pad.problem == "" and pad.sentence.startswith("Picture 3, a 3: ")


def test_pad_without_test_digits():
    pad = DrawPad(models())
    assert pad.count == 0 and pad.sentence == _NOTHING
    assert pad.twin() == {"text/plain": f"Draw pad. {_NOTHING}",
                          "text/html": f"<p>Draw pad. {_NOTHING}</p>"}


def test_twin_is_the_same_each_time_and_after_use(test):
    one, other = DrawPad(models(), test[::300]), DrawPad(models(), test[::300])
    send(other, drawing=ONE.tobytes(), position=None)
    data, again = one._repr_mimebundle_()[0], other._repr_mimebundle_()[0]
    assert "application/vnd.jupyter.widget-view+json" in data
    for kind in ("text/plain", "text/html"):
        assert data[kind] == again[kind]
    assert data["text/plain"] == f"Draw pad. {one.sentence}"
    assert not re.search(r"0x[0-9a-f]{6}|data:image|<script", data["text/html"])


def test_twin_shows_the_digit(test):
    html = DrawPad(models(), test[1500:]).twin()["text/html"]
    lines = re.search(r"<pre[^>]*>(.*)</pre>", html, re.S)[1].split("\n")
    ink = np.array([[[sign in "▀█", sign in "▄█"] for sign in line] for line in lines])
    np.testing.assert_array_equal(ink.transpose(0, 2, 1).reshape(28, 28),
                                  test.images[1500].numpy() > 127)

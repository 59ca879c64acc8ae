"""The official files: found anywhere by what they hold, refused when damaged, downloaded once."""

import gzip
import hashlib
import socket
import time
import zipfile
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mnist_compress import official as files
from mnist_compress.data import DataError, Digits, load_full, load_sample

from .loopback import serve

NAMES = list(files._SHA256)
SMALL = "t10k-labels-idx1-ubyte"  # the smallest of the four
IMAGES = "train-images-idx3-ubyte"


def idx(numbers):
    """An IDX file's bytes: 16 or 8 of sizes, then the numbers."""
    sizes = np.array(numbers.shape, ">u4").tobytes()
    return bytes([0, 0, 8, numbers.ndim]) + sizes + numbers.numpy().tobytes()


@pytest.fixture(scope="module")
def little():
    """A set of 30 and 20 digits in place of the official one: its digits, its files packed and
    unpacked, and their checksums."""
    from torchvision.datasets import MNIST

    generator = torch.Generator().manual_seed(0)
    parts = [Digits(torch.randint(256, (n, 28, 28), generator=generator, dtype=torch.uint8),
                    torch.arange(n) % 10) for n in (30, 20)]
    plain = [idx(numbers) for part in parts for numbers in (part.images, part.labels.byte())]
    plain = dict(zip(NAMES, plain, strict=True))
    packed = {name: gzip.compress(content) for name, content in plain.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_SHA256", {
            name: hashlib.sha256(content).hexdigest() for name, content in plain.items()})
        patch.setattr(MNIST, "resources", [
            (f"{name}.gz", hashlib.md5(content).hexdigest()) for name, content in packed.items()])
        yield SimpleNamespace(parts=parts, plain=plain, packed=packed)


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """An empty working folder, no variable, an empty cache, no mirrors."""
    from torchvision.datasets import MNIST

    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.delenv("MNIST_COMPRESS_DATA", raising=False)
    monkeypatch.setattr(files, "_CACHE", tmp_path / "cache")
    monkeypatch.setattr(MNIST, "mirrors", [])
    return tmp_path / "work"


def fill(folder, little, names=NAMES, *, unpack=()):
    """Put files into a folder, those in `unpack` without .gz."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if name in unpack:
            (folder / name).write_bytes(little.plain[name])
        else:
            (folder / f"{name}.gz").write_bytes(little.packed[name])
    return folder


def snapshot(folder):
    return {path: (path.stat().st_mtime_ns, path.is_file() and zlib.crc32(path.read_bytes()))
            for path in [folder, *folder.rglob("*")]}


def assert_same(loaded, parts):
    for part, wanted in zip(loaded, parts, strict=True):
        assert isinstance(part, Digits)
        assert torch.equal(part.images, wanted.images) and torch.equal(part.labels, wanted.labels)


def test_the_official_files_as_torchvision_reads_them(official, tmp_path):
    """Checksums, digits, and which of them the sample holds."""
    from torchvision.datasets import MNIST

    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, md5 in MNIST.resources:
        content = (official / name).read_bytes()
        assert hashlib.md5(content).hexdigest() == md5
        (raw / name.removesuffix(".gz")).write_bytes(gzip.decompress(content))
    parts = [MNIST(tmp_path, train=train) for train in (True, False)]
    full = [Digits(part.data, part.targets) for part in parts]
    assert_same(load_full(official), full)
    train, _, test = load_sample()
    for digit in range(10):
        first = full[0].images[full[0].labels == digit][:500]
        assert torch.equal(train.images[100 * digit:100 * digit + 100], first[:100])
        assert torch.equal(test.images[300 * digit:300 * digit + 300], first[200:])


@pytest.mark.parametrize(("unpack", "subfolder"), [
    ((), ""), (NAMES, ""), ((), "MNIST/raw"), (NAMES, "MNIST/raw"), (NAMES[:2], "")])
def test_all_layouts_in_a_folder_that_cannot_be_written(nowhere, little, unpack, subfolder):
    folder = nowhere / "my digits"
    fill(folder / subfolder, little, unpack=unpack)
    before, paths = snapshot(folder), [folder, *folder.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert_same(load_full(folder), little.parts)
        assert_same(load_full(str(folder)), little.parts)
        assert files.full_is_here(folder) and not files.full_is_here()
        assert snapshot(folder) == before
    finally:
        for path in paths:
            path.chmod(0o755)


def test_root_comes_before_the_variable_then_data_then_the_cache(nowhere, monkeypatch, little):
    places = [nowhere / "root", nowhere / "variable", nowhere / "data", files._CACHE]
    for place in places:
        place.mkdir()
        (place / f"{IMAGES}.gz").write_bytes(b"damaged")
    monkeypatch.setenv("MNIST_COMPRESS_DATA", "variable")
    for place in places:
        with pytest.raises(DataError, match=f"{place / IMAGES}.gz is damaged"):
            load_full("root")
        (place / f"{IMAGES}.gz").unlink()
    fill(files._CACHE, little)
    assert_same(load_full("root"), little.parts)  # an empty root hides nothing


def test_home_folder_and_files_in_two_places(nowhere, monkeypatch, little):
    monkeypatch.setenv("HOME", str(nowhere))
    monkeypatch.setenv("USERPROFILE", str(nowhere))
    fill(nowhere / "here", little, NAMES[:2])
    fill(nowhere / "data", little, NAMES[2:], unpack=NAMES)
    assert_same(load_full("~/here"), little.parts)


@pytest.mark.parametrize(("unpack", "damage", "found"), [
    (False, lambda content: content[:len(content) // 2], "Compressed file ended"),
    (False, lambda content: content[:-8] + bytes(8), "CRC check failed"),
    (False, lambda content: content[:10] + b"\7" + content[11:], "Error -3"),
    (False, lambda content: b"garbage", hashlib.sha256(b"garbage").hexdigest()),
    (False, lambda content: b"", hashlib.sha256(b"").hexdigest()),
    (False, lambda content: gzip.compress(b"other"), hashlib.sha256(b"other").hexdigest()),
    (True, lambda content: content[:-1], "[0-9a-f]{64}"),
    (True, lambda content: content[:-1] + b"\7", "[0-9a-f]{64}"),
    (True, lambda content: content + b"\0", "[0-9a-f]{64}"),
])
def test_a_damaged_file_is_named_kept_and_not_used(nowhere, little, unpack, damage, found):
    folder = fill(nowhere / "mine", little, [SMALL], unpack=NAMES if unpack else ())
    path, = folder.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    before = snapshot(folder)
    expected = files._SHA256[SMALL]
    with pytest.raises(DataError, match=f"SHA-256 {expected}; found .*{found}") as error:
        load_full(folder)
    assert str(path) in str(error.value) and "Move it away" in str(error.value)
    assert snapshot(folder) == before


def test_packed_again_is_still_the_official_content(nowhere, little):
    fill(nowhere / "data", little)
    again = gzip.compress(little.plain[SMALL], 1) + gzip.compress(b"")
    assert again != little.packed[SMALL]
    (nowhere / "data" / f"{SMALL}.gz").write_bytes(again)
    assert_same(load_full(), little.parts)


@pytest.mark.parametrize("name", [
    "{}", "{}.gz", "train-images.idx3-ubyte", "train-images.idx3-ubyte.gz"])
@pytest.mark.parametrize("packed", [False, True])
def test_the_content_counts_and_not_the_name(nowhere, little, name, packed):
    folder = fill(nowhere / "mine", little, NAMES[1:], unpack=NAMES)
    content = (little.packed if packed else little.plain)[IMAGES]
    (folder / name.format(IMAGES)).write_bytes(content)
    assert_same(load_full(folder), little.parts)


def test_a_half_file_hides_no_whole_one(nowhere, little):
    folder = fill(nowhere / "mine", little)
    for name in NAMES:
        (folder / name).write_bytes(little.plain[name][:20])
    assert_same(load_full(folder), little.parts)


@pytest.mark.parametrize("sub", ["", "MNIST/raw/"])
def test_a_variable_may_name_a_zip(nowhere, little, monkeypatch, sub):
    with zipfile.ZipFile(nowhere / "archive.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in NAMES:
            archive.writestr(sub + name.replace("-idx", ".idx"), little.plain[name])
    monkeypatch.setenv("MNIST_COMPRESS_DATA", "archive.zip")
    assert_same(load_full(), little.parts)


def test_a_zip_with_a_damaged_file(nowhere, little, monkeypatch):
    with zipfile.ZipFile(nowhere / "archive.zip", "w") as archive:
        for name in NAMES:
            archive.writestr(name, little.plain[name])
    data = bytearray(Path("archive.zip").read_bytes())
    data[data.index(little.plain[NAMES[0]]) + 9] ^= 1
    Path("archive.zip").write_bytes(data)
    with pytest.raises(DataError, match=f"{NAMES[0]} is damaged.*Bad CRC-32"):
        load_full("archive.zip")


def test_an_unreadable_file(nowhere, little, monkeypatch):
    folder = fill(nowhere / "mine", little)

    def closed(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", closed)
    with pytest.raises(DataError, match=f"{NAMES[0]}.gz .*Permission denied"):
        load_full(folder)


def test_a_root_that_is_no_path(nowhere):
    with pytest.raises(TypeError, match="int"):
        load_full(7)


# ---- the full set, out of the network

@pytest.fixture
def server(little, nowhere, monkeypatch):
    monkeypatch.setattr(files, "_PATIENCE", 0.2)
    with serve({f"{name}.gz": content for name, content in little.packed.items()}) as server:
        yield server


def use(server, *manners):
    from torchvision.datasets import MNIST

    MNIST.mirrors = [f"{server.url}{manner}/" for manner in manners]  # `nowhere` puts them back


def files_in(folder):
    return sorted(path.name for path in folder.rglob("*"))


def test_a_download_goes_to_the_cache_once_and_nowhere_else(server, nowhere, little, capsys):
    use(server, "good")
    (nowhere / "root").mkdir()
    assert not files.full_is_here("root")
    assert_same(load_full("root"), little.parts)
    assert f"{IMAGES}.gz: 100%" in capsys.readouterr().err
    assert files_in(files._CACHE) == sorted(f"{name}.gz" for name in NAMES)
    assert files_in(nowhere) == ["root"]
    assert files.full_is_here("root") and files.full_is_here()
    assert_same(load_full(), little.parts)
    assert len(server.asked) == 4


def test_only_what_is_missing_is_downloaded_and_in_silence_if_asked(
        server, nowhere, little, capsys):
    use(server, "good")
    fill(nowhere / "data", little, [name for name in NAMES if name != SMALL])
    before = snapshot(nowhere)
    assert_same(load_full(progress=False), little.parts)
    assert server.asked == [f"good/{SMALL}.gz"]
    assert snapshot(nowhere) == before
    assert capsys.readouterr() == ("", "")


def test_a_damaged_file_stops_before_any_download(nowhere, server):
    use(server, "good")
    (nowhere / "data").mkdir()
    (nowhere / "data" / NAMES[-1]).write_bytes(b"half")
    with pytest.raises(DataError, match=f"{NAMES[-1]} is damaged"):
        load_full()
    assert server.asked == []


def assert_says_what_to_do(error):
    text = str(error.value)
    assert "The course itself needs no download: load_sample()" in text
    assert "put these files into a folder and call load_full(folder)" in text
    assert all(f"  {name}.gz" in text for name in NAMES)


@pytest.mark.parametrize(("manner", "reason"), [
    ("half", "hash"), ("cut", "hash"), ("garbage", "hash"), ("missing", "HTTP Error 404"),
    ("silence", "timed out"), ("stall", "timed out"), ("trickle", "too slow: .* bytes in 0.2 s"),
    ("endless", "more than 16 MiB"),
])
def test_a_bad_mirror_is_named_and_leaves_nothing(server, nowhere, manner, reason):
    use(server, manner)
    began = time.monotonic()
    with pytest.raises(DataError, match=f"{manner}/{IMAGES}.gz: .*{reason}") as error:
        load_full(progress=False)
    assert time.monotonic() - began < 5
    assert_says_what_to_do(error)
    assert files_in(files._CACHE) == [] and files_in(nowhere) == []


@pytest.mark.parametrize("manner", ["half", "missing", "stall"])
def test_after_a_bad_mirror_the_next_one_is_asked(server, little, manner):
    use(server, manner, "good")
    fill(files._CACHE, little, [name for name in NAMES if name != IMAGES])
    assert_same(load_full(progress=False), little.parts)
    assert server.asked == [f"{manner}/{IMAGES}.gz", f"good/{IMAGES}.gz"]
    assert files_in(files._CACHE) == sorted(f"{name}.gz" for name in NAMES)


def test_a_slow_network_that_delivers_is_waited_for(server, little):
    use(server, "slow")
    fill(files._CACHE, little, [name for name in NAMES if name != IMAGES])
    began = time.monotonic()
    assert_same(load_full(progress=False), little.parts)
    assert time.monotonic() - began > 2 * files._PATIENCE


def test_no_network_says_what_to_do(nowhere, little, monkeypatch):
    from torchvision.datasets import MNIST

    with socket.socket() as free:  # a port where nobody listens
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}/"
    monkeypatch.setattr(MNIST, "mirrors", [closed, "http://not a name/"])
    with pytest.raises(DataError, match=f"{closed}{IMAGES}.gz: .*refused") as error:
        load_full("here")
    assert f"http://not a name/{IMAGES}.gz: " in str(error.value)
    assert_says_what_to_do(error)
    assert files_in(nowhere) == []


def test_a_cache_that_cannot_be_made(server, nowhere):
    use(server, "good")
    files._CACHE.write_text("a file in the way")
    with pytest.raises(DataError, match=str(files._CACHE)) as error:
        load_full(progress=False)
    assert_says_what_to_do(error)
    assert server.asked == [] and files._CACHE.read_text() == "a file in the way"


def test_a_disk_that_fills_up_leaves_nothing(server, monkeypatch):
    def full_disk(path, mode):
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "open", full_disk, raising=False)
    use(server, "good")
    with pytest.raises(DataError, match="No space left on device") as error:
        load_full(progress=False)
    assert_says_what_to_do(error)
    assert files_in(files._CACHE) == []


def test_the_full_set_is_here_when_all_four_files_are(tmp_path, nowhere, little):
    for name in NAMES:
        assert not files.full_is_here(tmp_path)
        (tmp_path / f"{name}.gz").write_bytes(b"half of it")
    assert not files.full_is_here(tmp_path)
    fill(tmp_path, little)
    assert files.full_is_here(tmp_path)

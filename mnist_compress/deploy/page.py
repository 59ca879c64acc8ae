"""A network, its decoder and a draw pad in one HTML file.

The scripts are those of web/, as web/built holds them. A page is text and holds bytes as letters,
five for four: first the compressed script, then the network that it reads. What stands in capitals
in a built file is filled in here.
"""

import base64
import hashlib
import json
import re
import zlib
from pathlib import Path

import numpy as np

from ..data import SIDE
from ..integer import IntegerConvolution, IntegerNetwork
from ..packed import pack, stream_of

QR_BYTES = 2953  # in the largest QR code, version 40 with error correction L
QR_PREFIX = "data:text/html,"


def export_page(network: IntegerNetwork, path) -> int:
    """Write one HTML file that reads drawn digits: network, decoder and draw pad inside.

    The page makes no request (its Content-Security-Policy forbids all) and computes the network's
    own integers. Hidden units are in the packed file's order, that of their biases. Returns the
    bytes. ValueError for a network without 784 inputs, a hidden layer and 10 outputs, and if a
    product could leave the integers that JavaScript's numbers hold exactly.
    """
    _check_page(network)
    kind = _kind(network)
    data, script = pack(network, reorder=True), _deflate(_built(f"{kind}page.js"))
    # without its checksum: the decoder wants zeros behind the stream
    page = _fill(_built(f"{kind}page.html"), LETTERS=_letters(script + data[:-4]), SIZE=len(script),
                 NETWORK_BYTES=f"{len(data):,}")
    loader = re.search("<script>(.*)</script>", page)[1]
    digest = hashlib.sha256(loader.encode()).digest()
    page = _fill(page, LOADER_HASH=base64.b64encode(digest).decode())
    size, whole = -1, b""
    while len(whole) != size:  # the page says what it weighs, which is part of its weight
        size = len(whole)
        whole = _fill(page, PAGE_BYTES=f"{size:,}").encode()
    return Path(path).write_bytes(whole)


def export_qr_page(network: IntegerNetwork, path) -> int:
    """Write one HTML file, ASCII, that fits into a single QR code; return its bytes.

    Network, decoder and a draw pad without the trace. Of the packed file it holds the stream; what
    the header says stands in the script. With QR_PREFIX before it, it is an address: browsers
    follow no link to it, but open it when it is pasted into the address bar. ValueError if both
    have more than QR_BYTES bytes, and as `export_page`, or for a scale for each unit.
    """
    _check_page(network)
    data = pack(network, reorder=True)
    words, stream = (_shapes if _kind(network) else _widths)(network, data)
    script = _deflate(_fill(_built(f"{_kind(network)}qr.js"), **words))
    page = _fill(_built("qr.html"), LETTERS=_letters(script + stream), SIZE=len(script)).encode()
    room = QR_BYTES - len(QR_PREFIX)
    if len(page) > room:
        raise ValueError(f"the page has {len(page)} bytes, a QR code has room for {room}; prune "
                         f"the network, which takes {len(data)} of them, further")
    return Path(path).write_bytes(page)


def _widths(network, data):
    """What the script of the page in a QR code has to know of a packed file, and its stream."""
    if np.ndim(network.layers[0].scale):
        raise ValueError("the page in a QR code needs one scale a layer; got one for each unit")
    stream, tied, steps = stream_of(data)
    layers = [{"s": step} for step in steps]
    for told, layer in zip(layers[:-1], network.layers, strict=False):
        told["r"] = [[int(layer.multiplier), int(layer.shift)]]
    words = {"TIED": int(tied), "WIDTHS": _json(network.widths), "LAYERS": _json(layers)}
    return words, stream


def _shapes(network, data):
    """As `_widths`, of a file of convolutions."""
    layers = [[layer.groups, layer.weight.shape[1], len(layer.weight), layer.kernel, layer.pool,
               int(layer.shift is not None), *[layer.stride] * (layer.stride > 1)]
              for layer in network.layers]
    return {"TIED": 0, "WIDTHS": 0, "LAYERS": _json(layers)}, stream_of(data)[0]


def _kind(network):
    """What the names of the built scripts begin with."""
    return "convolution_" * isinstance(network.layers[0], IntegerConvolution)


def _check_page(network):
    """An accumulator fits into 32 bits in every network; its product with a multiplier may not."""
    check_widths(network, "the page")
    for place, layer in enumerate(network.layers[:-1]):
        if layer.shift is None:
            continue
        product = layer.bound * int(layer.multiplier.max()) + (1 << int(layer.shift.max()) - 1)
        if product >= 2**53:
            raise ValueError(f"layer {place}: a product could reach {product}; JavaScript is "
                             f"exact below {2**53}")


def check_widths(network, what):
    """ValueError unless a network reads pictures, has a hidden layer and knows ten digits."""
    widths = network.widths
    if widths[0] != SIDE**2 or widths[-1] != 10 or len(widths) < 3:
        raise ValueError(f"{what} needs {SIDE**2} pixels, a hidden layer and 10 digits; got a "
                         f"network of {widths}")


def _built(name):
    """A file that web/build.mjs made."""
    return Path(__file__).with_name("web").joinpath("built", name).read_text("utf-8").strip()


def _fill(text, **values):
    """Text with a value for each of these words."""
    words = re.compile(rf"\b({'|'.join(values)})\b")
    return words.sub(lambda word: str(values[word[1]]), text)


def _json(value):
    return json.dumps(value, separators=(",", ":"))


def _deflate(text):
    """Text -> raw deflate, without zlib's header."""
    packers = [zlib.compressobj(9, zlib.DEFLATED, -15, memory) for memory in (8, 9)]
    return min((packer.compress(text.encode()) + packer.flush() for packer in packers), key=len)


def _letters(data):
    """bytes -> a JavaScript string of five letters for four bytes, zeros behind the last.

    A letter of the code c is the digit (68 * c + 7) % 87: with that, no letter needs an escape in a
    script's string or in a data: address (`"`, `\\`, `<`, `#`, `%` are not among them).
    """
    letters = {(68 * ord(letter) + 7) % 87: letter for letter in map(chr, range(33, 127))
               if letter not in '"#%<\\'}
    words = np.frombuffer(data + bytes(-len(data) % 4), "<u4").tolist()
    return '"' + "".join(letters[word // 85**place % 85]
                         for word in words for place in (4, 3, 2, 1, 0)) + '"'

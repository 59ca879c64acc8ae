"""deploy/page"""

import base64
import hashlib
import zlib
from pathlib import Path

import numpy as np

from ..data import SIDE
from ..packed.file import pack
from ..packed.header import read_header
from .minify import minify_css, minify_js

QR_BYTES = 2953  # in the largest QR code, version 40 with error correction L
QR_PREFIX = "data:text/html,"
PAGE_SOURCES = ("header.js", "decoder.js", "pad.js")
PAGE_NAMES = ("packed", "activations", "centre", "drawn")  # that stay readable in the page


def export_page(model, path):
    """Write one HTML file that reads drawn digits: network, decoder and draw pad inside.

    model: an IntegerNetwork of 784 inputs and 10 outputs. The page makes no
    request (its Content-Security-Policy forbids all) and computes the model's own integers. Hidden
    units are in the packed file's order (`sort_units`). Returns the bytes.

    ValueError if sums could leave the integers that JavaScript's numbers hold exactly.
    """
    network = model
    _check_page(network)
    data, style = pack(network, reorder=True), minify_css(_source("page.css"))
    script = (f'document.querySelector("main").insertAdjacentHTML("afterbegin",`<style>{style}'
              f"</style>{_source('pad.html')}`);"
              + minify_js("".join(map(_source, PAGE_SOURCES)), keep=PAGE_NAMES))
    payload = base64.b64encode(data + _deflate(script)).decode()
    loader = _source("loader.js").strip().format(payload=payload, length=len(data))
    size, page = -1, b""
    while len(page) != size:  # the page says what it weighs, which is part of its weight
        size = len(page)
        page = _source("page.html").format(
            loader=loader, loader_hash=_sha256(loader), script_hash=_sha256(script),
            style_hash=_sha256(style), page_bytes=f"{size:,}",
            network_bytes=f"{len(data):,}").encode()
    return Path(path).write_bytes(page)


def export_qr_page(model, path):
    """Write one HTML file, ASCII, that fits into a single QR code; return its bytes.

    Network, decoder and a draw pad without the trace. Of the packed file it holds the stream; what
    the header says stands in the script. With QR_PREFIX before it, it is an address: browsers
    follow no link to it, but open it when it is pasted into the address bar.
    ValueError if prefix and page have more than QR_BYTES bytes, or for networks that `export_page`
    refuses or that have a scale for each row.
    """
    network = model
    _check_page(network)
    if np.ndim(network.layers[0].scale):
        raise ValueError("the page in a QR code needs one scale a layer; got one for each row")
    data = pack(network, reorder=True)
    header, cursor = read_header(data)
    stream, layers = bytes(cursor.rest), []
    for layer, step in zip(header.layers, header.steps, strict=True):
        rescale = "" if layer.shift is None else f"[[{layer.multiplier},{layer.shift}]]"
        layers.append(f"[[],[],,{rescale},{step}]")
    script = (f"const floor = Math.floor, data = P.slice(0, {len(stream)}), "
              f"tied = {int(header.tied)}, widths = {list(network.widths)}, "
              f"layers = [{','.join(layers)}];\nlet at = 0;\n"
              + _source("decoder.js") + _source("qr.js"))
    script = minify_js(script, keep=("P", "activations"))
    script = script.replace("let activations=", "activations=")  # for callers outside
    code = _deflate(script)
    stream += bytes(-len(stream + code) % 4)  # the decoder reads zeros after the end anyway
    page = ('<script>for(P=[],i=0,s="' + _base85(stream + code) + '";s[i];P.push(n>>24,n>>16,n>>8,n'
            "))for(n=0,j=5;j--;)n=n*85+(68*s.charCodeAt(i++)+7)% 87;P=new Uint8Array(P);"
            f"new Response(new Blob([P.slice({len(stream)})]).stream().pipeThrough(new "
            'DecompressionStream("deflate-raw"))).text().then(eval)</script>').encode()
    room = QR_BYTES - len(QR_PREFIX)
    if len(page) > room:
        raise ValueError(f"the page has {len(page)} bytes, a QR code has room for {room}; prune "
                         f"the network, which takes {len(data)} of them, further")
    return Path(path).write_bytes(page)


def _base85(data):
    """bytes, a multiple of 4 -> 5 letters for 4 bytes, highest first.

    A letter of the code c is the digit (68 * c + 7) % 87: with that, no letter needs an escape in a
    script's string or in a data: address (`"`, `\\`, `<`, `#`, `%` are not among them).
    """
    letters = {(68 * ord(letter) + 7) % 87: letter for letter in "".join(
        chr(code) for code in range(33, 127)) if letter not in '"#%<\\'}
    return "".join(letters[int(number) // 85**place % 85]
                   for number in np.frombuffer(data, ">u4") for place in (4, 3, 2, 1, 0))


def _deflate(text):
    """ASCII text -> raw deflate, without zlib's header."""
    return min((coder.compress(text.encode()) + coder.flush() for coder in (
        zlib.compressobj(9, zlib.DEFLATED, -15, memory) for memory in (8, 9))), key=len)


def _source(name):
    """A text file beside this module."""
    text = Path(__file__).with_name("web").joinpath(name).read_text("utf-8").strip()
    return text + "\n" * name.endswith(".js")


def _sha256(text):
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _check_page(network):
    widths = network.widths
    if widths[0] != SIDE**2 or widths[-1] != 10 or len(widths) < 3:
        raise ValueError(f"the page needs {SIDE**2} pixels, a hidden layer and 10 digits; got a "
                         f"network of {widths}")
    for place, layer in enumerate(network.layers):
        weight, bias = layer.weight.astype(np.int64), layer.bias.astype(np.int64)
        largest = (255 * np.abs(weight).sum(1) + np.abs(bias)).max()
        if largest >= 2**31:
            raise ValueError(f"layer {place}: a sum could reach {largest}, beyond int32")
        if layer.shift is not None:
            product = int(largest) * int(layer.multiplier.max()) + (1 << int(layer.shift.max()) - 1)
            if product >= 2**53:
                raise ValueError(f"layer {place}: a product could reach {product}; JavaScript is "
                                 f"exact below {2**53}")

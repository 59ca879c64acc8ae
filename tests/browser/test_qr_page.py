"""The reader in one QR code: read back from the picture, opened in Chromium, asked for digits."""

import base64
import io

import numpy as np
import pytest

from mnist_compress.data import flatten, load_sample
from mnist_compress.deploy.page import QR_BYTES, QR_PREFIX, export_qr_page
from mnist_compress.packed import load
from tests.browser.test_page import NETWORK, STROKES

HOOK = """{  // the text that the page evaluates gets one line more; A is its function `activations`
    const read = Response.prototype.text;
    Response.prototype.text = async function() {
        return await read.call(this) + ";globalThis.activations = A";
    };
}"""


@pytest.fixture(scope="module")
def scanned(tmp_path_factory):
    """The address that a scanner finds in the picture of the code."""
    segno, zxing = pytest.importorskip("segno"), pytest.importorskip("zxingcpp")
    image = pytest.importorskip("PIL.Image")
    path, picture = tmp_path_factory.mktemp("qr") / "digit.html", io.BytesIO()
    size = export_qr_page(load(NETWORK), path)
    text = QR_PREFIX + path.read_text("ascii")
    assert size == path.stat().st_size and len(text) == size + len(QR_PREFIX) <= QR_BYTES
    segno.make(text, error="l", micro=False).save(picture, kind="png", scale=4)
    found, = zxing.read_barcodes(image.open(picture))
    assert found.text == text
    return found.text


@pytest.fixture(scope="module")
def pages(scanned, chromium, tmp_path_factory):
    """The scanned text in Chromium twice: from the address bar, and from a file."""
    path = tmp_path_factory.mktemp("saved") / "digit.html"
    path.write_text(scanned.removeprefix(QR_PREFIX), "ascii")
    pages = []
    for address in (scanned, path.as_uri()):
        page = chromium.new_page()
        page.errors, page.asked = [], []
        page.add_init_script(HOOK)
        page.on("pageerror", lambda error, page=page: page.errors.append(str(error)))
        page.on("request", lambda request, page=page: page.asked.append(request.url))
        page.goto(address)
        page.wait_for_selector("canvas")
        pages.append(page)
    yield pages
    for page in pages:
        page.close()


@pytest.mark.parametrize("place", [0, 1], ids=["address", "file"])
def test_reads_every_sample_digit_as_the_network_does(pages, place):
    images = load_sample()[2].images
    page, pixels = pages[place], flatten(images).numpy()
    code = """text => {
        const all = Uint8Array.from(atob(text), letter => letter.charCodeAt());
        return Array.from({length: all.length / 784}, (_, place) =>
            activations(all.subarray(784 * place, 784 * place + 784)).at(-1));
    }"""
    found = np.array([row for part in np.array_split(pixels, 8) for row in page.evaluate(
        code, base64.b64encode(part.tobytes()).decode())])
    assert found.shape == (3000, 10)
    assert np.array_equal(found, load(NETWORK).logits(pixels))
    assert (found.argmax(1) == load_sample()[2].labels.numpy()).mean() > 0.9
    assert page.errors == [] and len([url for url in page.asked if "http" in url[:5]]) == 0


def draw(page, lines):
    """Strokes of points in 0..1 on the pad, with the mouse; what the page reads."""
    pad = page.locator("canvas").first
    pad.dblclick()
    box = pad.bounding_box()
    for line in lines:
        for place, (x, y) in enumerate(line):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=6)
            if place == 0:
                page.mouse.down()
        page.mouse.up()
    return page.inner_text("h1")


@pytest.mark.parametrize("place", [0, 1], ids=["address", "file"])
def test_reads_drawings_and_wipes(pages, place):
    page = pages[place]
    assert [draw(page, STROKES[digit]) for digit in (0, 1, 3, 7)] == ["0", "1", "3", "7"]
    page.locator("canvas").first.dblclick()
    ink = page.evaluate("""() => {
        const pad = document.querySelector("canvas");
        return pad.getContext("2d").getImageData(0, 0, 300, 300).data.filter((_, i) => i % 4 == 3)
            .reduce((sum, value) => sum + value);
    }""")
    assert ink == 0


def test_reads_drawings_of_any_size_in_any_place(pages):
    right = 0
    for digit, lines in STROKES.items():
        size, x, y = (0.5, 0.05, 0.45) if digit % 2 else (0.7, 0.28, 0.1)
        found = draw(pages[1], [[(size * a + x, size * b + y) for a, b in line] for line in lines])
        right += found == str(digit)
    assert right >= 8  # the drawings are legible; the network errs on about one digit in ten


def test_a_phone_shows_a_large_pad(chromium, scanned, tmp_path):
    path = tmp_path / "digit.html"
    path.write_text(scanned.removeprefix(QR_PREFIX), "ascii")
    page = chromium.new_page(viewport={"width": 390, "height": 800}, is_mobile=True, has_touch=True)
    page.goto(path.as_uri())
    assert page.evaluate("innerWidth") == 390  # not a desktop's, made small
    page.close()

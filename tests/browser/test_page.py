"""The exported page in a real Chromium: the same integers, no request, keys, touch, accessibility.

`thousand.mc` is a packed 784-128-10 network that was trained and compressed on the sample's 1,000
training digits.
"""

import base64
import functools
import http.server
import re
import threading
from pathlib import Path

import numpy as np
import pytest

from mnist_compress import pretrained
from mnist_compress.data import center_digit, flatten, load_sample
from mnist_compress.deploy.page import export_page
from mnist_compress.packed import load, pack, unpack
from mnist_compress.pruning import prune
from mnist_compress.quantization import quantize_model
from mnist_compress.training import train, trained_model

NETWORK = Path(__file__).with_name("thousand.mc")
STROKES = {  # polylines on a unit square, as people write them
    0: [[(.5, .1), (.25, .3), (.25, .7), (.5, .9), (.75, .7), (.75, .3), (.5, .1)]],
    1: [[(.5, .1), (.5, .9)]],
    2: [[(.25, .3), (.45, .1), (.7, .25), (.65, .5), (.25, .9), (.75, .88)]],
    3: [[(.28, .15), (.6, .12), (.7, .3), (.45, .48), (.72, .65), (.6, .88), (.28, .88)]],
    4: [[(.3, .1), (.27, .5), (.72, .5)], [(.7, .1), (.68, .9)]],
    5: [[(.72, .12), (.35, .12), (.3, .45), (.6, .45), (.72, .65), (.6, .88), (.28, .88)]],
    6: [[(.6, .1), (.35, .4), (.3, .7), (.5, .9), (.7, .75), (.6, .55), (.33, .65)]],
    7: [[(.25, .15), (.75, .15), (.45, .9)]],
    8: [[(.65, .2), (.4, .12), (.35, .32), (.65, .62), (.6, .85), (.4, .85), (.35, .65),
         (.65, .35), (.65, .2)]],
    9: [[(.68, .35), (.45, .48), (.32, .3), (.5, .12), (.68, .25), (.66, .6), (.6, .9)]],
}


@pytest.fixture(scope="module")
def pixels():
    return flatten(load_sample()[2].images)


class Visit:
    """A page from a file, with all that it asks for and complains about."""

    def __init__(self, chromium, address, **options):
        self.context = chromium.new_context(viewport={"width": 420, "height": 900}, **options)
        self.page = self.context.new_page()
        self.requests, self.complaints = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(address)
        self.page.wait_for_selector("#pad")

    def logits(self, pixels, size=500):
        """The page's logits for uint8 (n, 784), int64 (n, 10)."""
        code = """text => {
            const all = Uint8Array.from(atob(text), letter => letter.charCodeAt());
            return Array.from({length: all.length / 784}, (_, place) =>
                activations(all.subarray(784 * place, 784 * place + 784)).at(-1));
        }"""
        return np.array([row for part in pixels.split(size) for row in self.page.evaluate(
            code, base64.b64encode(part.numpy().tobytes()).decode())])

    def draw(self, lines, steps=6):
        """Strokes of points in 0..1, with the mouse."""
        box = self.page.locator("#pad").bounding_box()
        for line in lines:
            for place, (x, y) in enumerate(line):
                self.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"],
                                     steps=steps if place else 1)
                if place == 0:
                    self.page.mouse.down()
            self.page.mouse.up()

    def pixels(self, canvas, side):
        """What a canvas holds, or the enlarged copy of the pad, uint8 (side, side)."""
        alpha = self.page.evaluate("""([canvas, side]) => {
            const found = document.querySelector(canvas);
            const pen = (found.copy ?? found).getContext("2d");
            return Array.from(pen.getImageData(0, 0, side, side).data)
                .filter((value, place) => place % 4 == 3);
        }""", [canvas, side])
        return np.array(alpha, np.uint8).reshape(side, side)

    def ink(self):
        """What is drawn, as large as the pad, uint8 (140, 140)."""
        return self.pixels("#pad", 140)

    def told(self):
        """The page's text on each of the five layers."""
        return [text.replace("\xa0", " ") for text in self.page.locator("span").all_inner_texts()]

    def answer(self):
        return self.page.inner_text("#answer").strip()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "digit.html"
    assert export_page(load(NETWORK), path) == path.stat().st_size
    return path


@pytest.fixture()
def visit(chromium, path):
    visit = Visit(chromium, path.as_uri())
    yield visit
    assert visit.requests == [path.as_uri()] and visit.complaints == []
    visit.context.close()


def test_same_logits_on_every_sample_digit(visit, pixels):
    network = load(NETWORK)
    found = visit.logits(pixels)
    assert found.shape == (3000, 10)
    assert np.count_nonzero(found != network.logits(pixels.numpy())) == 0


@pytest.mark.parametrize("make", [
    lambda digits: quantize_model(prune(trained_model(), 0.9), digits, per_channel=True),
    lambda digits: quantize_model(prune(trained_model(), 0.3), digits),
    lambda digits: quantize_model(prune(train(digits, digits[:9], widths=(784, 20, 15, 10))[0], .8),
                                  digits, bits=4),
    lambda digits: pretrained.load("convolution")])
def test_same_logits_with_the_learners_own_networks(chromium, pixels, tmp_path, make):
    network = make(load_sample()[0])
    export_page(network, tmp_path / "digit.html")
    visit = Visit(chromium, (tmp_path / "digit.html").as_uri())
    some = pixels[::10]
    assert np.array_equal(visit.logits(some), network.logits(some.numpy()))
    weights = sum(int((layer.weight != 0).sum()) for layer in network.layers)
    assert f"{weights} of " in visit.told()[2]
    assert visit.complaints == []
    visit.context.close()


def test_a_convolution_reads_drawn_digits(chromium, tmp_path):
    network, path = pretrained.load("convolution"), tmp_path / "digit.html"
    export_page(network, path)
    visit, right = Visit(chromium, path.as_uri()), 0
    for digit, lines in STROKES.items():
        visit.page.click("#clear")
        visit.draw([[(x * .8 + .1, y * .8 + .1) for x, y in line] for line in lines])
        mine, = network.predict(center_digit(visit.ink()).numpy()[None])
        assert visit.answer() == str(mine)
        right += mine == digit
    assert right >= 8 and "hidden (convolution)" in visit.page.inner_text("table")
    assert visit.requests == [path.as_uri()] and visit.complaints == []
    visit.context.close()


def test_twenty_drawn_digits_are_read_as_in_python(visit):
    network, right = load(NETWORK), 0
    for digit, lines in STROKES.items():
        for lean in (0, 0.12):
            visit.page.click("#clear")
            visit.draw([[(x * .8 + .1 + lean * (.5 - y), y * .8 + .1) for x, y in line]
                        for line in lines])
            picture = center_digit(visit.ink()).numpy()
            assert picture.max() > 200 and np.array_equal(picture, visit.pixels("#seen", 28))
            mine, = network.predict(picture[None])
            assert visit.answer() == str(mine)
            right += mine == digit
    assert right >= 14  # the drawings are legible; the network errs on about one digit in ten


def test_a_small_drawing_looks_like_a_large_one(visit):
    for digit in (1, 3):
        seen = []
        for size in (0.8, 0.3):
            visit.page.click("#clear")
            visit.draw([[(.1 + size * x, .1 + size * y) for x, y in line]
                        for line in STROKES[digit]])
            seen.append(visit.pixels("#seen", 28).astype(int))
        assert np.corrcoef(seen[0].ravel(), seen[1].ravel())[0, 1] > 0.9
        assert seen[1].sum() == pytest.approx(seen[0].sum(), rel=0.1)


def test_the_trace_shows_this_digit(visit):
    network = load(NETWORK)
    visit.draw(STROKES[7])
    picture = center_digit(visit.ink()).numpy().reshape(1, -1)
    stored = unpack(pack(network, reorder=True))  # the order of units in the page
    first, values = stored.accumulators(picture)[0][0], stored.activations(picture)[0][0]
    unit = int(first.argmax())
    told = visit.told()
    assert told[0] == f"{np.count_nonzero(picture)} of 784 pixels hold ink"
    assert told[1].startswith(f"int32 accumulators #{unit}: {first[unit]},")
    assert told[3].startswith(f"ReLU, 8 bits: #{unit}: {values[unit]},")
    logits, = network.logits(picture)
    chances = np.exp((logits - logits.max()) * network.logit_scale)
    chances /= chances.sum()
    assert told[4].startswith(f"{logits.argmax()}: {100 * chances.max():.1f} %, ")
    assert re.search(r", in [1-9]\d* µs$", told[4])
    bars = visit.page.evaluate("[...document.querySelectorAll('b')].map(bar => bar.clientTop)")
    assert np.argmax(bars) == logits.argmax() and max(bars) <= 50


def test_keys_alone_draw_a_one(visit):
    pad = visit.page.locator("#pad")
    pad.focus()
    for _ in range(10):
        pad.press("ArrowUp")
    assert not visit.ink().any()  # the pen is lifted
    pad.press("Space")
    for _ in range(20):
        pad.press("ArrowDown")
    assert visit.answer() == "1"
    assert "radial-gradient" in pad.evaluate("pad => pad.style.background")
    pad.press("Space")
    before = visit.ink()
    pad.press("ArrowRight")
    assert np.array_equal(visit.ink(), before)
    pad.press("Delete")
    assert not visit.ink().any() and visit.answer() == "?"
    pad.press("Tab")  # leaves the pad
    assert visit.page.evaluate("document.activeElement.id") == "clear"


def test_a_finger_draws_and_does_not_scroll(chromium, path):
    visit = Visit(chromium, path.as_uri(), has_touch=True, is_mobile=True)
    box = visit.page.locator("#pad").bounding_box()
    session = visit.context.new_cdp_session(visit.page)
    for kind, y in [("touchStart", .2), *(("touchMove", .2 + .1 * i) for i in range(7)),
                    ("touchEnd", None)]:
        points = [] if y is None else [{"x": box["x"] + box["width"] / 2,
                                        "y": box["y"] + y * box["height"]}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert visit.answer() == "1"
    assert visit.page.evaluate("[scrollY, document.documentElement.scrollWidth <= innerWidth]") \
        == [0, True]
    visit.context.close()


def test_weight_and_policy(path):
    text = path.read_text("utf-8")
    assert len(text.encode()) <= 5_900
    assert f"This page weighs {path.stat().st_size:,} bytes" in text
    assert f"{NETWORK.stat().st_size:,} of them the network" in text
    assert "default-src 'none'" in text and "unsafe" not in text
    assert "http:" not in text and "https:" not in text


def test_the_policy_stops_other_scripts(chromium, path):
    visit = Visit(chromium, path.as_uri())
    visit.page.evaluate("""() => {
        const script = document.createElement("script");
        script.text = "window.foreign = 1";
        document.body.append(script);
    }""")
    assert visit.page.evaluate("window.foreign === undefined")
    assert any("Content Security Policy" in text for text in visit.complaints)
    visit.context.close()


def test_a_server_is_asked_for_the_page_alone(chromium, path):
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_request(self, code="-", size="-"):
            asked.append(self.path)

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(path.parent)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    visit = Visit(chromium, f"http://127.0.0.1:{server.server_port}/digit.html")
    visit.draw(STROKES[1])
    assert visit.answer() == "1"
    visit.context.close()
    server.shutdown()
    server.server_close()
    assert asked == ["/digit.html"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_for_axe(chromium, path, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    visit = Visit(chromium, path.as_uri(), color_scheme=scheme, bypass_csp=True)
    visit.draw(STROKES[3])
    violations = axe.run(visit.page).response["violations"]
    assert [rule["id"] for rule in violations if rule["impact"] in ("serious", "critical")] == []
    visit.context.close()

"""The exported pages without a browser: what they refuse and weigh, and what they are made of."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from mnist_compress import pretrained
from mnist_compress.data import center_digit
from mnist_compress.deploy import page
from mnist_compress.deploy.page import QR_BYTES, QR_PREFIX, export_page, export_qr_page
from mnist_compress.integer import IntegerLayer, IntegerNetwork
from mnist_compress.packed import load, pack, unpack
from tests.unit.packed.test_convolutions import make

ROOT = Path(__file__).resolve().parents[3]
WEB = Path(page.__file__).with_name("web")
TOOLS = ROOT / "tools" / "web"
PRETRAINED = ROOT / "mnist_compress" / "pretrained"
node = pytest.mark.skipif(not shutil.which("node"), reason="Node is not installed")


def network(widths, weight=1, multiplier=1 << 20):
    """A network whose weights are all the same."""
    def layer(inputs, units, last):
        rest = [] if last else [np.array(multiplier, np.int32), np.array(30, np.int32)]
        return IntegerLayer(np.full((units, inputs), weight, np.int8), np.zeros(units, np.int32),
                            np.array(0.5, np.float32), *rest)
    pairs = list(pairwise(widths))
    return IntegerNetwork(layer(*pair, place == len(pairs) - 1) for place, pair in enumerate(pairs))


def random_network(rng, widths, density, per_unit=False):
    """Weights here and there, units without use, biases of both signs."""
    layers = []
    for place, (inputs, units) in enumerate(pairwise(widths)):
        weight = rng.integers(-127, 128, (units, inputs)) * (rng.random((units, inputs)) < density)
        bias = rng.integers(-9999, 9999, units) * (rng.random(units) < 0.7)
        weight[:units // 4], bias[:units // 4] = 0, 0
        last = place == len(widths) - 2
        shape = (units,) if per_unit and not last else ()
        rest = [] if last else [rng.integers(2**14, 2**15, shape).astype(np.int32),
                                np.full(shape, 24, np.int32)]
        layers.append(IntegerLayer(weight.astype(np.int8), bias.astype(np.int32),
                                   np.full(shape, 0.25, np.float32), *rest))
    return IntegerNetwork(layers)


@pytest.mark.parametrize("widths", [(784, 10), (784, 5, 9), (196, 5, 10)])
def test_networks_that_the_page_cannot_show(widths, tmp_path):
    for export in (export_page, export_qr_page):
        with pytest.raises(ValueError, match="a hidden layer and 10 digits; got a network of"):
            export(network(widths), tmp_path / "digit.html")
    assert not list(tmp_path.iterdir())


def test_products_that_javascript_could_round(tmp_path):
    export_page(network((784, 5, 10), 127, (1 << 24) - 1), tmp_path / "digit.html")
    bad = network((784, 5, 10), 127, (1 << 24) - 1)
    bad.layers[0].bias[:] = 1 << 30
    for export in (export_page, export_qr_page):
        with pytest.raises(ValueError, match=r"layer 0.*exact below 9007199254740992"):
            export(bad, tmp_path / "other.html")
    assert [file.name for file in tmp_path.iterdir()] == ["digit.html"]


@pytest.mark.parametrize("per_unit, problem", [
    (False, r"the page has \d{4} bytes, a QR code has room for 2938; prune the network"),
    (True, "needs one scale a layer; got one for each unit")])
def test_networks_that_no_qr_code_holds(per_unit, problem, tmp_path):
    large = random_network(np.random.default_rng(3), (784, 9, 10), 0.2, per_unit)
    with pytest.raises(ValueError, match=problem):
        export_qr_page(large, tmp_path / "digit.html")
    assert not list(tmp_path.iterdir())


def test_what_the_pages_weigh(tmp_path):
    small, path = load(PRETRAINED / "thousand.mc"), tmp_path / "digit.html"
    # a little more than here: versions of zlib differ
    assert export_page(small, path) == path.stat().st_size <= 5_810
    text = path.read_text("utf-8")
    assert f"This page weighs {path.stat().st_size:,} bytes" in text
    assert f"{len(pack(small, reorder=True))} of them the network" in text
    assert export_qr_page(small, path) == path.stat().st_size <= 2_790
    assert path.stat().st_size + len(QR_PREFIX) < QR_BYTES
    path.read_text("ascii")


def test_a_page_of_convolutions(tmp_path):
    small, path = pretrained.load("convolution"), tmp_path / "digit.html"
    assert export_page(small, path) == path.stat().st_size <= 6_650
    assert f"{len(pack(small, reorder=True)):,} of them the network" in path.read_text("utf-8")
    with pytest.raises(ValueError, match=r"page has 3\d{3} bytes, a QR code has room for 2938"):
        export_qr_page(small, path)
    mixed = IntegerNetwork([make(1, side=28).layers[0], *network((784, 5, 10)).layers])
    with pytest.raises(ValueError, match="convolutions or dense layers, not both"):
        export_page(mixed, path)


def test_letters_are_five_for_four_bytes():
    """Against a decoder that computes as loader.js does."""
    data = np.random.default_rng(0).integers(0, 256, 9997, np.uint8).tobytes()
    text = page._letters(data)
    assert text[0] == text[-1] == '"' and not set(text[1:-1]) & set('"#%<\\ ')
    digits = (68 * np.frombuffer(text[1:-1].encode(), np.uint8).astype(np.int64) + 7) % 87
    assert len(digits) == 12_500
    words = digits.reshape(-1, 5) @ 85 ** np.arange(4, -1, -1)
    assert words.astype("<u4").tobytes() == data + bytes(3)


def test_what_is_built_is_made_of_the_sources():
    """tools/web/build.mjs writes the sums of all that it reads and makes."""
    lines = (WEB / "built" / "SUMS").read_text().splitlines()
    sums = dict(reversed(line.split()) for line in lines)
    files = [TOOLS / "build.mjs", TOOLS / "package-lock.json", *WEB.glob("*.js"),
             *WEB.glob("*.html"), *WEB.glob("*.css"), *WEB.glob("built/*.*")]
    assert sorted(sums) == sorted(path.relative_to(ROOT).as_posix() for path in files)
    for name, digest in sums.items():
        content = (ROOT / name).read_text("utf-8").encode()
        assert hashlib.sha256(content).hexdigest() == digest, f"{name}: npm ci; npm run build"


def test_the_lockfile_names_no_registry():
    locked = json.loads((TOOLS / "package-lock.json").read_text("utf-8"))["packages"]
    wanted = json.loads((TOOLS / "package.json").read_text("utf-8"))["devDependencies"]
    assert locked["node_modules/terser"]["version"] == wanted["terser"]
    for name, entry in locked.items():
        assert "resolved" not in entry and (not name or entry["integrity"]), name


@node
@pytest.mark.skipif(not (TOOLS / "node_modules").exists(), reason="npm ci has not run")
def test_terser_makes_what_is_built(tmp_path):
    parts = [path.relative_to(ROOT) for path in (WEB, TOOLS)]
    for part in parts:
        shutil.copytree(ROOT / part, tmp_path / part,
                        ignore=shutil.ignore_patterns("node_modules", "built"))
    (tmp_path / parts[1] / "node_modules").symlink_to(TOOLS / "node_modules")
    subprocess.run(["node", "build.mjs"], cwd=tmp_path / parts[1], check=True)
    for file in WEB.glob("built/*"):
        assert (tmp_path / parts[0] / "built" / file.name).read_bytes() == file.read_bytes()


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """A folder with what Python computes, for the tests in JavaScript."""
    folder, rng = tmp_path_factory.mktemp("cases"), np.random.default_rng(5)
    networks = [load(PRETRAINED / f"{name}.mc") for name in list(pretrained.RECIPES)[::4]]
    networks += [random_network(rng, widths, density, per_unit) for widths, density, per_unit in (
        ((784, 9, 10), 0.05, True), ((784, 16, 12, 10), 0.3, False), ((784, 70, 10), 0.01, False),
        ((784, 4, 5, 6, 10), 0.9, True))]
    networks.append(network((784, 5, 10), -127))
    for place, each in enumerate(networks):
        pixels = rng.integers(0, 256, (3, 784)).astype(np.uint8) * (rng.random((3, 784)) < 0.4)
        case = {"bytes": list(pack(each)), "pixels": pixels.tolist(),
                "accumulators": [layer.tolist() for layer in each.accumulators(pixels)]}
        (folder / f"network-{place}.json").write_text(json.dumps(case))
    networks = [make(3), make(4, side=28), make(5, 2, 3, 1, side=7, rms=40)]
    networks += [load(PRETRAINED / "convolution.mc")]
    for place, each in enumerate(networks):
        pixels = rng.integers(0, 256, (2, each.widths[0])).astype(np.uint8)
        case = {"bytes": list(pack(each, reorder=place == 1)), "pixels": pixels.tolist(),
                "widths": each.widths, "scale": each.layers[-1].scale.item(),
                "accumulators": [layer.tolist() for layer
                                 in unpack(pack(each, reorder=place == 1)).accumulators(pixels)]}
        (folder / f"convolution-{place}.json").write_text(json.dumps(case))
    for place, shape in enumerate(((140, 140), (28, 28), (5, 33), (40, 7), (1, 1))):
        ink = (rng.integers(0, 256, shape) * (rng.random(shape) < 0.2 + 0.8 * (place > 2)))
        ink[:shape[0] // 4] = 0
        case = {"ink": ink.ravel().tolist(), "wide": shape[1],
                "picture": center_digit(ink.astype(np.uint8)).flatten().tolist()}
        (folder / f"center-{place}.json").write_text(json.dumps(case))
    return folder


@node
def test_in_javascript(cases):
    """`node --test`: each module alone, and against what Python computes."""
    files = map(str, (ROOT / "tests" / "web").glob("*.test.mjs"))
    done = subprocess.run(["node", "--test", "--test-reporter=tap", *files], encoding="utf-8",
                          capture_output=True, env={**os.environ, "WEB_CASES": str(cases)})
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"# pass (\d+)", done.stdout)[1]) > len(list(cases.iterdir()))

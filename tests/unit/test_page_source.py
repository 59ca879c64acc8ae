"""What the exported page is made of: the minifier and the centring, without a browser."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_compress.data import SIDE, center_digit, load_sample
from mnist_compress.deploy.minify import minify_css, minify_js
from mnist_compress.deploy.page import export_page
from mnist_compress.packed.header import PackedLayer, PackedNetwork


def by_loops(image):
    """`center_digit` for a list of lists, cell by cell, in Python's own numbers."""
    inked = [(r, c) for r, row in enumerate(image) for c, value in enumerate(row) if value]
    result = [[0] * SIDE for _ in range(SIDE)]
    if not inked:
        return result
    top, left = min(r for r, _ in inked), min(c for _, c in inked)
    high, wide = (max(p[axis] for p in inked) + 1 - low for axis, low in ((0, top), (1, left)))
    long = max(high, wide)
    new = {}
    for down in range(-(-20 * high // long)):
        for across in range(-(-20 * wide // long)):
            # the new pixel covers [down, down + 1) * long / 20 of the old rows; count in 1/20
            total = sum(
                image[top + r][left + c]
                * max(0, min(20 * r + 20, (down + 1) * long) - max(20 * r, down * long))
                * max(0, min(20 * c + 20, (across + 1) * long) - max(20 * c, across * long))
                for r in range(high) for c in range(wide))
            new[down, across] = (2 * total + long * long) // (2 * long * long)
    mass = sum(new.values())
    if not mass:
        return result
    moves = []
    for axis, length in enumerate((high, wide)):
        middle = sum(place[axis] * value for place, value in new.items())
        move = (29 * mass - 2 * middle) // (2 * mass)
        moves.append(min(max(move, 0), SIDE - -(-20 * length // long)))
    for (down, across), value in new.items():
        result[down + moves[0]][across + moves[1]] = value
    return result


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 33), st.integers(1, 33), st.floats(0, 1), st.integers(1, 255),
       st.integers(0, 2**32 - 1))
def test_centring_cell_by_cell(high, wide, share, most, seed):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, most, (high, wide), endpoint=True) * (rng.random((high, wide)) < share)
    found = center_digit(image.astype(np.uint8))
    assert found.dtype == torch.uint8 and found.tolist() == by_loops(image.tolist())


def test_mnist_pictures_come_back():
    """They were centred by the same rules, so a picture and its large copy stay as they are."""
    images = load_sample()[1].images
    wide = images[::40].repeat_interleave(5, 1).repeat_interleave(5, 2)
    for before, after in ((images, images), (wide, images[::40])):
        back = torch.stack([center_digit(image) for image in before])
        assert torch.equal(back, after)


def test_nothing_drawn_and_faint_ink():
    assert not center_digit(np.zeros((140, 140), np.uint8)).any()
    faint = np.zeros((140, 140), np.uint8)
    faint[0, 0] = faint[139, 139] = 1
    assert not center_digit(faint).any()
    assert center_digit(torch.full((3, 9), 7, dtype=torch.uint8)).max() == 7


@pytest.mark.parametrize("wrong, kind, text", [
    (np.zeros((28, 28)), TypeError, "torch.float64"),
    (np.zeros((1, 28, 28), np.uint8), ValueError, r"\(1, 28, 28\)"),
    (np.zeros((0, 28), np.uint8), ValueError, r"\(0, 28\)")])
def test_what_is_no_picture(wrong, kind, text):
    with pytest.raises(kind, match=text):
        center_digit(wrong)


def test_minified_javascript():
    source = """
// A remark, and "quotes" in it.
const total = 5, kept = (value, other) => {
  const result = value + other;  // again
  return `${result} and ${total + 1}: text`;
};
const second = [...kept(total, 2)].map(value => value.total - -1);
if (second) alert("a  blank // stays");
else alert(kept);
"""
    assert minify_js(source.strip(), keep=["kept"]) == (
        'let b=5,kept=(a,c)=>{let d=a+c;return`${d} and ${b+1}: text`};'
        'let d=[...kept(b,2)].map(a=>a.total- -1);'
        'if(d)alert("a  blank // stays");else alert(kept);')


def test_minified_css():
    assert minify_css("a, b {\n  color: red;\n  margin: 0 1em;\n}\n#p > i { top: 0 }\n") == (
        "a,b{color:red;margin:0 1em}#p>i{top:0}")


def network(widths, weight=1, multiplier=1 << 20):
    def layer(inputs, units, last):
        rest = [] if last else [np.array(multiplier, np.int32), np.array(30, np.int32)]
        return PackedLayer(np.full((units, inputs), weight, np.int8), np.zeros(units, np.int32),
                           np.array(0.5, np.float32), *rest)
    pairs = list(pairwise(widths))
    return PackedNetwork([layer(*pair, place == len(pairs) - 1)
                          for place, pair in enumerate(pairs)])


@pytest.mark.parametrize("widths", [(784, 10), (784, 5, 9), (196, 5, 10)])
def test_networks_that_the_page_cannot_show(widths, tmp_path):
    with pytest.raises(ValueError, match="a hidden layer and 10 digits; got a network of"):
        export_page(network(widths), tmp_path / "digit.html")
    assert not list(tmp_path.iterdir())


def test_sums_that_javascript_could_round(tmp_path):
    export_page(network((784, 5, 10), 127, (1 << 24) - 1), tmp_path / "digit.html")
    bad = network((784, 5, 10), 127, (1 << 24) - 1)
    bad.layers[0].bias[:] = 1 << 30
    with pytest.raises(ValueError, match="exact below 9007199254740992"):
        export_page(bad, tmp_path / "digit.html")
    bad.layers[0].bias[:] = 2**31 - 1
    with pytest.raises(ValueError, match="beyond int32"):
        export_page(bad, tmp_path / "digit.html")

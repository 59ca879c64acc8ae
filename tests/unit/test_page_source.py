"""What the exported page is made of: the minifier, without a browser."""

from itertools import pairwise

import numpy as np
import pytest

from mnist_compress.deploy.minify import minify_css, minify_js
from mnist_compress.deploy.page import export_page
from mnist_compress.packed.header import PackedLayer, PackedNetwork


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

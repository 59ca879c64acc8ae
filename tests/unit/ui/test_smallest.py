"""Notebook 07's pictures and tables, and the QR code read back from its picture."""

import io
import re
from itertools import pairwise

import pytest
import torch

from mnist_compress import packed, pretrained
from mnist_compress.deploy.page import QR_PREFIX, export_qr_page
from mnist_compress.measure.files import packed_file
from mnist_compress.packed import breakdown, pack, unpack
from mnist_compress.training import evaluate
from mnist_compress.ui import smallest

zxing = pytest.importorskip("zxingcpp")
image = pytest.importorskip("PIL.Image")


def scanned(png):
    """The bytes in the one QR code of a picture."""
    found, = zxing.read_barcodes(image.open(io.BytesIO(png)))
    assert found.format == zxing.BarcodeFormat.QRCode
    return found.bytes


def test_the_picture_in_the_notebook_holds_the_network(test):
    network = pretrained.load("thousand")
    picture = smallest.show_qr(network)
    data = scanned(picture.png())
    assert data == pack(network, reorder=True) == pretrained.path("thousand").read_bytes()
    answers = (evaluate(each, test).predictions for each in (unpack(data), network))
    assert torch.equal(*answers)
    size, side = re.match(r"(\d+) bytes .*: (\d+) x \2 squares", picture.sentence).groups()
    assert int(size) == len(data) and (int(side) - 17) % 4 == 0


def test_the_page_in_the_notebook_can_be_scanned(tmp_path):
    path = tmp_path / "qr.html"
    size = export_qr_page(pretrained.load("thousand"), path) + len(QR_PREFIX)
    picture = smallest.show_qr_page(path)
    assert scanned(picture.png()).decode("ascii") == QR_PREFIX + path.read_text("ascii")
    told = re.match(r"About (\d),(\d00) of the 2,953 bytes that fit make a QR code of "
                    r"version (\d\d): (\d+) x \4 squares", picture.sentence)
    assert int(told[4]) == 17 + 4 * int(told[3])
    assert abs(int(told[1] + told[2]) - size) <= 50


def test_the_largest_network_of_one_qr_code():
    data = scanned(smallest.show_qr(pretrained.load("lenet")).png())
    assert data == pretrained.path("lenet").read_bytes()


def test_packed_files_are_read_back(test):
    network = pretrained.load("thousand")
    for codec in packed.CODECS:
        row = packed_file("a name", network, test[:200], codec)
        assert row.same_answers and row.name == "a name"
        assert row.bytes == len(pack(network, codec, reorder=True))


def test_the_breakdown_tells_the_largest_parts():
    small = pretrained.path("thousand").read_bytes()
    files = {"plain": pack(pretrained.load("thousand"), "bitmask", share=False), "small": small}
    told = smallest.show_breakdown(files).sentence
    for name, data in files.items():
        sizes = breakdown(data)
        first = max(sizes, key=sizes.get)
        assert f"{name}, {len(data):,} bytes: most for {first} ({sizes[first]:,})" in told


def test_the_front_tells_of_mine_what_holds_everywhere():
    dense = 407_080, 0.12
    told = [smallest.show_front(mine, dense).sentence
            for mine in ((433, 0.1), (480, 0.08), (1200, 0.13))]
    assert told[0] == told[1]
    assert told[0].endswith("Yours: below 1,000 bytes, no more errors than dense.")
    assert told[2].endswith("Yours: above 1,000 bytes, more errors than dense.")
    best = pretrained.measured("thousand-small")
    assert f"thousand-small takes {best.mean_bytes:,.0f} bytes on average" in told[0]


def test_the_front_where_no_shipped_network_is_as_good_as_dense():
    told = smallest.show_front((480, 0.08), (407_080, 0.01)).sentence
    rows = [pretrained.measured(name) for name in pretrained.RECIPES if name.startswith("thousand")]
    best = min(rows, key=lambda row: row.validation_error)
    assert f"{best.name} takes {best.mean_bytes:,.0f} bytes on average and errs on " \
        f"{best.validation_error:.1%}; the dense network takes 407,080 and errs on 1.0%" in told
    assert told.endswith("more errors than dense.")


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match=r"at least one packed file to break down; got \{\}"):
        smallest.show_breakdown({})
    for name in ("thousand", "perceptron-untied"):
        with pytest.raises(ValueError, match=rf"only LeNet-300-100 compares .*; got '{name}'"):
            smallest.literature_table("lenet", name)


def test_the_literature_beside_ours():
    table = smallest.literature_table("lenet", "lenet-untied")
    ours = pretrained.measured("lenet")
    row = table.frame.loc["here: lenet"]
    assert row["bytes"] == f"{ours.mean_bytes:,.0f}"
    assert row["test error"] == f"{100 * ours.official_error:.2f} %"
    assert row["times smaller"] == f"{1_066_440 / ours.mean_bytes:.0f}"
    assert "sharing" in row["counted"]
    assert "sharing" not in table.frame.loc["here: lenet-untied"]["counted"]
    paper = table.frame.loc["Han et al. 2016, Deep Compression (arXiv 1510.00149)"]
    assert paper["test error"] == "1.58 %" and paper["times smaller"] == "39"
    assert "not like for like" in table.sentence
    parameters = sum((a + 1) * b for a, b in pairwise((784, 300, 100, 10)))
    assert table.frame.index.name == f"LeNet-300-100, {4 * parameters:,} bytes"

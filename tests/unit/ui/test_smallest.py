"""Notebook 07's pictures and tables, and the QR code read back from its picture."""

import io
import re
from itertools import pairwise
from statistics import mean

import pytest
import torch

from mnist_compress import pretrained
from mnist_compress.deploy.page import QR_PREFIX, export_qr_page
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


def test_the_breakdown_tells_the_largest_parts():
    small = pretrained.path("thousand").read_bytes()
    files = {"plain": pack(pretrained.load("thousand"), "bitmask", share=False), "small": small}
    told = smallest.show_breakdown(files).sentence
    for name, data in files.items():
        sizes = breakdown(data)
        first = max(sizes, key=sizes.get)
        assert f"{name}, {len(data):,} bytes: most for {first} ({sizes[first]:,})" in told


def test_files_to_scale():
    sizes = {"float32": 409_353, "int8": 105_329, "packed": 433}
    told = smallest.show_zoomed(sizes, 40).sentence
    assert told == ("Bytes: float32 409,353, int8 105,329, packed 433. Packed would fit 945 times "
                    "into float32.")
    left, right = smallest.show_zoomed(sizes, 40).figure.axes
    assert [bar.get_width() for bar in left.patches] == list(sizes.values())
    assert left.get_xlim()[1] == 40 * right.get_xlim()[1] == 409_353
    assert right.patches[2].get_width() == 433  # the others run out of the picture


def test_the_breakdown_is_to_scale():
    files = {name: pretrained.path(name).read_bytes() for name in ("thousand", "lenet")}
    axes = smallest.show_breakdown(files).figure.axes[0]
    ends = [max(bar.get_x() + bar.get_width() for bar in bars) for bars in
            ([bar for bar in axes.patches if round(bar.get_y() + 0.4) == place]
             for place in (0, 1))]
    assert ends == [len(data) for data in files.values()]


def test_the_front_tells_of_mine_what_holds_everywhere(test, model):
    mine, other = (pretrained.load(name) for name in ("thousand-small", "thousand-untied"))
    told = [smallest.show_front({"dense": (407_080, model), "mine": pair}, test).sentence
            for pair in ((433, mine), (480, other), (1200, mine))]
    assert told[0] == told[1]
    assert told[0].endswith("Yours: below 1,000 bytes, no more errors than dense.")
    assert told[2].endswith("Yours: above 1,000 bytes, no more errors than dense.")
    wrong = 1 - evaluate(mine, test).accuracy
    assert f"thousand-small takes 321 bytes and errs on {wrong:.1%};" in told[0]
    assert f"Of {len(test):,} digits: " in told[0] and "mine takes" not in told[0]


def test_a_front_with_more_errors_than_dense(test, model):
    pairs = {"dense": (1735, pretrained.load("thousand")), "mine": (433, model)}
    told = smallest.show_front(pairs, test).sentence
    assert told.endswith("Yours: below 1,000 bytes, more errors than dense.")


def test_shapes_on_the_same_axes():
    names = ("lenet-small", "convolution")
    picture = smallest.show_shapes(*names)
    dots, diamonds = picture.figure.axes[0].lines
    assert (dots.get_marker(), diamonds.get_marker()) == ("o", "D")
    for name, line in zip(names, (dots, diamonds), strict=True):
        found = pretrained.measured(name)
        assert tuple(line.get_xdata()) == found.bytes
        assert line.get_ydata() == pytest.approx([100 * each for each in found.official_errors])
        assert f"{name} {found.mean_bytes:,.0f} bytes at" in picture.sentence


def test_the_steps_say_in_how_many_seeds():
    found, table = pretrained.steps(), smallest.steps_table()
    whole = found["the whole recipe"]
    assert list(table.frame.index) == list(found) and len(whole.bytes) == 5
    for change, each in found.items():
        row = table.frame.loc[change]
        assert row["bytes"].startswith(f"{mean(each.bytes):,.0f} ({min(each.bytes):,} to ")
        if change != "the whole recipe":
            smaller = sum(a < b for a, b in zip(whole.bytes, each.bytes, strict=True))
            right = sum(a < b for a, b in zip(whole.official_errors, each.official_errors,
                                              strict=True))
            assert (row["whole is smaller"], row["whole errs less"]) == (
                f"{smaller} of 5", f"{right} of 5")
            sure, _, doubtful = table.sentence.partition(" Not in all: ")
            assert (change in sure) == (5 in (smaller, right)) == (change not in doubtful)
    assert all(row["step"] for change, row in table.frame.iterrows() if change in list(found)[1:])


def test_the_same_network_in_another_coder():
    found = pretrained.steps()
    one, other = found["the whole recipe"], found["order0 in place of context mixing"]
    assert one.official_errors == other.official_errors
    assert all(small < large for small, large in zip(one.bytes, other.bytes, strict=True))


def test_references_have_the_same_means():
    table = smallest.references_table("thousand", "lenet")
    row = table.frame.loc["lenet", "student in float"]
    assert row["units"] == "196-150-60-10" and row["bytes"] == "156,880"
    assert row["times the file"] == "57" and row["wrong"] == "0.96 (0.93 to 1.00) %"
    assert table.frame.loc["lenet", "same shape in float"]["times the file"] == "386"
    assert table.frame.loc["thousand", "teacher"]["wrong"].startswith("3.96 ")
    for name in ("thousand", "perceptron", "lenet"):  # bytes follow from the units
        for kind in ("teacher", "student in float", "same shape in float"):
            found = smallest.references_table(name).frame.loc[name, kind]
            widths = map(int, found["units"].split("-"))
            size = sum(4 * (a + 1) * b for a, b in pairwise(widths))
            assert found["bytes"] == f"{size:,}"
    assert "lenet takes 57 times fewer bytes and errs 0.54 points more than its own" in \
        table.sentence


def test_the_literature_beside_ours():
    table = smallest.literature_table("lenet", "lenet-untied")
    ours = pretrained.measured("lenet")
    row = table.frame.loc["here: lenet"]
    assert row["bytes"] == f"{ours.mean_bytes:,.0f}"
    assert row["test error"] == f"{100 * ours.official_error:.2f} %"
    assert row["times smaller"] == (f"{156_880 / ours.mean_bytes:.0f} than its float start, "
                                    f"{1_066_440 / ours.mean_bytes:.0f} than its padded shape")
    assert "sharing" in row["counted"]
    assert "sharing" not in table.frame.loc["here: lenet-untied"]["counted"]
    assert "not like for like" in table.sentence


def test_ratios_and_bytes_are_as_published():
    frame = smallest.literature_table("lenet").frame
    found = {(name.split(",")[0], row["network"]): row for name, row in frame.iterrows()}
    deep = found["Han et al. 2016", "LeNet-300-100"]
    assert (deep["test error"], deep["bytes"], deep["times smaller"]) == (
        "1.58 %", "27,000", "40")
    assert found["Oktay et al. 2020", "LeNet-300-100"]["times smaller"] == "124"
    assert found["Ullrich et al. 2017", "LeNet-300-100"]["times smaller"] == "64"
    small = frame.loc["Havasi et al. 2018, MIRACLE, smaller (arXiv 1810.00440)"]
    assert (small["bytes"], small["test error"], small["network"]) == ("1,520", "0.96 %", "LeNet-5")


def test_the_sentence_follows_from_the_papers():
    names = [name for name in pretrained.RECIPES if name.startswith("lenet")]
    told = smallest.literature_table(*names).sentence
    good, _, lost = told.partition(" Beaten in both")
    for name in names:
        found = pretrained.measured(name)
        better = found.mean_bytes < 8560 and 100 * found.official_error <= 1.9
        listed = [each.strip(" .") for each in good.split("average:")[1].split(",")]
        assert (name in listed) == better
    assert "lenet by 2" in lost  # MIRACLE's smaller one and Bayesian Compression

"""What each step gives, fair references, what others published."""

from itertools import pairwise
from statistics import mean

import pytest

from mnist_compress import pretrained
from mnist_compress.ui import published


def test_the_steps_say_in_how_many_seeds():
    found, table = pretrained.steps(), published.steps_table()
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
    table = published.references_table("thousand", "lenet")
    row = table.frame.loc["lenet", "student in float"]
    assert row["units"] == "196-150-60-10" and row["bytes"] == "156,880"
    assert row["times the file"] == "57" and row["wrong"] == "0.96 (0.93 to 1.00) %"
    assert table.frame.loc["lenet", "same shape in float"]["times the file"] == "386"
    assert table.frame.loc["thousand", "teacher"]["wrong"].startswith("3.96 ")
    for name in ("thousand", "perceptron", "lenet"):  # bytes follow from the units
        for kind in ("teacher", "student in float", "same shape in float"):
            found = published.references_table(name).frame.loc[name, kind]
            widths = map(int, found["units"].split("-"))
            size = sum(4 * (a + 1) * b for a, b in pairwise(widths))
            assert found["bytes"] == f"{size:,}"
    assert "lenet takes 57 times fewer bytes and errs 0.54 points more than its own" in \
        table.sentence
    with pytest.raises(ValueError, match="nothing was measured under the name 'lenet-small t"):
        published.references_table("lenet-small")


def test_only_lenet_compares():
    for name in ("thousand", "perceptron-untied"):
        with pytest.raises(ValueError, match=rf"only LeNet-300-100 compares .*; got '{name}'"):
            published.literature_table("lenet", name)


def test_the_literature_beside_ours():
    table = published.literature_table("lenet", "lenet-untied")
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
    frame = published.literature_table("lenet").frame
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
    told = published.literature_table(*names).sentence
    good, _, lost = told.partition(" Beaten in both")
    for name in names:
        found = pretrained.measured(name)
        better = found.mean_bytes < 8560 and 100 * found.official_error <= 1.9
        listed = [each.strip(" .") for each in good.split("average:")[1].split(",")]
        assert (name in listed) == better
    assert "lenet by 2" in lost  # MIRACLE's smaller one and Bayesian Compression

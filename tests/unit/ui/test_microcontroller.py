"""Networks on the emulated chip as notebook 09 shows them, with the extra and without."""

import copy
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from mnist_compress import pretrained
from mnist_compress.deploy import chip
from mnist_compress.integer import IntegerNetwork
from mnist_compress.pruning import prune
from mnist_compress.ui import explore_chip, microcontroller
from mnist_compress.ui.drawpad import _DRAWN
from mnist_compress.ui.microcontroller import _ChipRow, chip_table, estimate_table, on_chip
from mnist_compress.ui.state import Sentence

LARGE = _ChipRow("large", 1000, 200, 80, 5000, 6000, 100, "a")
SMALL = _ChipRow("small", 250, 150, 40, 9000, 12000, 100, "b")


@pytest.fixture
def extra():
    """Skips a test without the extra, unless REQUIRE_CHIP=1."""
    if not chip.installed() and os.environ.get("REQUIRE_CHIP") != "1":
        pytest.skip("the extra [chip] is not installed")


@pytest.fixture
def without(monkeypatch):
    """As if the extra was not installed."""
    monkeypatch.setattr(chip, "installed", lambda: False)


@pytest.fixture(scope="module")
def small():
    return pretrained.load("thousand-small")


@pytest.mark.usefixtures("extra")
def test_what_is_recorded_is_what_is_counted(small, validation, monkeypatch):
    programs = {"bytes": small, "bits": (small, "bits")}
    for core in ("cortex-m0plus", "rv32ec"):
        live = on_chip(programs, validation, core)
        with monkeypatch.context() as patch:
            patch.setattr(chip, "installed", lambda: False)
            recorded = on_chip(programs, validation, core)
        assert [row.same for row in live] == [100, 100] and [row.same for row in recorded] == [0, 0]
        for one, other in zip(live, recorded, strict=True):
            assert one.checksum == other.checksum
            assert np.allclose(one[1:6], other[1:6], equal_nan=True)


@pytest.mark.usefixtures("extra")
def test_a_program_that_reads_otherwise_is_no_row(small, validation, monkeypatch):
    other = IntegerNetwork([replace(layer) for layer in small.layers])
    other.layers[1].bias = other.layers[1].bias + np.int32(1)
    export = microcontroller.export_c
    monkeypatch.setattr(microcontroller, "export_c", lambda _, path: export(other, path))
    with pytest.raises(RuntimeError, match="name says other logits on cortex-m0plus than here"):
        on_chip({"name": small}, validation)


@pytest.mark.usefixtures("without")
def test_a_float_network_is_known_on_every_processor(model, validation):
    other = copy.deepcopy(model)
    with torch.no_grad():  # as another processor would round them
        other.layers[0].weight.mul_(1 + 2e-7)
    rows = on_chip({"here": model, "elsewhere": other, "pruned": prune(model, 0.5)}, validation)
    assert [row.flash > 409_000 for row in rows] == [True, True, False]


@pytest.mark.usefixtures("without")
def test_unknown_programs_have_no_figures(validation):
    network = pretrained.load("thousand")
    layers = [replace(layer) for layer in network.layers]
    layers[1].bias = layers[1].bias + np.int32(512)
    (row,) = on_chip({"mine": IntegerNetwork(layers)}, validation)
    assert np.isnan(row[1:6]).all() and row.same == 0


def test_the_table_says_what_is_least_and_where_it_comes_from():
    table = chip_table([LARGE, SMALL], {"small": "90 %"})
    assert table.frame.loc["small"].tolist() == ["250 bytes", "150", "40 bytes", "9,000", "90 %"]
    assert table.frame.loc["large", "right"] == ""
    assert table.sentence == (
        "Least flash: small (4 times below large); fewest instructions: large. Each program was "
        "built here; its logits for 100 digits are its network's.")
    told = chip_table([LARGE, SMALL._replace(same=0)]).sentence
    assert "Recorded figures" in told and "pip install -c constraints.txt -e '.[chip]'" in told


def test_estimates_by_hand():
    table = estimate_table([LARGE, SMALL])
    # 6,000 cycles at 48 MHz; 228 and 855 picojoules each
    assert table.frame.loc["large"].tolist() == ["6,000", "0.12 to 0.25", "1.4", "5.1"]
    assert table.sentence == ("Estimates, not measurements: a digit takes 1.4 to 5.1 microjoules "
                              "as large, 2.7 to 10 as small.")


def test_the_front_names_the_programs_that_nobody_beats():
    worse = LARGE._replace(name="worse", flash=1001)
    picture = microcontroller.show_encodings([LARGE, worse, SMALL], "worse")
    assert picture.sentence.startswith("No other program beats small, large in both bytes and "
                                       "instructions. Yours, worse, is not on this front.")
    own = microcontroller.show_encodings([LARGE, SMALL], "small").sentence
    assert "Yours, small, is on this front." in own


def test_peers_are_beaten_only_in_everything():
    peers = pd.read_csv(Path(microcontroller.__file__).with_name("peers.csv"))
    first = peers.set_index("network").loc["BitNetMCU 1k"]
    mine = _ChipRow("mine", first["flash"] - 1, 0, 0, first["instructions"] - 1, 0, 100, "")
    table = microcontroller.peer_table([mine], {"mine": first["right"] + 0.1})
    assert table.sentence.startswith("mine takes less flash and fewer instructions than BitNetMCU")
    assert table.frame.loc["ours: mine", "flash"] == "2,059"
    tie = microcontroller.peer_table([mine], {"mine": first["right"]})
    assert tie.sentence == "Most digits are read by BitNetMCU 12k; least RAM is taken by mine."


def test_our_small_perceptron_beats_a_peer_of_its_kind(validation):
    (row,) = on_chip({"perceptron-small": pretrained.load("perceptron-small")}, validation)
    right = 100 * (1 - pretrained.measured("perceptron-small").official_error)
    table = microcontroller.peer_table([row], {"perceptron-small": right})
    assert "perceptron-small takes less flash and fewer instructions than BitNetMCU 1k" \
        in table.sentence


@pytest.mark.usefixtures("extra")
def test_the_pad_counts_what_the_chip_does(small, model, validation, monkeypatch):
    with monkeypatch.context() as patch:  # a hundred digits in float32 take long
        patch.setattr(chip, "installed", lambda: False)
        (row,) = on_chip({"float32": model}, validation)
    pad = explore_chip({"float32": model, "small": small}, [row])
    drawing = np.zeros((_DRAWN, _DRAWN), np.uint8)
    drawing[20:120, 64:78] = 255
    pad.set_state({"drawing": memoryview(drawing.tobytes())})
    seen = torch.frombuffer(bytearray(pad.seen), dtype=torch.uint8).view(1, 28, 28)
    says, counted = small.predict(seen.numpy())[0], chip.Chip(pad._programs["small"].build)
    assert f"small says {says} (" in pad.sentence
    assert f"after {counted.count(seen).instructions:,.0f} instructions" in pad.sentence
    assert f"after about {row.instructions:,.0f} instructions" in pad.sentence
    assert list(pad.probabilities) == ["float32", "small"]
    wanted = torch.softmax(torch.from_numpy(small.logits(seen.numpy()))[0] * small.logit_scale, 0)
    assert torch.allclose(torch.tensor(pad.probabilities["small"]), wanted.float(), atol=1e-6)
    assert pad.trace_html == "" and pad.problem == ""


@pytest.mark.usefixtures("without")
def test_without_the_extra_the_pad_says_so(small):
    said = explore_chip({"small": small}, [])
    assert isinstance(said, Sentence) and "pip install" in said


@pytest.mark.usefixtures("extra")
def test_c_runs_on_the_chip():
    weights, pixels = torch.tensor([3, -2], dtype=torch.int8), torch.tensor([200, 255])
    run = microcontroller.run_c
    assert run("return weights[0] * pixels[0] + weights[1] * pixels[1] + count;", weights,
               pixels.to(torch.uint8)) == 92
    with pytest.raises(RuntimeError, match="the compiler says: use of undeclared identifier 'x'"):
        run("return x;", weights, pixels)

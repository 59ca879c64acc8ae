"""Tables, pictures and the pad of notebook 09: networks as C on an emulated chip.

Without the extra [chip] nothing can be built or run. Then figures come from `recorded.csv`, which
`tools.record_chip` wrote: they are known by the checksum of the C file that they belong to.
"""

import hashlib
import re
import tempfile
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from ..data import Digits
from ..deploy import chip, export_c
from ..measure import energy
from ..training import logits
from .drawpad import DrawPad
from .plots import Picture, canvas, draw_front, in_style, log_scale
from .state import Sentence
from .tables import Table, two_digits
from .waiting import bar

_RECORDED = Path(chip.__file__).with_name("recorded.csv")
_MEGAHERTZ = 48
_FIGURES = ["flash", "code", "stack", "instructions", "cycles"]
_LOOP = Path(chip.__file__).with_name("c").joinpath("loop.c")


class _ChipRow(NamedTuple):
    """One program on a core: bytes of flash, of its code alone, of stack; instructions and cycles
    for a digit, to four digits in float32. `same`: how many digits it read as the network does, 0
    if the figures are recorded ones; `checksum` of its C file."""

    name: str
    flash: float
    code: float
    stack: float
    instructions: float
    cycles: float
    same: int
    checksum: str


def on_chip(networks: dict, digits: Digits, core: str = "cortex-m0plus") -> list[_ChipRow]:
    """Export, build and run networks: a `_ChipRow` for each.

    networks: {name: network}, or {name: (network, encoding, ...)} as `export_c` takes them. For the
    first 100 of the digits the chip must say the network's own integers, for 5 the logits of a
    float network up to its rounding; RuntimeError if not. Without the extra, figures are recorded
    ones, NaN where there are none.
    """
    rows, each = [], networks.items()
    known = pd.read_csv(_RECORDED).set_index(["checksum", "core"])[_FIGURES]
    with tempfile.TemporaryDirectory() as folder:
        for name, network in bar(each, "programs") if len(each) > 1 else each:
            network, *options = network if isinstance(network, tuple) else (network,)
            path = Path(folder, "digits.c")
            export_c(network, path, *options)
            checksum = _checksum(path.read_text("ascii"))
            figures, same = known.reindex([(checksum, core)]).iloc[0], 0
            if chip.installed():
                figures, same = _counted(name, network, chip.build(path, core), digits)
            rows.append(_ChipRow(name, *figures, same, checksum))
    return rows


def _checksum(source):
    """What a C file is known by. The last bits of float weights depend on the processor that made
    them, so only which of them are 0 counts."""
    if "float logits" in source:
        source = " ".join(re.sub(r"-?\b(?!0\.0*f)[\d.e-]+f\b", "x", source).split())
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def _counted(name, network, build, digits):
    """The figures of a program, and of how many digits its logits are the network's."""
    few = digits[:5 if build.floats else 100]
    wanted = logits(network, few) if build.floats else network.logits(few.images.numpy())
    if not np.allclose(chip.Chip(build).logits(few.images), wanted, rtol=0, atol=1e-4):
        raise RuntimeError(f"{name} says other logits on {build.core} than here")
    counted = chip.Chip(build).count(few.images[:1 if build.floats else 2])  # floats: a second each
    taken = counted.instructions, counted.cycles
    if build.floats:  # they depend on the last bits too
        taken = (float(f"{value:.4g}") for value in taken)
    return (build.flash, build.code, counted.stack, *taken), len(few)


def chip_table(rows: list[_ChipRow], right: dict[str, str] | None = None) -> Table:
    """Flash, RAM and instructions of each program; right: {name: how many digits it reads}."""
    frame = pd.DataFrame([{
        "program": row.name, "flash": f"{row.flash:,.0f} bytes", "of it code": f"{row.code:,.0f}",
        "RAM": f"{row.stack:,.0f} bytes", "instructions": f"{row.instructions:,.0f}",
    } for row in rows]).set_index("program")
    if right:
        frame["right"] = [right.get(name, "") for name in frame.index]
    told = []
    for word, what in (("Least", "flash"), ("fewest", "instructions")):
        first, *_ = sizes = [getattr(row, what) for row in rows]
        name = rows[sizes.index(min(sizes))].name
        below = f" ({two_digits(first / min(sizes))} times below {rows[0].name})"
        told.append(f"{word} {what}: {name}{below if min(sizes) < first else ''}")
    return Table(frame, f"{'; '.join(told)}. {_source(rows)}")


def estimate_table(rows: list[_ChipRow]) -> Table:
    """Milliseconds and microjoules that the cycles of a digit would take, as `energy` has them.

    At this clock flash may answer one cycle late; a cycle meets it once, so that doubles them.
    """
    lines, told = [], []
    for row in rows:
        short, long = (two_digits(row.cycles * times / 1000 / _MEGAHERTZ) for times in (1, 2))
        taken = {f"microjoules, {source}": two_digits(each)
                 for source, each in energy(row.cycles, "cycle").items()}
        lines.append({"program": row.name, "cycles": f"{row.cycles:,.0f}",
                      f"ms at {_MEGAHERTZ} MHz": f"{short} to {long}", **taken})
        told.append((" to ".join(taken.values()), row.name))
    return Table(pd.DataFrame(lines).set_index("program"),
                 "Estimates, not measurements: a digit takes {} microjoules as {}, {} as {}."
                 .format(*told[0], *told[-1]))


def _source(rows):
    """Where the figures come from, in a sentence."""
    if all(row.same for row in rows):
        read = " or ".join(f"{count}" for count in sorted({row.same for row in rows}))
        return f"Each program was built here; its logits for {read} digits are its network's."
    return ("Recorded figures: the extra that builds and runs programs is not here "
            f"({chip.INSTALL}).")


@in_style()
def show_encodings(rows: list[_ChipRow], mine: str) -> Picture:
    """Flash and instructions of programs for one network; `mine` is the learner's own of them."""
    figure, axes = canvas((7.6, 3.6))
    front = draw_front(axes, {row.name: (row.flash, row.instructions) for row in rows}, mine)
    log_scale(axes, "x", "y")
    axes.set(xlabel="bytes of flash", ylabel="instructions")
    return Picture(figure, f"No other program beats {', '.join(front)} in both bytes and "
                   f"instructions. Yours, {mine}, is {'on' if mine in front else 'not on'} this "
                   f"front. {_source(rows)}")


def peer_table(rows: list[_ChipRow], right: dict[str, float]) -> Table:
    """Our programs among others (peers.csv), which were built for the same core and counted when
    the course was written; right: {name: per cent of MNIST's 10,000 test digits}."""
    peers = pd.read_csv(Path(__file__).with_name("peers.csv")).set_index("network")
    ours = pd.DataFrame([{"network": f"ours: {row.name}", "flash": row.flash, "RAM": row.stack,
                          "instructions": row.instructions, "right": right[row.name]}
                         for row in rows]).set_index("network")
    costs, told = ["flash", "instructions"], []
    for name, own in ours.iterrows():
        worse = (peers[costs] > own[costs]).all(axis=1) & (peers["right"] < own["right"])
        if beaten := [peer for peer in peers.index[worse] if "GCC" not in peer]:
            told.append(f"{name.removeprefix('ours: ')} takes less flash and fewer instructions "
                        f"than {' and '.join(beaten)}, and reads more digits.")
    every = pd.concat([ours, peers]).sort_values("right").rename_axis("program")
    told.append(f"Most digits are read by {every.index[-1]}; least RAM is taken by "
                f"{every['RAM'].idxmin().removeprefix('ours: ')}.")
    frame = every.map("{:,.0f}".format)
    frame["right"] = every["right"].map("{:.1f} %".format)
    return Table(frame, " ".join(told))


def run_c(body: str, weights: torch.Tensor, pixels: torch.Tensor) -> int:
    """What a piece of C returns on the emulated chip. It sees `weights`, int8 (n,), `pixels`, uint8
    (n,), and their `count`. RuntimeError with what the compiler says."""
    source = Template(_LOOP.read_text("utf-8")).substitute(
        weights=", ".join(map(str, weights.tolist())), count=len(weights), body=body)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "loop.c")
        path.write_text(source, "utf-8")
        try:
            built = chip.build(path)
        except RuntimeError as problem:
            found = re.search("error: (.*)", str(problem))
            raise RuntimeError(f"the compiler says: {found[1] if found else problem}") from None
    picture = np.zeros((1, 784), np.uint8)
    picture[0, :len(pixels)] = pixels
    return int(chip.Chip(built).logits(picture)[0, 0])


class _ChipPad(DrawPad):
    """Draw a digit and watch emulated chips read it, their instructions counted.

    models: {name: network}, each in a program of its own. rows: what `on_chip` said of them; a
    float network's instructions are taken from there, for to count them is slow.
    """

    def __init__(self, models: dict[str, Any], rows: list[_ChipRow]):
        self._programs, self._known = {}, {row.name: row.instructions for row in rows}
        with tempfile.TemporaryDirectory() as folder:
            for name, network in models.items():
                export_c(network, Path(folder, "digits.c"))
                self._programs[name] = chip.Chip(chip.build(Path(folder, "digits.c")))
        super().__init__(models)

    def _read(self, digit):
        sure, answers = {}, []
        for name, program in self._programs.items():
            scale = getattr(self._models[name], "logit_scale", 1)
            found = (torch.from_numpy(program.logits(digit.images)[0]) * scale).softmax(0)
            count = (f"about {self._known[name]:,.0f}" if program.build.floats
                     else f"{program.count(digit.images).instructions:,.0f}")
            sure[name] = found.tolist()
            answers.append(f"{name} says {int(found.argmax())} ({100 * found.max():.0f} %) after "
                           f"{count} instructions")
        return sure, answers, None


def explore_chip(models: dict[str, Any], rows: list[_ChipRow]) -> _ChipPad | Sentence:
    """A pad whose digits are read by emulated chips, one for each of these networks by name; rows:
    what `on_chip` said of them."""
    if not chip.installed():
        return Sentence(f"The pad needs the extra that builds and runs programs: {chip.INSTALL}.")
    return _ChipPad(models, rows)

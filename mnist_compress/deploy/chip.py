"""The C file on a chip that is emulated: an optional extra, `pip install '.[chip]'`.

`build` compiles it with the pinned compiler (Clang, in the package ziglang), `Chip` runs it in an
emulator (unicorn). Instructions are counted, none is timed: no chip of silicon is involved.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import platformdirs

from ..data import SIDE

INSTALL = "pip install -c constraints.txt -e '.[chip]'"
_SOURCES = Path(__file__).with_name("c")
_RAM, _RAM_BYTES = 0x20000000, 0x4000  # 16 KB, as chip.ld has it
_RETURN = 0x30000000  # where `predict` returns to, which ends a run
_LOGITS = _RAM + SIDE**2
_PAINT = 0xA5


class Core(NamedTuple):
    """A processor: how the compiler calls it, whether it runs Thumb code, else RISC-V."""

    target: str
    options: tuple[str, ...]
    thumb: bool
    model: str = ""  # of the emulator


CORES = {
    "cortex-m0plus": Core("thumb-freestanding-eabi", ("-mcpu=cortex_m0plus",), True, "M0"),
    "cortex-m4": Core("thumb-freestanding-eabi", ("-mcpu=cortex_m4",), True, "M4"),
    "rv32imc": Core("riscv32-freestanding-none", ("-mcpu=generic_rv32+m+c",), False),
    "rv32emc": Core("riscv32-freestanding-none",
                    ("-mcpu=generic_rv32-i+e+m+c", "-mabi=ilp32e"), False),
    "rv32ec": Core("riscv32-freestanding-none",
                   ("-mcpu=generic_rv32-i+e+c", "-mabi=ilp32e"), False),
}


@dataclass(frozen=True)
class Build:
    """A program for a core: its ELF file, bytes of code and of tables, the address it starts at."""

    core: str
    elf: bytes
    code: int
    tables: int
    entry: int
    floats: bool  # whether the logits are float32

    @property
    def flash(self) -> int:
        """All bytes that must be loaded into the chip."""
        return self.code + self.tables


def installed() -> bool:
    """Whether compiler and emulator are here; looks without importing them."""
    return all(importlib.util.find_spec(name) for name in ("ziglang", "unicorn", "elftools"))


def build(path: str | Path, core: str = "cortex-m0plus", optimize: str = "s") -> Build:
    """Compile a C file of `export_c` for one of CORES, with what it needs of the compiler's own
    library, such as a multiplication; optimize is the letter after -O.

    ImportError with the command that installs the compiler; RuntimeError with what it says.
    """
    if core not in CORES:
        raise ValueError(f"core must be one of {', '.join(CORES)}; got {core!r}")
    elf = _link([path], core, "predict", optimize)
    from elftools.elf.elffile import ELFFile

    file = ELFFile(BytesIO(elf))
    ...

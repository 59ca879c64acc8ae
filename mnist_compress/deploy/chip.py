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
from functools import cache
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import platformdirs

from ..arguments import one_of
from ..data import SIDE

INSTALL = "pip install -c constraints.txt -e '.[chip]'"
_E = "-mabi=ilp32e"  # RISC-V with 16 registers instead of 32
CORES = {  # name: what the compiler is told
    "cortex-m0plus": ("-target", "thumb-freestanding-eabi", "-mcpu=cortex_m0plus"),
    "cortex-m4": ("-target", "thumb-freestanding-eabi", "-mcpu=cortex_m4"),
    "rv32imc": ("-target", "riscv32-freestanding-none", "-mcpu=generic_rv32+m+c"),
    "rv32emc": ("-target", "riscv32-freestanding-none", "-mcpu=generic_rv32-i+e+m+c", _E),
    "rv32ec": ("-target", "riscv32-freestanding-none", "-mcpu=generic_rv32-i+e+c", _E),
}
_SOURCES = Path(__file__).with_name("c")
_FLAGS = ("-Os", "-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-ffreestanding",
          "-nostdlib", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections",
          f"-Wl,-T,{_SOURCES / 'chip.ld'}")
_RAM, _RAM_BYTES = 0x20000000, 0x4000  # as in chip.ld; first the picture, then the logits
_LOGITS, _STACK = _RAM + SIDE**2, _RAM + SIDE**2 + 40
_RETURN, _PAINT = 0x30000000, b"\xa5"  # where a run ends; what lies in memory that is not used


class _Build(NamedTuple):
    """A program for a core: its ELF file, bytes of its code and of all that must be loaded into the
    chip, the address it starts at, whether its logits are float32."""

    core: str
    elf: bytes
    code: int
    flash: int
    entry: int
    floats: bool


class _Count(NamedTuple):
    """What reading a digit takes on average: instructions, and cycles, NaN where the core has no
    table of them; the most bytes that lay on the stack."""

    instructions: float
    cycles: float
    stack: int


def installed() -> bool:
    """Whether compiler and emulator are here; looks without importing them."""
    return all(importlib.util.find_spec(name) for name in ("ziglang", "unicorn", "elftools"))


def build(path: str | Path, core: str = "cortex-m0plus") -> _Build:
    """Compile a C file of `export_c` for one of CORES, as small as the compiler can.

    What it takes from the compiler's library, such as a multiplication, is in it and counted.
    ImportError with the command that installs the compiler; RuntimeError with what it says.
    """
    one_of("core", core, CORES)
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "program.elf")
        _compile(core, "predict", program, path)
        elf = program.read_bytes()
    segments, entry = _loaded(elf)
    floats = "float logits" in Path(path).read_text("ascii")
    return _Build(core, elf, len(segments[0][1]), _end(segments), entry, floats)


def write_image(path: str | Path, name: str | Path) -> int:
    """Write `name`.elf and `name`.hex, from which a board like the micro:bit starts.

    path: a C file of `export_c`. The program reads the picture at the start of the memory and
    writes the digit behind it (c/boot.c). Returns its bytes of flash.
    """
    elf = Path(f"{name}.elf")
    _compile("cortex-m0plus", "reset", elf, path, _SOURCES / "boot.c")
    _zig("objcopy", "-O", "hex", elf, f"{name}.hex")
    return _end(_loaded(elf.read_bytes())[0])


def _compile(core, entry, output, *sources):
    command = ["cc", *CORES[core], *_FLAGS, f"-Wl,--entry={entry}", *sources, "-o", output]
    try:
        _zig(*command)
    except RuntimeError as problem:
        if "undefined symbol" not in str(problem):
            raise
        _zig(*command, "-lcompiler_rt")  # takes seconds the first time, when it is made


def _zig(*command):
    """Run the compiler, which keeps what it makes in the user's cache folder. RuntimeError."""
    if not installed():
        raise ImportError(f"the compiler and the emulator are an extra: {INSTALL}")
    kept = str(platformdirs.user_cache_path("mnist_compress") / "zig")
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": kept, "ZIG_LOCAL_CACHE_DIR": kept}
    result = subprocess.run([sys.executable, "-m", "ziglang", *map(str, command)], check=False,
                            capture_output=True, text=True, env=environment)
    if result.returncode:
        raise RuntimeError(result.stderr)


def _loaded(elf):
    """[(address, bytes)] of all that goes into flash, and the address to start at."""
    from elftools.elf.elffile import ELFFile

    file = ELFFile(BytesIO(elf))
    parts = [(part["p_paddr"], part.data()) for part in file.iter_segments("PT_LOAD")]
    return [part for part in parts if part[1]], file["e_entry"]


def _end(segments):
    """The address behind the last bytes."""
    start, data = segments[-1]
    return start + len(data)


class Chip:
    """An emulated chip with a program of `build` in its flash and 16 KB of memory."""

    def __init__(self, build: _Build):
        self.build = build
        self._emulator, self._registers = _start(build)

    def logits(self, pixels: Any) -> np.ndarray:
        """uint8 (n, 28, 28) or (n, 784) -> int32 (n, 10), or float32 of a float network."""
        return np.array(list(self._run(self._emulator, pixels)))

    def count(self, pixels: Any) -> _Count:
        """What it takes to read each of these digits, uint8 (n, 28, 28) or (n, 784)."""
        from unicorn import UC_HOOK_BLOCK

        emulator, _ = _start(self.build)  # a hook that comes after the first run sees nothing
        emulator.mem_write(_RAM, _PAINT * _RAM_BYTES)
        blocks: list[tuple[int, int]] = []
        emulator.hook_add(UC_HOOK_BLOCK, lambda _, start, size, data: blocks.append((start, size)))
        totals = []
        for _ in self._run(emulator, pixels):
            totals.append(self._total(emulator, Counter(pairwise([*blocks, (0, 0)]))))
            blocks.clear()
        instructions, cycles = np.mean(totals, 0).tolist()
        if self.build.core != "cortex-m0plus":
            cycles = float("nan")
        stack = emulator.mem_read(_STACK, _RAM + _RAM_BYTES - _STACK).lstrip(_PAINT)
        return _Count(instructions, cycles, len(stack))

    def _run(self, emulator, pixels):
        """The logits of one digit after the other."""
        values = _RAM, _LOGITS, _RAM + _RAM_BYTES, _RETURN | self.build.entry & 1
        for digit in np.asarray(pixels, np.uint8).reshape(len(pixels), SIDE**2):
            emulator.mem_write(_RAM, digit.tobytes())
            for register, value in zip(self._registers, values, strict=True):
                emulator.reg_write(register, value)
            emulator.emu_start(self.build.entry, _RETURN)
            found = emulator.mem_read(_LOGITS, 40)
            yield np.frombuffer(found, "<f4" if self.build.floats else "<i4")

    def _total(self, emulator, steps):
        """Instructions and cycles of a run in which blocks of code came after another so often."""
        total = np.zeros(2, np.int64)
        for ((start, size), (after, _)), times in steps.items():
            code = bytes(emulator.mem_read(start, size))
            instructions, cycles, conditional = _cost(code, self.build.core.startswith("cortex"))
            jumps = conditional and after != start + size
            total += times * instructions, times * (cycles + jumps)
        return total


def _start(build):
    """A fresh emulator with the program in its flash, and the registers that `predict` reads."""
    import unicorn
    from unicorn import arm_const as arm
    from unicorn import riscv_const as riscv

    if build.core.startswith("cortex"):
        emulator = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB)
        models = {"cortex-m0plus": arm.UC_CPU_ARM_CORTEX_M0, "cortex-m4": arm.UC_CPU_ARM_CORTEX_M4}
        emulator.ctl_set_cpu_model(models[build.core])
        registers = [getattr(arm, f"UC_ARM_REG_{name}") for name in ("R0", "R1", "SP", "LR")]
    else:
        emulator = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
        registers = [getattr(riscv, f"UC_RISCV_REG_{name}") for name in ("A0", "A1", "SP", "RA")]
    for start, size in ((0, 1 << 21), (_RAM, _RAM_BYTES), (_RETURN, 1 << 12)):
        emulator.mem_map(start, size)
    for start, data in _loaded(build.elf)[0]:
        emulator.mem_write(start, data)
    return emulator, registers


@cache
def _cost(code: bytes, thumb: bool) -> tuple[int, int, bool]:
    """Instructions of a block of code, their cycles, whether it ends with a conditional branch.

    thumb: the code of a Cortex-M, whose cycles are those of a Cortex-M0+; else of a RISC-V, of
    which only the instructions are right. Branches count as if they were not taken.
    """
    instructions = cycles = place = half = 0
    while place < len(code):
        half = int.from_bytes(code[place:place + 2], "little")
        wide = half >= 0xE800 if thumb else half & 3 == 3
        instructions += 1
        cycles += 3 if wide else _cycles(half)
        place += 4 if wide else 2
    return instructions, cycles, thumb and 0xD0 <= half >> 8 < 0xDE


def _cycles(half):
    """Cycles of a 16-bit instruction on a Cortex-M0+ whose memory never makes it wait, with a
    multiplier of one cycle and branches that are not taken (its Technical Reference Manual)."""
    top = half >> 8
    if top in (0xB4, 0xB5, 0xBC, 0xBD):  # PUSH, POP; the last bit: also the return address
        return 1 + (half & 0x1FF).bit_count() + 2 * (top == 0xBD)
    if top >> 4 == 0xC:  # STM, LDM
        return 1 + (half & 0xFF).bit_count()
    jump = top == 0x47 or half >> 11 == 0x1C or half & 0xFD87 == 0x4487
    return 2 if jump or 0x48 <= top < 0xA0 else 1  # jumps, and loads and stores

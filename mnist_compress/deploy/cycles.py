"""How many instructions a piece of machine code is, and how many cycles they take."""

from functools import cache


@cache
def cost(code: bytes, thumb: bool) -> tuple[int, int, bool]:
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

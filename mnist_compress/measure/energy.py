"""Estimates of energy by published tables; nothing here is measured."""

from ..arguments import one_of, real

_PICOJOULES: dict[str, dict[str, float]] = {
    # A multiplication and an addition; for int8 the sum is an int32. 45 nm: Horowitz, "Computing's
    # Energy Problem", ISSCC 2014. 7 nm: Jouppi et al., "Ten Lessons from Three Generations Shaped
    # Google's TPUv4i", ISCA 2021.
    "int8": {"7 nm": 0.07 + 0.03, "45 nm": 0.2 + 0.1},
    "float16": {"7 nm": 0.34 + 0.16, "45 nm": 1.1 + 0.4},
    "float32": {"7 nm": 1.31 + 0.38, "45 nm": 3.7 + 0.9},
    # All that a chip takes for one cycle of its clock, by its data sheet: "down to 76 uA/MHz", at
    # 3 V (ST DS10668); 11.4 mA at 48 MHz and 3.6 V, program in flash (ST DocID025743, table 23).
    "cycle": {"STM32L031": 228, "STM32F031": 855},
}


def energy(count: float, kind: str) -> dict[str, float]:
    """Microjoules that so many steps of a kind would take, by each source.

    kind: "int8", "float16" or "float32" for a multiplication with its addition alone, as
    `multiply_adds` counts them, or "cycle" for a whole chip. ValueError for another kind or a count
    below 0.
    """
    one_of("kind", kind, _PICOJOULES)
    count = real("count", count, 0)
    return {source: count * each / 1e6 for source, each in _PICOJOULES[kind].items()}

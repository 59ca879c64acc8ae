"""One unit's arithmetic, to be followed with a pocket calculator."""

from .state import Sentence


def show_unit(trace) -> Sentence:
    """The arithmetic of a `UnitTrace`, line by line, for a pocket calculator."""
    sums = [(f"pixel {place:3d}: {pixel:3d} x {weight:4d} =", product)
            for place, pixel, weight, product in trace.terms]
    if trace.others:
        sums.append((f"{trace.others} other products", trace.others_sum))
    sums += [("bias", trace.bias), ("accumulator", trace.accumulator)]
    lines = [f"{what:24}{number:11,d}" for what, number in sums]
    positive, fraction = max(trace.accumulator, 0), trace.multiplier / 2**trace.shift
    lines += [f"m / 2**s = {trace.multiplier:,} / 2**{trace.shift} = {fraction:.10f}",
              f"{positive:,} x {fraction:.10f} = {positive * fraction:.2f}, rounded and at most "
              f"255: {trace.output}",
              f"{trace.output} x {trace.scale:.7f} = {trace.output * trace.scale:.3f}; "
              f"the pruned float network has {trace.float_value:.3f}"]
    return Sentence("\n".join(lines))

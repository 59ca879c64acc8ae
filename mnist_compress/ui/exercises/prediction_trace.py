"""The exercises of 05_prediction_trace: right functions, with switches for mistakes."""

from . import Exercise


def _rescale(total, multiplier, shift, half="half", clamp=True, relu=True, whole=True):
    total = max(total, 0) if relu else total
    product = total * multiplier
    if half == "to even":
        result = round(product / 2**shift)
    elif half == "xor":  # + binds before ^
        result = (product + 2) ^ (shift - 1)
        result = result >> shift
    else:
        product += {"half": 2 ** (shift - 1), "none": 0, "nearly one": 2**shift - 1,
                    "one": 2**shift}[half]
        result = product // 2**shift if whole else product / 2**shift
    return min(result, 255) if clamp else result


_EXERCISES = {
    "my_rescale": Exercise(_rescale, [
        (450451, 16099809, 36), (-70000, 16099809, 36), (9000000, 16099809, 36), (5, 1, 1),
        (6, 1, 2), (9, 1, 2), (-3, 5, 2), (0, 7, 3), (1021, 1, 2)]),
}

"""The exercises of 05_prediction_trace: right functions, with switches for mistakes."""


def _rescale(total, multiplier, shift, half=True, clamp=True, relu=True, whole=True, to_even=False):
    total = max(total, 0) if relu else total
    product = total * multiplier + (2 ** (shift - 1) if half else 0)
    result = product // 2**shift if whole else product / 2**shift
    if to_even:
        result = round(total * multiplier / 2**shift)
    return min(result, 255) if clamp else result


EXERCISES = {
    "my_rescale": (_rescale, [(450451, 16099809, 36), (-70000, 16099809, 36),
                              (9000000, 16099809, 36), (5, 1, 1)]),
}

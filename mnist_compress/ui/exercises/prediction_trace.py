"""The exercises of 05_prediction_trace: right functions, and cases to try."""

from . import Exercise


def _rescale(total, multiplier, shift):
    product = max(total, 0) * multiplier
    return min((product + 2 ** (shift - 1)) >> shift, 255)


_EXERCISES = {
    "my_rescale": Exercise(_rescale, [
        (450451, 16099809, 36), (-70000, 16099809, 36), (9000000, 16099809, 36), (5, 1, 1),
        (6, 1, 2), (9, 1, 2), (-3, 5, 2), (0, 7, 3), (1021, 1, 2)]),
}

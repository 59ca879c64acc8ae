"""The exercise of 06_quiz: a right function, and cases to try."""

from . import Exercise


def _choice(networks, dense):
    fit = [each for each in networks if each[1] >= dense - 1]
    return min(fit)[0]


_EXERCISES = {
    "my_choice": Exercise(_choice, [
        ([(9000, 86.5, 85.0), (5000, 86.0, 88.0), (12000, 88.0, 87.0),
          (15000, 89.0, 86.5), (16000, 90.0, 86.0), (20000, 87.0, 87.5)], 87.5),
        ([(700, 95.02, 94.0), (750, 95.25, 95.5), (650, 94.5, 96.5), (800, 95.995, 93.0),
          (1100, 96.5, 95.0), (1400, 97.5, 97.25)], 96.0),
        ([(400, 80.0, 90.0), (300, 79.5, 70.0), (350, 70.0, 79.625), (900, 82.0, 83.5),
          (600, 81.0, 82.0)], 80.5),
        # the smallest that fits is better than dense by more than a point
        ([(30, 88.0, 89.5), (250, 89.05, 89.2), (70, 92.5, 88.5), (20, 85.0, 89.05),
          (40, 88.5, 90.7), (35, 87.0, 90.5), (300, 93.5, 94.0)], 90.0)]),
}

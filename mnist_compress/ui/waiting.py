"""Something to see while a cell computes."""

from collections.abc import Iterable

from tqdm.auto import tqdm


def bar(things: Iterable, what: str, total: int | None = None) -> Iterable:
    """The things one after the other, and a bar named `what` that shows how many are done: of
    `total`, where they cannot be counted beforehand.

    It appears at once, and holds no times, so that a notebook's output is always the same.
    """
    return tqdm(things, total=total, desc=what, bar_format="{desc} {bar}")

"""The bar of a long cell."""

import contextlib
import io

from mnist_compress.ui import bar


def test_the_things_come_through_and_no_time_is_shown():
    with contextlib.redirect_stderr(io.StringIO()) as shown:
        assert list(bar(range(3), "networks")) == [0, 1, 2]
    assert "networks" in shown.getvalue() and ":" not in shown.getvalue()

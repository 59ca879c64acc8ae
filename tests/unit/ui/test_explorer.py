"""What all explorers share, without a page, and the one that flattens a picture."""

import functools
import io
import re

import matplotlib.image
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_compress.ui import plots
from mnist_compress.ui.explorer import Explorer, choice, explore_flatten, slider


def line(axes, height, colour="r"):
    axes.plot([0, height], color=colour)
    return f"A line up to {height}."


HEIGHT = slider("height", "Height", range(1, 20), 3, "{} m".format)
LINES = Explorer([HEIGHT], line, (3, 2))


@pytest.fixture
def explorer():
    colours = choice("colour", "Colour", {"r": "red", "b": "blue"}, "b")
    return Explorer([HEIGHT, colours], line, (3, 2))


def test_it_opens_with_its_first_picture(explorer):
    assert explorer.values == {"height": 3, "colour": "b"}
    assert explorer.sentence == repr(explorer) == "A line up to 3."
    picture = matplotlib.image.imread(io.BytesIO(explorer.png))
    assert picture.shape[0] > 100 and explorer.width == 288
    assert explorer.controls[0]["texts"][2] == "3 m"


@pytest.mark.parametrize("wrong, message", [
    ({"height": 20}, r"height must be one of \[1, 2, 3, 4, 5, 6, \.\.\.\]; got 20"),
    ({"height": "3"}, "got '3'"), ({"height": True}, "got True"), ({"height": None}, "got None"),
    ({"height": float("nan")}, "got nan"), ({"colour": "g"}, r"colour must be one of \['r', 'b'\]"),
    ({"size": 3}, "the controls are height, colour; got size")])
def test_what_cannot_be_is_refused_and_nothing_changes(explorer, wrong, message):
    before = explorer.get_state()
    with pytest.raises(ValueError, match=message):
        explorer.set(**wrong)
    assert explorer.get_state() == before


def test_a_control_must_start_at_one_of_its_values():
    with pytest.raises(ValueError, match=r"height must be one of \[2, 3\]; got 9"):
        Explorer([slider("height", "Height", (2, 3), 9)], line)


def ask(explorer, question="1-1", **values):
    """What the page sends: what moved, and a name for the question."""
    explorer._handle_custom_msg({"values": values, "question": question}, [])
    assert explorer.answered == question


def test_the_page_gets_an_answer_to_each_question(explorer):
    ask(explorer, "1-1", height=4)
    assert (explorer.sentence, explorer.problem) == ("A line up to 4.", "")
    ask(explorer, "2-1", height=40)
    assert explorer.values["height"] == 4
    assert explorer.problem == ("height must be one of [1, 2, 3, 4, 5, 6, ...]; got 40")
    ask(explorer, height=5.0)  # JavaScript knows no other numbers
    assert explorer.problem == "" and explorer.sentence == "A line up to 5."


def test_what_goes_wrong_in_drawing_is_shown(explorer):
    def fail(axes, height, colour):
        raise KeyError("ink")

    explorer._show = fail
    before, png = explorer.sentence, explorer.png
    ask(explorer, height=9)
    assert explorer.problem == "KeyError: 'ink'"
    assert (explorer.sentence, explorer.png, explorer.values["height"]) == (before, png, 3)


def test_the_twin_is_the_picture_with_its_sentence(explorer):
    data, _ = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data and "image/png" not in data
    assert data["text/html"] == (plots.image_tag(explorer.png, explorer.sentence, explorer.width)
                                 + f"<p>{explorer.sentence}</p>")
    assert data["text/plain"] == explorer.sentence


@settings(max_examples=15, deadline=None)
@given(moves=st.lists(st.integers(1, 19), min_size=1, max_size=5))
def test_many_moves_end_where_the_last_one_ends(moves):
    for height in moves:
        ask(LINES, height=height)
    assert LINES.sentence == f"A line up to {moves[-1]}."


def test_rows_go_into_the_strip_one_after_the_other(digits):
    image = digits.images[700]
    explorer = explore_flatten(image)
    above, below = explorer.figure.axes
    assert explorer.set(rows=0).sentence.endswith("and the strip is empty.")
    assert np.array_equal(above.images[0].get_array(), image)
    for rows in (1, 10, 28):
        says = str(explorer.set(rows=rows))
        left, strip = (axes.images[0].get_array() for axes in (above, below))
        assert not left[:rows].any() and np.array_equal(left[rows:], image[rows:])
        flat = image.flatten().numpy()
        assert np.array_equal(strip[0, :28 * rows], flat[:28 * rows])
        assert not strip[0, 28 * rows:].any() and strip.shape == (1, 784)
        value, place = map(int, re.search(r"which is (\d+), .* = (\d+)\.$", says).groups())
        assert flat[place] == value == image[rows - 1].max()
        assert f"the places {28 * rows - 28} to {28 * rows - 1}:" in says


def test_what_moves_is_drawn_on_what_stays(digits):
    """As matplotlib draws all of it anew, at any place and whatever came before."""
    def bars(axes, height, animated):
        if not axes.patches:
            axes.set(ylim=(0, 30), title="bars")
            axes.bar([0, 1], [20, 3], animated=animated)
        axes.patches[1].set_height(height)
        return f"{height}"

    moving, still = (Explorer([HEIGHT], functools.partial(bars, animated=animated), (3, 2))
                     for animated in (True, False))
    for height in (9, 2, 15):
        one, other = (matplotlib.image.imread(io.BytesIO(each.set(height=height).png))
                      for each in (moving, still))
        assert np.abs(one - other).mean() < 0.003  # the lines of the axes lie below or above

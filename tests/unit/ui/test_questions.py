"""The questions keep the rules of a fair quiz, and the plain quiz tells what it should."""

import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mnist_compress.ui import questions, state
from mnist_compress.ui.questions import answer, ask, load_questions, report
from tools.book.calls import calls
from tools.notebooks import FOLDER, code_cells, paths, read

FILES = sorted(Path(questions.__file__).parent.glob("*.json"))
DATA = [{"notebook": path.stem, **item} for path in FILES
        for item in json.loads(path.read_text("utf-8"))]
STAGES = {"data", "preprocessing", "feature engineering", "training", "pruning", "quantization",
          "packing", "deployment", "pipeline"}
NOTEBOOKS = {
    "00_story",
    "01_data",
    "02_training",
    "03_pruning",
    "04_quantization",
    "05_prediction_trace",
    "06_quiz",
    "07_smallest_file",
    "08_deployment",
    "09_microcontroller",
    "10_your_network",
}
OPTIONS = [option for item in DATA for option in item["options"]]
KEYS = [option for option in OPTIONS if option["correct"]]
PRAISE = r"right|correct|exactly|yes|well done|great|perfect|true|good|bravo|indeed"


def plain(text):
    """Return the text without case, space and punctuation."""
    return re.sub(r"[\W_]+", " ", text).strip().lower()


def key_of(item):
    """Return the place of the right option."""
    return [option["correct"] for option in item["options"]].index(True)


def letter_of(item):
    """Return the letter of the right option."""
    return "abcd"[key_of(item)]


@pytest.mark.parametrize("item", DATA, ids=lambda item: item["id"])
def test_each_question_is_complete(item):
    assert item.keys() <= {
        "notebook", "id", "level", "stage", "measure", "read_again", "show_me", "sibling_of",
        "question", "options", "front"}
    assert item["notebook"] in NOTEBOOKS and item["level"] in {"easy", "medium", "hard"}
    assert item["stage"] in STAGES
    assert item.get("measure", "bytes") in {"bytes", "microseconds", "luck", "instructions"}
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in item.get("show_me", ())[:2])
    assert item["question"].endswith(("?", ".)"))
    assert [option["correct"] for option in item["options"]].count(True) == 1
    assert len(item["options"]) == 4
    for option in item["options"]:
        assert option["correct"] in (True, False)
        assert len(option["feedback"]) >= 30
        assert len(re.findall(r"[.:?] |[.]$", option["feedback"])) <= 4
        assert bool(option.get("misconception")) != option["correct"]
    assert len({plain(option["text"]) for option in item["options"]}) == 4


def test_a_question_asks_what_pruning_does():
    (item,) = [item for item in DATA if item["id"] == "prune-what"]
    assert item["question"] == "What does pruning do to a model's weights?"
    assert "small ones to zero" in item["options"][key_of(item)]["text"]


def test_what_to_read_again_is_a_heading_and_a_sibling_a_question():
    names = {item["id"] for item in DATA}
    for item in DATA:
        notebook, _, heading = item["read_again"].partition("#")
        text = "\n".join(cell.source for cell in read(FOLDER / f"{notebook}.ipynb").cells
                         if cell.cell_type == "markdown")
        assert re.search(rf"(?m)^#+ {re.escape(heading)}$", text), item["read_again"]
        assert item.get("sibling_of", item["id"]) in names


def test_all_stages_and_measures_are_asked():
    assert len(DATA) >= 12
    assert {item["stage"] for item in DATA} == STAGES
    assert {item["measure"] for item in DATA if "measure" in item} == {
        "bytes",
        "microseconds",
        "luck",
        "instructions",
    }


def test_nothing_is_used_twice():
    for values in (
        [item["id"] for item in DATA],
        [plain(item["question"]) for item in DATA],
        [plain(option["feedback"]) for option in OPTIONS],
        [str(item["show_me"]) for item in DATA if "show_me" in item],
    ):
        assert max(Counter(values).values()) == 1


def test_no_question_is_asked_in_two_notebooks():
    asked = Counter(name for path in paths() for cell in code_cells(read(path))
                    for _, names in calls(cell.source, "quiz") for name in names)
    assert len(asked) > 50 and set(asked.values()) == {1}


@pytest.mark.parametrize("question", load_questions().values(), ids=lambda question: question.id)
def test_a_card_asks_nothing_about_options_that_it_does_not_show(question):
    front = question.front or question.question
    told = re.search(r"\b(which|what) (change|of these|of them)\b|these \w+ files|in which of them|"
                     r"network above", front, re.IGNORECASE)
    assert told is None


def test_keys_are_spread_over_the_positions():
    places = Counter(key_of(item) for item in DATA)
    assert set(places) == {0, 1, 2, 3}
    assert max(places.values()) <= 0.4 * len(DATA)


def test_length_does_not_give_the_key_away():
    longest = 0
    for item in DATA:
        lengths = [len(option["text"]) for option in item["options"]]
        longest += lengths[key_of(item)] == max(lengths) and lengths.count(max(lengths)) == 1
    assert longest <= 0.4 * len(DATA)


def test_praise_is_not_doubled():
    # "b is right." and "Right." stand before the feedback already
    for option in OPTIONS:
        assert not re.match(rf"({PRAISE})\b", option["feedback"], re.IGNORECASE)
        assert not re.search(r"\b(\w+)\W+\1\b", option["feedback"], re.IGNORECASE)
    starts = Counter(option["feedback"].split()[0] for option in KEYS)
    assert max(starts.values()) <= 3


def test_numbers_in_the_questions_follow_from_arithmetic():
    """The keys that are numbers, computed here."""
    keys = {item["id"]: item["options"][key_of(item)] for item in DATA}
    assert keys["pixel-150"]["text"] == f"{150 / 255:.2f}"
    assert keys["count-zeros"]["text"] == f"{round(0.3 * (784 * 128 + 128 * 10)):,}"
    assert keys["csr"]["text"] == f"{1 - 4 / (4 + 8):.0%}".replace("%", " %")
    assert keys["scale"]["text"] == f"{round(0.1234 / 0.01)}"
    step = (2.05 + 0.5) / 255
    assert keys["zero-point"]["text"] == f"Scale {step:.2g} and integer {-128 + round(0.5 / step)}"
    total = 0 * 5 + 200 * 3 - 255 * 2 + 40
    assert keys["integer-unit"]["text"] == f"{round(total * 5 / 2**4)}"
    assert keys["clamped-weight"]["text"] == f"{min(round(0.25 / 0.0016), 127)}"
    assert keys["unit-output"]["text"] == f"{round((27216 - 21836 + 3990 + 9376) * 0.00062)}"
    assert keys["many-products"]["text"] == f"About {(2**31 - 1) // 32385 // 1000},000"
    assert keys["fewer-products"]["text"] == f"A {784 * 100 + 1000:,} and B {784 * 40 + 400:,}"
    assert keys["two-classes"]["text"] == f"{(0.005 * 3000 + 0.04 * 300) / 3:g} points"
    assert f"{255 * 127:,}" in keys["accumulator"]["text"]
    assert 255 * 127 < 2**15 < 2 * 255 * 127 and 784 * 255 * 127 < 2**31
    assert sorted([-0.9, 0.02, 0.5, -0.01], key=abs)[:2] == [-0.01, 0.02]
    texts = {item["id"]: [option["text"] for option in item["options"]] for item in DATA}
    zeros = {round(0.7 * 101_632), round(0.3 * 784 * 128), round(0.3 * 101_770), 30_490}
    assert {int(text.replace(",", "")) for text in texts["count-zeros"]} == zeros
    assert set(texts["csr"][1:]) == {f"{round(100 * (1 - 4 / (4 + w)))} %" for w in (2, 4, 8)}


def test_the_library_agrees_with_the_keys():
    torch = pytest.importorskip("torch")
    shape = torch.nn.Linear(784, 128).weight.shape
    keys = {item["id"]: item["options"][key_of(item)]["text"] for item in DATA}
    assert keys["weight-shape"] == " x ".join(map(str, shape))
    from mnist_compress.statistics import mcnemar_exact

    assert mcnemar_exact(12, 11) == 1 and mcnemar_exact(20, 3) < 0.001


def test_a_question_shows_itself_without_its_answer():
    for item in DATA:
        shown = repr(ask(item["id"]))
        lines = shown.splitlines()
        assert lines[0] == f"Question ({item['level']}): {item['question']}"
        assert lines[1:5] == [
            f"{letter}) {option['text']}"
            for letter, option in zip("abcd", item["options"], strict=True)
        ]
        assert lines[5] == f'Write answer("{item["id"]}", "a"), or b, c, d.'
        assert not any(option["feedback"] in shown for option in item["options"])


class Outline(HTMLParser):
    """Reads HTML: which text stands inside <details>, and whether all tags close."""

    def __init__(self):
        """Start outside everything."""
        super().__init__()
        self.open, self.folded, self.plain, self.items = [], "", "", []

    def handle_starttag(self, tag, attrs):
        """Note the tag that opens."""
        self.open.append(tag)
        if tag == "li":
            self.items.append("details" in self.open)

    def handle_endtag(self, tag):
        """Check that the tag opened last closes first."""
        assert self.open.pop() == tag

    def handle_data(self, data):
        """Text, folded or not."""
        data = data.replace("\u00a0", " ")
        if "details" in self.open:
            self.folded += data
        else:
            self.plain += data


@pytest.mark.parametrize("item", DATA, ids=lambda item: item["id"])
def test_the_static_page_folds_the_answers(item):
    outline, question = Outline(), ask(item["id"])
    outline.feed(question._repr_html_())
    assert outline.open == []
    assert outline.items == [False] * 4 + [True] * 4
    for option in item["options"]:
        assert option["text"].replace("`", "") in outline.plain
        assert option["feedback"].replace("`", "") in outline.folded
        assert option["feedback"] not in outline.plain
    assert outline.folded.count("Right.") == 1
    # both themes: no colour but the theme's own
    styles = set(";".join(re.findall('style="(.*?)"', question._repr_html_())).split(";"))
    assert {style.strip() for style in styles} == {
        "color: inherit",
        "border-left: 3px solid var(--jp-brand-color1, currentColor)",
        "padding-left: 1em",
        "list-style: lower-alpha",
        "padding-left: 2em",
    }


def test_html_in_a_text_is_escaped():
    question = questions._Question("01_data", "x", "easy", "data", "01_data#Guess",
                                  "is 1 < 2 & `a<b`?", ())
    assert "is 1 &lt; 2 &amp; <code>a&lt;b</code>?" in question._repr_html_()


def test_every_option_gets_its_own_feedback():
    for item in DATA:
        for letter, option in zip("abcd", item["options"], strict=True):
            said = repr(answer(item["id"], letter))
            assert option["feedback"] in said
            assert said.startswith(f"{letter} is right. ") == option["correct"]
            if not option["correct"]:
                assert said.startswith(f"{letter} is not it ({option['misconception']}). ")
                assert said.endswith('Read {}, "{}", again.'.format(*item["read_again"].split("#")))
            assert repr(answer(item["id"])) == said  # remembered


def test_letters_are_read_kindly():
    assert repr(answer("scale", " B ")) == repr(answer("scale", "b"))


def test_without_an_answer_the_cell_says_how():
    for _ in range(2):
        assert answer("csr") == answer("csr", None) == \
            'No answer yet. Write answer("csr", "a"), or b, c, d.'
    state.attempt("answers", "csr", "z")  # from another edition of the quiz
    assert answer("csr").startswith("No answer yet.")
    assert report().startswith("No answers yet")


@pytest.mark.parametrize("bad", ["e", "", "ab", 2, "abcd", ["a"]])
def test_bad_letters_are_quoted(bad):
    with pytest.raises(ValueError, match="an answer is one of a, b, c, d; got ") as error:
        answer("scale", bad)
    assert str(error.value).endswith(repr(bad))
    assert report().startswith("No answers yet")


@pytest.mark.parametrize("bad", [0, 1, "1", "", "Scale", True, None, ["scale"]])
def test_unknown_questions_are_quoted(bad):
    for call in (ask, answer):
        with pytest.raises(ValueError, match="there is no question ") as error:
            call(bad)
        assert f"question {bad!r}; there are prune-what, story-bytes," in str(error.value)


def test_the_report_tells_tries_misconceptions_and_what_to_read():
    before = [item for item in DATA if item["notebook"] < "07"]  # the others count once answered
    count, items = len(before), {item["id"]: item for item in DATA}
    assert report() == f"No answers yet: {count} questions wait."
    state.attempt("answers", "a question that is gone", "a")
    assert report().startswith("No answers yet")
    for name, letters in {"data-value": "da", "flatten": "dac", "same-size": "abcd", "csr": "ba",
                          "scale": "zd"}.items():
        assert (letter_of(items[name]) in letters) == (name not in ("csr", "scale"))
        for letter in letters:
            state.attempt("answers", name, letter)
    question = {name: items[name]["question"] for name in items}
    read = {name: 'Read {}, "{}", again.'.format(*items[name]["read_again"].split("#"))
            for name in items}
    assert report().splitlines() == [
        f"1 right at the first try, 2 later, 2 not yet, {count - 5} of {count} still open.",
        f'- Right at try 3: {question["flatten"]} Behind "The order of the pixels: they are '
        f'sorted by ink": flattening sorts. {read["flatten"]}',
        f'- Right at try 4: {question["same-size"]} Behind "Zeros are left out only above a '
        f'share of 50 %": a threshold makes zeros free. {read["same-size"]}',
        f'- Not yet: {question["csr"]} Behind "From the first zero on": positions are free. '
        f'{read["csr"]}',
        f'- Not yet: {question["scale"]} Behind "13": always rounded up. {read["scale"]}']
    assert f'<a href="03_pruning.ipynb#{items["csr"]["read_again"][11:16].replace(" ", "-")}' in \
        report()._repr_html_()
    for item in DATA:
        answer(item["id"], letter_of(item))
    assert report().startswith(f"{len(DATA) - 4} right at the first try, 4 later, 0 not yet, 0 of")


@pytest.mark.parametrize(("letters", "told"), [
    ("R", "right at the first try"), ("WR", "right later"), ("W", "not yet")])
def test_the_report_tells_what_became_of_the_sibling(letters, told):
    items = {item["id"]: item for item in DATA}
    wrong, right = ("abcd"[(key_of(items["scale"]) + 1) % 4], letter_of(items["clamped-weight"]))
    answer("scale", wrong)
    assert "With other numbers" not in report()
    for letter in letters:
        answer("clamped-weight", right if letter == "R" else "abcd"["abcd".index(right) - 1])
    (line,) = [line for line in report().splitlines() if items["scale"]["question"] in line]
    assert line.endswith(f" again. With other numbers: {told}.")


def test_questions_are_read_once():
    assert load_questions() is load_questions()
    assert list(load_questions()) == [item["id"] for item in DATA]

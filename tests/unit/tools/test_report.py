"""A class of learners' state files becomes tables, without names unless the teacher gives them."""

import json

import pytest

from mnist_compress.ui.questions import load_questions
from tools import report

QUESTION = load_questions()["prune-what"]
RIGHT = next(letter for letter in "abcd" if QUESTION.option(letter).correct)
WRONG = [letter for letter in "abcd" if letter != RIGHT]


def put(folder, name, answers="", exercises=(), lines=()):
    (folder / name).mkdir(parents=True)
    state = {"guesses": {}, "truths": {}, "cards": {},
             "answers": {"prune-what": [[letter, 5] for letter in answers], "gone": [["a", 1]]},
             "exercises": {"mask": [[text, 5] for text in exercises]} if exercises else {},
             "projects": {"06-smallest": [[line, 5] for line in lines]} if lines else {}}
    (folder / name / "state.json").write_text(json.dumps(state))


@pytest.fixture
def learners(tmp_path):
    put(tmp_path, "s1", RIGHT, ["right"])
    put(tmp_path, "s2", WRONG[0] + RIGHT, ["no", "no", "right"],
        ["12,040 bytes; test 88.1%; 50 | 8", "9 bytes; a second look"])
    put(tmp_path, "s3", WRONG[0], ["no"], ["9,120 bytes; test 88.0%; 70 % and 4 bits"])
    put(tmp_path, "s4", "zq")
    return tmp_path


def test_first_tries_misconceptions_and_tries(learners, capsys):
    (learners / "other.json").write_text("[1]")
    assert report.main(str(learners)) == 0
    said = capsys.readouterr().out
    behind = QUESTION.option(WRONG[0]).misconception
    assert f"| 00 | prune-what | 3 | 33% | 2 x {behind} |" in said
    assert "| mask | 3 | 2 | 2 |" in said
    assert said.startswith("4 learners.") and "other.json is left out: this is no state" in said
    assert "s1" not in said and "gone" not in said


def test_the_first_line_of_each_project_fewest_bytes_first(learners, capsys):
    report.main(str(learners))
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| 06-sm")]
    assert rows == ["| 06-smallest | 2 | 9,120 bytes; test 88.0%; 70 % and 4 bits |",
                    "| 06-smallest | 2 | 12,040 bytes; test 88.1%; 50 \\| 8 |"]


def test_names_come_from_the_teachers_file_alone(learners, capsys):
    (learners / "names.csv").write_text("s2/state.json, Ada\nnone/state.json, Bob\n\n")
    report.main(str(learners))
    said = capsys.readouterr().out
    assert "| Ada | 1 | 0 | 1 | 1 | 2 |" in said and "Bob" not in said


def test_nothing_to_read_is_said(tmp_path):
    assert report.main().startswith("Say where the state files are")
    assert report.main(str(tmp_path)).startswith("No state of a learner")

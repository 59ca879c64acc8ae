"""The story's end, the key insight with a figure for each word, and the map of what is done."""

import csv
from collections.abc import Mapping
from pathlib import Path

from ..measure import ChangedAnswers, FileRow
from .exercises import exercise_modules
from .guesses import GUESSES
from .questions import answers_given, load_questions
from .state import Sentence, load_state

# One thread of one computer: microseconds of the same network in float32 and in int8.
_SPEED = Path(__file__).with_name("speed.csv")


def key_insight(before: FileRow, after: FileRow, changes: Mapping[int, ChangedAnswers]) -> Sentence:
    """Three lines: smaller, by two files; as good, by what changed for each seed; faster, as it was
    recorded for the runtime of notebook 08."""
    return Sentence("\n".join([
        f"Smaller: {before.bytes:,} bytes became {after.bytes:,}, "
        f"{after.bytes / before.bytes:.0%}.",
        _as_good(changes), _faster()]))


def _as_good(changes):
    compared = [change.comparison for change in changes.values()]
    lost, won, points = zip(*((each.only_before, each.only_after, each.difference)
                              for each in compared), strict=True)
    luck = sum(each.p_value >= 0.05 for each in compared)
    digits = compared[0].both + compared[0].neither + lost[0] + won[0]
    return (f"As good: of {digits:,} test digits, {min(lost)} to {max(lost)} went from right to "
            f"wrong and {min(won)} to {max(won)} from wrong to right, {min(points):+.1f} to "
            f"{max(points):+.1f} points. On {luck} of {len(changes)} seeds that could be luck.")


def _faster():
    with _SPEED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    told = [f"{int(row['batch']):,} at a time, {int(row['float32']):,} microseconds became "
            f"{int(row['int8']):,}" for row in rows]
    return (f"Faster: where a runtime multiplies integers. Recorded on one computer, in "
            f"{rows[0]['runtime']}, digits {'; '.join(told)}. Notebook 08 measures it on yours.")


def progress() -> Sentence:
    """What is done in each notebook: questions, exercises and guesses; and where to go on."""
    state, questions = load_state(), load_questions().values()
    done = {"questions": answers_given().keys(), "guesses": state["guesses"].keys(),
            "exercises": {name for name, made in state["exercises"].items()
                          if any(text == "right" for text, _ in made)}}
    lines = ["The whole course, and what is done:"]
    for notebook in dict.fromkeys(question.notebook for question in questions):
        there = {"questions": {each.id for each in questions if each.notebook == notebook},
                 "exercises": {name for name, module in exercise_modules().items()
                               if module == notebook[3:]},
                 "guesses": {key for key in GUESSES if key[:2] == notebook[:2]}}
        told = [f"{len(names & done[what])} of {len(names)} {what}"
                for what, names in there.items() if names]
        lines.append(f"- {notebook}: {', '.join(told)}")
    waiting = next((each for each in questions if each.id not in done["questions"]), None)
    knew = sum(made[-1][0] == "knew" for made in state["cards"].values())
    lines.append(f"Cards that you knew when they came last: {knew}.")
    lines.append(f"Go on with {waiting.place[:-1]}." if waiting else "All questions are answered.")
    return Sentence("\n".join(lines))

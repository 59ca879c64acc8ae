"""The story's end, the key insight with a figure for each word, and the map of what is done."""

import csv
from collections.abc import Mapping
from pathlib import Path

from ..measure import ChangedAnswers, FileRow
from .exercises import exercise_notebooks
from .guesses import GUESSES
from .questions import answers_given, load_questions
from .recall import due_cards
from .state import Sentence, load_state

# One thread of one computer: microseconds of the same network in float32 and in int8.
_SPEED = Path(__file__).with_name("speed.csv")


def key_insight(before: FileRow, after: FileRow, changes: Mapping[int, ChangedAnswers]) -> Sentence:
    """Three lines: smaller, by two files; as good, by what changed for each seed; faster, as it was
    recorded for the runtime of notebook 08."""
    seeds = list(changes.values())
    lost, won, points = zip(*((each.lost, each.won, each.difference) for each in seeds),
                            strict=True)
    luck = sum(each.p_value >= 0.05 for each in seeds)
    with _SPEED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    told = [f"{int(row['batch']):,} at a time, {int(row['float32']):,} microseconds became "
            f"{int(row['int8']):,}" for row in rows]
    return Sentence(
        f"Smaller: {before.bytes:,} bytes became {after.bytes:,}, "
        f"{after.bytes / before.bytes:.0%}.\n"
        f"As good: of {len(seeds[0].labels):,} test digits, {min(lost)} to {max(lost)} went from "
        f"right to wrong and {min(won)} to {max(won)} from wrong to right, {min(points):+.1f} to "
        f"{max(points):+.1f} points. On {luck} of {len(seeds)} seeds that could be luck.\n"
        f"Faster: where a runtime multiplies integers. Recorded on one computer, in "
        f"{rows[0]['runtime']}, digits {'; '.join(told)}. Notebook 08 measures it on yours.")


def progress() -> Sentence:
    """The learner's map: what is done in each notebook of its questions, exercises and guesses,
    which of its cards were known when they came last; and where to go on."""
    state, given, questions = load_state(), answers_given(), load_questions().values()
    done = {"questions": given.keys(), "guesses": state["guesses"].keys(),
            "exercises": {name for name, made in state["exercises"].items()
                          if any(text == "right" for text, _ in made)},
            "cards": {name for name, made in state["cards"].items()
                      if made and made[-1][0] == "knew"}}
    lines = ["The whole course, and what is done:"]
    for notebook in dict.fromkeys(question.notebook for question in questions):
        there = {"questions": {each.id for each in questions if each.notebook == notebook},
                 "exercises": {name for name, where in exercise_notebooks().items()
                               if where == notebook},
                 "guesses": {key for key in GUESSES if key[:2] == notebook[:2]}}
        whole = all(there[what] <= done[what] for what in there)
        there["cards"] = there["questions"] & (given.keys() | state["cards"].keys())
        told = [f"{len(names & done[what])} of {len(names)} {what}"
                for what, names in there.items() if names]
        lines.append(f"- {notebook}{', done' * whole}: {', '.join(told)}")
    lines.append(f"Cards that are due: {len(due_cards())}.")
    lines.append(_go_on([each for each in questions if each.id not in given], done["exercises"]))
    return Sentence("\n".join(lines))


def _go_on(questions, right):
    """Where the first open question is, and which exercises wait in that notebook."""
    if not questions:
        return "All questions are answered."
    first = questions[0]
    there = first.place.startswith(first.notebook)
    tasks = [f"`{name}`" for name, where in exercise_notebooks().items()
             if where == first.notebook and name not in right]
    return (f"Go on with {first.place[:-1] if there else first.notebook}."
            f"{' Exercises there: ' * bool(tasks)}{', '.join(tasks)}")

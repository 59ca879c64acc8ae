"""What a class answered: one table out of the learners' state files, without their names.

Read are all files of a folder that hold a state, such as `state.json` in a folder for each learner.
A file names.csv in it, lines of "path, name" with the path as the folder has it, adds a line for
each learner named there.
"""

import csv
import math
import re
import statistics
import sys
from collections import Counter
from pathlib import Path

from mnist_compress.ui.questions import LETTERS, load_questions
from mnist_compress.ui.state import read_state


def read_class(folder):
    """({path in the folder: state}, sentences about files that hold none)."""
    states, wrong = {}, []
    for path in sorted(Path(folder).rglob("*.json")):
        name = path.relative_to(folder).as_posix()
        try:
            states[name] = read_state(path)
        except (OSError, ValueError, RecursionError) as error:
            wrong.append(f"{name} is left out: {error}")
    return states, wrong


def question_rows(states):
    """For each question answered: id, learners, share right at the first try, misconceptions."""
    for question in load_questions().values():
        made = [[letter for letter, _ in state["answers"].get(question.id, ()) if letter in LETTERS]
                for state in states]
        options = [question.option(letters[0]) for letters in made if letters]
        if options:
            wrong = Counter(option.misconception for option in options if not option.correct)
            right = sum(option.correct for option in options) / len(options)
            yield (question.notebook[:2], question.id, len(options), f"{right:.0%}",
                   ", ".join(f"{count} x {text}" for text, count in wrong.most_common()))


def exercise_rows(states):
    """For each exercise tried: name, learners, how many solved it, the median of their tries."""
    for name in sorted({name for state in states for name in state["exercises"]}):
        made = [[text for text, _ in state["exercises"][name]] for state in states
                if state["exercises"].get(name)]
        tries = [said.index("right") + 1 for said in made if "right" in said]
        yield name, len(made), len(tries), f"{statistics.median(tries):g}" if tries else ""


def project_rows(states):
    """For each project handed in: name, learners, the first line of each, fewest bytes first.

    That line is the result; others saw the test digits again.
    """
    for name in sorted({name for state in states for name in state["projects"]}):
        first = [made[0][0] for state in states if (made := state["projects"].get(name))]
        for line in sorted(first, key=_bytes):
            yield name, len(first), line


def _bytes(line):
    """The number that a project's line begins with, such as 9,120; without one, it comes last."""
    found = re.match(r"[\d,]+", line)
    return int(found[0].replace(",", "") or 0) if found else math.inf


def learner_rows(states, names):
    """For each learner that the teacher's file names: questions and exercises begun and right, and
    how many lines were handed in."""
    questions = load_questions()
    for path, name in names:
        state = states.get(path)
        if state:
            first = [questions[key].option(made[0][0]).correct for key, made
                     in state["answers"].items() if key in questions and made
                     and made[0][0] in LETTERS]
            solved = sum(any(text == "right" for text, _ in made)
                         for made in state["exercises"].values())
            lines = sum(map(len, state["projects"].values()))
            yield name, len(first), sum(first), len(state["exercises"]), solved, lines


def table(head, rows):
    """Lines of a Markdown table, or none without rows."""
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    lines = [head, ["---"] * len(head), *cells] if cells else []
    return ["| " + " | ".join(line) + " |" for line in lines] + [""] * bool(cells)


def main(folder=""):
    """Print the tables of one folder; a sentence if there is nothing to tell."""
    if not folder or not Path(folder).is_dir():
        return f"Say where the state files are: make report FOLDER=answers. Got {folder!r}."
    states, wrong = read_class(folder)
    if not states:
        return "\n".join([f"No state of a learner is in {folder}.", *wrong])
    print(f"{len(states)} learners.\n")
    print("\n".join(table(["notebook", "question", "learners", "right at the first try",
                           "what stood behind the wrong ones"], question_rows(states.values()))))
    print("\n".join(table(["exercise", "learners", "solved", "tries, median"],
                          exercise_rows(states.values()))))
    print("\n".join(table(["project", "learners", "what was handed in first"],
                          project_rows(states.values()))))
    file = Path(folder, "names.csv")
    if file.is_file():
        lines = csv.reader(file.read_text("utf-8-sig").splitlines(), skipinitialspace=True)
        rows = learner_rows(states, [line[:2] for line in lines if len(line) >= 2])
        print("\n".join(table(["learner", "questions", "right at the first try", "exercises",
                               "solved", "handed in"], rows)))
    print("\n".join(wrong))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""The long checks: a million damaged files, mutation tests, browser tests ten times in a row."""

import json
import sys

from tools import ROOT
from tools.check import browser, python

LEAST_KILLED = 0.9  # of the mutants


def mutants():
    """The share of changed lines of code that some test notices."""
    python("mutmut", "run", "--max-children", "2")
    python("mutmut", "results")
    python("mutmut", "export-cicd-stats")
    counts = json.loads((ROOT / "mutants" / "mutmut-cicd-stats.json").read_text("utf-8"))
    return (counts["killed"] + counts["timeout"]) / counts["total"]


def main():
    """Print what became of the files, the mutants and the browser runs; how many fell short."""
    damaged = bool(python("tools.fuzz", "--count", "1000000")[0])
    killed = mutants()
    failed = sum(bool(browser()) for _ in range(10))
    print(f"mutants: {killed:.1%} noticed; browser tests: {10 - failed} of 10 runs passed")
    return damaged + (killed < LEAST_KILLED) + failed


if __name__ == "__main__":
    sys.exit(main())

"""The long checks: all unit tests with more examples, what decides a question twice, and how much
of the code they run; a million damaged files, mutation tests, 10,000 digits on each emulated chip,
150 kernels killed as they write, browser tests ten times in a row, wheels for every platform.
"""

import json
import sys

from tools import ROOT, platforms
from tools.check import browser, python, unit

LEAST_KILLED = 0.9  # of the mutants


def mutants():
    """The share of changed lines of code that some test notices."""
    python("mutmut", "run", "--max-children", "2")
    python("mutmut", "results")
    python("mutmut", "export-cicd-stats")
    counts = json.loads((ROOT / "mutants" / "mutmut-cicd-stats.json").read_text("utf-8"))
    return (counts["killed"] + counts["timeout"]) / counts["total"]


def main():
    """Print what became of files, mutants, chips and browser runs; return how many fell short."""
    failed_or_uncovered = bool(unit("--cov", "--cov-report=term", EXAMPLES="500",
                                    EVIDENCE_TWICE="1"))
    damaged = bool(python("tools.fuzz", "--count", "1000000")[0])
    killed = mutants()
    misread = bool(python("pytest", "-q", "tests/unit/deploy/test_chip.py",
                          env={"CHIP_DIGITS": "10000", "REQUIRE_CHIP": "1"})[0])
    lost = bool(python("pytest", "-q", "tests/unit/ui/test_state.py", "-k", "killed",
                       env={"STATE_KILLS": "150"})[0])
    failed = sum(bool(browser()) for _ in range(10))
    print(f"mutants: {killed:.1%} noticed; browser tests: {10 - failed} of 10 runs passed; "
          f"chips: {'misread' if misread else 'read 10,000 digits as NumPy does'}; "
          f"150 killed kernels: {'answers lost' if lost else 'no answer lost'}; "
          f"unit tests: {'failed, or too little covered' if failed_or_uncovered else 'passed'}")
    return (failed_or_uncovered + damaged + misread + lost + (killed < LEAST_KILLED) + failed
            + platforms.main())


if __name__ == "__main__":
    sys.exit(main())

"""The long checks: a million damaged files, mutation tests, browser tests ten times in a row."""

import sys

from tools.check import browser, python


def main():
    """Print what became of the files and the surviving mutants; fail if one of the files ended
    badly or a browser run failed."""
    damaged = python("tools.fuzz", "--count", "1000000")[0]
    python("mutmut", "run", "--max-children", "2")
    python("mutmut", "results")
    failed = sum(bool(browser()) for _ in range(10))
    print(f"browser tests: {10 - failed} of 10 runs passed")
    return failed + bool(damaged)


if __name__ == "__main__":
    sys.exit(main())

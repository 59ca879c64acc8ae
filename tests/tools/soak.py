"""The long checks: mutation tests, and the browser tests ten times in a row."""

import sys

from check import browser, python


def main():
    """Print the surviving mutants; fail if a browser run failed."""
    python("mutmut", "run", "--max-children", "2")
    python("mutmut", "results")
    failed = sum(bool(browser()) for _ in range(10))
    print(f"browser tests: {10 - failed} of 10 runs passed")
    return failed


if __name__ == "__main__":
    sys.exit(main())

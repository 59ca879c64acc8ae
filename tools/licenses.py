"""The license of each package that the course needs, as the installed packages name it.

    python -m tools.licenses        # what learners install
    python -m tools.licenses test   # and what tests need

A package without a license that can be told makes it fail.
"""

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement

COURSE = "mnist_compress"
# Named in the package's files only: its own LICENSE.
TOLD = {"torchao": "BSD-3-Clause", "axe-playwright-python": "MIT",
        "cuda-toolkit": "none itself: it names NVIDIA's packages"}


def needed(*extras):
    """{name: distribution} of the course's dependencies that are installed, theirs included."""
    found, left = {}, [(COURSE, frozenset({"", "chip", *extras}))]
    while left:
        name, wanted = left.pop()
        try:
            package = distribution(name)
        except PackageNotFoundError:  # an extra, or for another system
            continue
        known = found.setdefault(package.name.lower(), [package, set()])
        fresh, known[1] = wanted - known[1], known[1] | wanted
        for text in package.requires or () if fresh else ():
            need = Requirement(text)
            if not need.marker or any(need.marker.evaluate({"extra": extra}) for extra in fresh):
                left.append((need.name, frozenset({"", *need.extras})))
    return {name: package for name, (package, _) in sorted(found.items())}


def license_of(package: Distribution):
    """Its license in one line, or no text: an SPDX expression, else a classifier, else a text."""
    told = package.metadata
    classes = [line.split(" :: ")[-1] for line in told.get_all("Classifier", [])
               if line.startswith("License :: ") and line != "License :: OSI Approved"]
    text = (told.get("License") or "").strip().partition("\n")[0]
    named = told.get("License-Expression") or "; ".join(classes) or text[:60]
    return TOLD.get(package.name.lower(), "") if named in ("", "UNKNOWN") else named


def main(*extras):
    """Print a Markdown table, proprietary ones apart; how many packages tell no license."""
    rows = [(package.name, package.version, license_of(package))
            for package in needed(*extras).values() if package.name.lower() != COURSE]
    closed = [row for row in rows if re.search("proprietary", row[2], re.IGNORECASE)]
    print("| package | version | license |\n|---|---|---|")
    for row in rows:
        print("| {} | {} | {} |".format(*row))
    print(f"\nProprietary: {', '.join(row[0] for row in closed) or 'none'}.")
    if closed:
        print("These are NVIDIA's CUDA libraries, which come with PyTorch from PyPI on Linux; the "
              "CPU build of PyTorch does without them.")
    untold = [row[0] for row in rows if not row[2]]
    print(f"No license is told by: {', '.join(untold)}." if untold else "All tell a license.")
    return len(untold)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""Run the benchmarks in tests/benchmarks and write their tables to RESULTS.md.

Names choose some of them (python -m tools.bench runtimes widgets); the other sections stay.
"""

import platform
import re
import sys
from importlib.metadata import version

from tools import ROOT
from tools.check import python

FOLDER = ROOT / "tests" / "benchmarks"
RESULTS = FOLDER / "RESULTS.md"
HEAD = "# Benchmark results\n\nWritten by `make bench`."


def machine():
    """CPU and versions, one line each."""
    try:
        lines = (line for line in open("/proc/cpuinfo") if line.startswith("model name"))
        cpu = next(lines).split(":")[1].strip()
    except (OSError, StopIteration):
        cpu = platform.processor()
    packages = ("torch", "numpy", "torchao", "onnxruntime", "constriction")
    return [f"- CPU: {cpu}", f"- {platform.system()}, Python {platform.python_version()}",
            f"- {', '.join(f'{name} {version(name)}' for name in packages)}"]


def sections(text):
    """Markdown -> {title: text after it}, for its headings of the second level."""
    parts = re.split(r"^## (.*)$", text, flags=re.MULTILINE)[1:]
    return {title: rest.strip() for title, rest in zip(parts[::2], parts[1::2], strict=True)}


def main(*names):
    """Every bench_*.py prints a Markdown section; a failed one is named and fails the run."""
    every = {path.stem.removeprefix("bench_"): path for path in sorted(FOLDER.glob("bench_*.py"))}
    if wrong := [name for name in names if name not in every]:
        print(f"benchmarks must be among {', '.join(every)}; got {' '.join(wrong)}")
        return 2
    found = sections(RESULTS.read_text("utf-8")) if names and RESULTS.is_file() else {}
    failed = []
    for name in names or every:
        code, text = python(f"tests.benchmarks.{every[name].stem}", env={"OMP_NUM_THREADS": "1"})
        failed += [name] if code else []
        for title, rest in sections(text).items() if not code else ():
            found[title] = "\n".join([*machine(), "", rest])
    text = "\n\n".join([HEAD, *(f"## {title}\n\n{rest}" for title, rest in found.items())])
    RESULTS.write_text(text + "\n", encoding="utf-8")
    print(f"failed: {', '.join(failed)}" if failed else "written: tests/benchmarks/RESULTS.md")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

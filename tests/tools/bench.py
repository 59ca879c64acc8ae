"""Run the benchmarks in tests/benchmarks and write their tables to RESULTS.md."""

import platform
import sys
from importlib.metadata import version

from check import python
from notebooks import ROOT

FOLDER = ROOT / "tests" / "benchmarks"


def machine():
    """CPU, cores and versions, one line each."""
    try:
        lines = (line for line in open("/proc/cpuinfo") if line.startswith("model name"))
        cpu = next(lines).split(":")[1].strip()
    except (OSError, StopIteration):
        cpu = platform.processor()
    packages = ("torch", "numpy", "torchao", "onnxruntime", "constriction")
    return [f"- CPU: {cpu}", f"- {platform.system()}, Python {platform.python_version()}",
            f"- {', '.join(f'{name} {version(name)}' for name in packages)}"]


def main():
    """Every bench_*.py prints a Markdown section; a failed one is named and fails the run."""
    parts, failed = ["# Benchmark results", "", "Written by `make bench`.", "", *machine()], []
    for path in sorted(FOLDER.glob("bench_*.py")):
        code, text = python(f"tests.benchmarks.{path.stem}", env={"OMP_NUM_THREADS": "1"})
        failed += [path.name] if code else []
        parts += ["", text.strip()]
    (FOLDER / "RESULTS.md").write_text("\n".join(parts) + "\n", encoding="utf-8")
    print(f"failed: {', '.join(failed)}" if failed else "written: tests/benchmarks/RESULTS.md")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())

"""What an open notebook costs a machine, and how soon it starts: a table in Markdown.

Private memory is what each more kernel adds (Private_Dirty in Linux' smaps_rollup); pages of
libraries are shared by all kernels and are not in it.
"""

import os
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from tools.notebooks import CELL_SECONDS, FOLDER, code_cells, paths, read

ALONE = "import torch\nimport matplotlib.figure"
WANTED = {"01": 70, "04": 200, "08": 200, "10": 200}  # MB above torch and matplotlib; else 130
HEAVY = ("pandas", "scipy", "sympy", "torch._dynamo", "torchao", "onnx", "onnxruntime",
         "onnxscript", "torchvision")
LOADED = f"import sys\nprint(*[name for name in {HEAVY} if name in sys.modules], sep=', ')"
STARTS = 5  # kernels that start; their median counts
START = {
    "import torch": ["import torch"],
    "the first cell of 01": [],
    "the first training": ["import torch\ntorch.set_num_threads(1)",
                           "from mnist_compress import data, training\n"
                           "parts = data.load_sample()[:2]",
                           "training.train(*parts, epochs=1)"],
}


def private(process):
    """MB of memory that this process shares with no other."""
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text("utf-8")
    return int(re.search(r"Private_Dirty: +(\d+)", rollup)[1]) / 1000


def run(cells):
    """Run cells in a kernel: (MB private at the end, seconds of each cell, the last one's text)."""
    seconds = []
    with tempfile.TemporaryDirectory() as state:
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in [*cells, LOADED]])
        client = NotebookClient(notebook, timeout=5 * CELL_SECONDS, kernel_name="python3",
                                resources={"metadata": {"path": str(FOLDER)}})
        with client.setup_kernel(env=os.environ | {"MNIST_COMPRESS_STATE": state}):
            for place, cell in enumerate(notebook.cells[:-1]):
                began = time.perf_counter()
                client.execute_cell(cell, place)
                seconds.append(time.perf_counter() - began)
            memory = private(client.km.provisioner.pid)
            client.execute_cell(notebook.cells[-1], len(cells))
    return memory, seconds, notebook.cells[-1].outputs[0].text.strip()


def main(*numbers):
    if not Path("/proc/self/smaps_rollup").is_file():
        print("## Memory and start\n\nOnly Linux tells a process's private memory: not measured.")
        return 0
    alone = run([ALONE])[0]
    print(f"## Memory and start\n\nA kernel with torch and matplotlib: {alone:.0f} MB private.\n"
          "\n| notebook | MB more, after all cells | wanted | loaded |\n|---|---|---|---|")
    for path in paths(*numbers):
        memory, _, loaded = run([cell.source for cell in code_cells(read(path))])
        number = path.name[:2]
        print(f"| {number} | {memory - alone:.0f} | {WANTED.get(number, 130)} | {loaded} |",
              flush=True)
    print("\n| what | seconds, median | fastest | slowest |\n|---|---|---|---|")
    START["the first cell of 01"] = [code_cells(read(paths("01")[0]))[0].source]
    for name, cells in START.items():
        times = sorted(run(cells)[1][-1] for _ in range(STARTS))
        print(f"| {name} | {statistics.median(times):.2f} | {times[0]:.2f} | {times[-1]:.2f} |",
              flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

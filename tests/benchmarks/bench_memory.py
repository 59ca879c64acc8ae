"""What an open notebook costs a machine, and how soon it starts: a table in Markdown.

Private memory is what each more kernel adds (Private_Dirty in Linux' smaps_rollup); pages of
libraries are shared by all kernels and are not in it.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from tools.notebooks import CELL_SECONDS, FOLDER, code_cells, paths, read

ALONE = "import torch\nimport matplotlib.figure"
# MB above torch and matplotlib that we want no notebook to pass
WANTED = {"01": 70, **dict.fromkeys(("02", "03", "05", "06"), 130),
          **dict.fromkeys(("04", "08", "10"), 200)}
HEAVY = ("pandas", "scipy", "sympy", "torch._dynamo", "torchao", "onnx", "onnxruntime",
         "onnxscript", "torchvision")
LOADED = f"import sys\nprint(*[name for name in {HEAVY} if name in sys.modules], sep=', ')"
STARTS = 5  # kernels that start; their median counts
STARTED = {  # what: cells, the last of which is measured
    "import torch": ["import torch"],
    "the first cell of 01": [code_cells(read(paths("01")[0]))[0].source],
    "the first training": ["import torch\ntorch.set_num_threads(1)",
                           "from mnist_compress import data, training\n"
                           "parts = data.load_sample()[:2]",
                           "training.train(*parts, epochs=1)"],
}


def private(process):
    """MB of memory that this process shares with no other."""
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text("utf-8")
    return int(re.search(r"Private_Dirty: +(\d+)", rollup)[1]) / 1000


def worked(process):
    """Seconds of processor time that it has used."""
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(cells):
    """Run cells in a kernel: (MB private at the end, seconds that the last took its processor, what
    of HEAVY is loaded)."""
    with tempfile.TemporaryDirectory() as state:
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in [*cells, LOADED]])
        client = NotebookClient(notebook, timeout=5 * CELL_SECONDS, kernel_name="python3",
                                resources={"metadata": {"path": str(FOLDER)}})
        with client.setup_kernel(env=os.environ | {"MNIST_COMPRESS_STATE": state},
                                 stderr=subprocess.DEVNULL):  # remarks of the kernel
            process = client.km.provisioner.pid
            for place, cell in enumerate(notebook.cells[:-1]):
                began = worked(process)
                client.execute_cell(cell, place)
            memory, seconds = private(process), worked(process) - began
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
        print(f"| {number} | {memory - alone:.0f} | {WANTED.get(number, '')} | {loaded} |",
              flush=True)
    print("\nIn seconds of processor time; each kernel starts anew:\n\n"
          "| what | median | fastest | slowest |\n|---|---|---|---|")
    rounds = [[run(cells)[1] for cells in STARTED.values()] for _ in range(STARTS)]
    for name, *times in zip(STARTED, *rounds, strict=True):
        print(f"| {name} | {statistics.median(times):.2f} | {min(times):.2f} | {max(times):.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

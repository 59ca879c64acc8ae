"""Do the notebooks print the same numbers under other conditions? Exits with the number of drifts.

CPU settings and thread counts go through strict nbval. Orders, restarts and cells that run twice
are executed here and compared with the stored outputs as nbval compares them.
"""

import copy
import os
import sys
import tempfile

from nbclient import NotebookClient

from tools.check import validate
from tools.notebooks import CELL_SECONDS, FOLDER, code_cells, execute, outputs, paths, read

SETTINGS = [{"MKL_CBWR": "COMPATIBLE"}, {"MKL_CBWR": "AVX2"}, {"ATEN_CPU_CAPABILITY": "default"}]
SETTINGS += [{"OMP_NUM_THREADS": str(count), "MKL_NUM_THREADS": str(count)} for count in (1, 2)]


def differences(stored, ran):
    """Print each cell whose outputs differ; return how many."""
    count = 0
    for wanted, got in zip(stored, ran, strict=True):
        if outputs(wanted) != outputs(got):
            count += 1
            print(f"  DRIFT in\n{wanted.source}\n  stored {outputs(wanted)}")
            print(f"  got    {outputs(got)}")
    return count


def doubled(notebook):
    """A copy in which every code cell stands twice in a row."""
    twice = copy.deepcopy(notebook)
    twice.cells = [copy.deepcopy(cell) for cell in notebook.cells
                   for _ in range(2 if cell.cell_type == "code" else 1)]
    return twice


def restarted(notebook, place):
    """Run all above code cell `place`, restart, run all above again, then go on to the end."""
    again = copy.deepcopy(notebook)
    with tempfile.TemporaryDirectory() as state:
        client = NotebookClient(again, timeout=CELL_SECONDS, kernel_name="python3",
                                resources={"metadata": {"path": str(FOLDER)}})
        for stop in (place, len(again.cells)):
            with client.setup_kernel(env={**os.environ, "MNIST_COMPRESS_STATE": state}):
                for index, cell in enumerate(again.cells[:stop]):
                    client.execute_cell(cell, index)
            client.km = None
    return again


def main(*numbers):
    """Every notebook, every variant; `numbers` choose notebooks."""
    chosen, drifts = paths(*numbers), 0
    for env in SETTINGS:
        for path in chosen:
            print(f"{path.name} with {env}", flush=True)
            drifts += bool(validate(path, env=env))
    for path in chosen:
        notebook = read(path)
        cells = code_cells(notebook)
        print(f"{path.name}: every cell twice", flush=True)
        ran = code_cells(execute(doubled(notebook)))
        drifts += differences(cells, ran[::2]) + differences(cells, ran[1::2])
        print(f"{path.name}: the whole notebook twice in one kernel", flush=True)
        whole = copy.deepcopy(notebook)
        whole.cells = cells + copy.deepcopy(cells)
        drifts += differences(cells, code_cells(execute(whole))[len(cells):])
        print(f"{path.name}: restart in the middle, run all above, go on", flush=True)
        drifts += differences(cells, code_cells(restarted(notebook, len(notebook.cells) // 2)))
    print("all in reverse order, one state folder", flush=True)
    with tempfile.TemporaryDirectory() as state:
        for path in reversed(chosen):
            drifts += differences(code_cells(read(path)),
                                  code_cells(execute(read(path), state=state)))
    print(f"{drifts} drifts")
    return min(drifts, 100)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

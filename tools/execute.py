"""Run the notebooks and store their outputs: all, or those whose numbers are given."""

import sys
import time

import nbformat

from tools.notebooks import code_cells, execute, paths, read


def clean(notebook):
    """Drop what differs from run to run, so that a diff shows only what a learner would see."""
    notebook.metadata = nbformat.from_dict({
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    })
    for place, cell in enumerate(notebook.cells):
        cell.id = f"cell-{place:02d}"
        cell.metadata.pop("execution", None)
        cell.metadata.pop("trusted", None)
        for output in cell.get("outputs", ()):  # a widget's kernel is gone; its static twin stays
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    return notebook


def main(*numbers):
    """Stop at the first error; nothing is written for a notebook that failed."""
    for path in paths(*numbers):
        start = time.perf_counter()
        notebook = execute(read(path))
        for cell in code_cells(notebook):
            if any(output.get("name") == "stderr" for output in cell.outputs):
                return f"{path.name} wrote to stderr in the cell\n{cell.source}"
        nbformat.write(clean(notebook), path)
        print(f"{path.name}: {time.perf_counter() - start:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

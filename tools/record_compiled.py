"""torchao's int8 beside float32 in PyTorch, eager and compiled: the table in ui/compiled.csv.

    python -m tools.record_compiled > mnist_compress/ui/compiled.csv

One thread, on the validation digits. Compiling needs a C++ compiler and, at first, some minutes.
"""

import copy

import pandas as pd
import torch

from mnist_compress.data import load_sample
from mnist_compress.measure import latency
from mnist_compress.quantization import quiet, torchao_quantize
from mnist_compress.training import trained_model

BATCHES = (1, 32, 1000)


def main():
    """Print a line for each network."""
    torch.set_num_threads(1)
    digits, model = load_sample()[1], trained_model().eval()
    networks = {}
    with quiet(), torch.no_grad():
        for name, network in (("float32", model),
                              ("int8 products", torchao_quantize(model, "dynamic")),
                              ("int8 weights only", torchao_quantize(model, "weight_only"))):
            networks[f"{name}, eager"] = network
            networks[f"{name}, compiled"] = torch.compile(copy.deepcopy(network))
        for network in networks.values():
            for batch in BATCHES * 2:  # each batch size is compiled when it first comes
                network(digits.inputs[:batch])
        right = {name: (network(digits.inputs).argmax(1) == digits.labels).double().mean().item()
                 for name, network in networks.items()}
        rows = latency({name: (network.__call__, digits.inputs)  # as functions: they are not copied
                        for name, network in networks.items()}, BATCHES)
    print(_table(rows, right), end="")


def _table(rows, right):
    """As CSV: microseconds, and times those of float32 in the same mode."""
    floats = {(row.batch, row.name): row.median for row in rows}
    table = {name: {"right": f"{share:.1%}"} for name, share in right.items()}
    for row in rows:
        base = floats[row.batch, f"float32, {row.name.rpartition(', ')[2]}"]
        table[row.name][f"batch {row.batch}"] = f"{row.median:,.0f}, x{row.median / base:.2f}"
    frame = pd.DataFrame(table).T.rename_axis("microseconds, recorded")
    return frame.to_csv(lineterminator="\n")


if __name__ == "__main__":
    main()

"""Build and run the programs of notebook 09 and write down what they take:

    python -m tools.record_chip

Writes mnist_compress/deploy/recorded.csv, which the notebook shows where the extra [chip] is not
installed. Each line belongs to one C file, known by its checksum, on one core.
"""

from pathlib import Path

import pandas as pd

from mnist_compress import data, deploy, pretrained, pruning, quantization, training
from mnist_compress.ui.microcontroller import on_chip

CORES = ("cortex-m0plus", "cortex-m4", "rv32imc", "rv32emc", "rv32ec")


def programs():
    """{name: (network, encoding, ...)}: the course's networks, the finished ones in each encoding
    that they can have."""
    train = data.load_sample()[0]
    model = training.trained_model()
    found = {"float32": (model,)}
    pruned = {f"{share:.0%} zeros": pruning.prune(model, share) for share in (0.3, 0.5, 0.7, 0.9)}
    tuned = pruning.fine_tune(pruned["90% zeros"], train)
    for cut, network in {"no zeros": model, **pruned, "90% zeros, tuned": tuned}.items():
        integer = quantization.quantize_model(network, train)
        for encoding in ("dense", "gaps"):
            found[f"{cut} {encoding}"] = (integer, encoding)
    for name in pretrained.RECIPES:
        network = pretrained.load(name)
        for encoding in ("gaps", "bytes", "bits"):
            found[f"{name} {encoding}"] = (network, encoding)
    for name in ("thousand", "perceptron-small", "lenet"):
        network = pretrained.load(name)
        found[f"{name} dense"] = (network, "dense")
        for bits in range(1, 7):
            found[f"{name} bits {bits}"] = (network, "bits", bits)
    return found


def main():
    """Float32 on the first core alone, where it takes seconds."""
    every, validation, lines = programs(), data.load_sample()[1], []
    for core in CORES:
        chosen = {name: program for name, program in every.items()
                  if core == CORES[0] or name != "float32"}
        for row in on_chip(chosen, validation, core):
            lines.append({"program": row.name, "core": core, **row._asdict()})
            print(f"{core} {row.name}: {row.flash} bytes, {row.instructions:,.0f} instructions",
                  flush=True)
    frame = pd.DataFrame(lines).drop(columns=["name", "same"])
    frame.to_csv(Path(deploy.__file__).with_name("recorded.csv"), index=False, lineterminator="\n")


if __name__ == "__main__":
    main()

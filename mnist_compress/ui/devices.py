"""Tables of notebook 08: what a network costs in each runtime, beside its accuracy."""

from pathlib import Path

import pandas as pd

from .tables import Table, latency_table

_RECORDED = Path(__file__).with_name("compiled.csv")  # by tools/record_compiled.py


def speed_table(rows, accuracies: dict) -> Table:
    """`LatencyRow`s in pairs of float32 and int8 of one runtime, and {name: accuracy} of those that
    were asked."""
    table = latency_table(rows, _int8_sentence(rows))
    table.frame.insert(0, "right", [f"{accuracies[name]:.1%}" if name in accuracies else ""
                                    for name in table.frame.index])
    return table


def _int8_sentence(rows) -> str:
    """`LatencyRow`s in pairs of float32 and int8 -> when int8 is faster, a sentence a runtime.

    A difference counts if the middle halves of both do not overlap.
    """
    told, sentences = {}, []
    for base, small in zip(rows[::2], rows[1::2], strict=True):
        runtime = base.name.rpartition(" ")[0].rstrip(",")
        kinds = told.setdefault(runtime, {"faster": [], "no different": [], "slower": []})
        if small.high < base.low:
            kinds["faster"].append(f"{small.batch} ({base.median / small.median:.1f} times)")
        else:
            kinds["slower" if small.low > base.high else "no different"].append(f"{small.batch}")
    for runtime, verdicts in told.items():
        each = [f"{verdict} at batch {', '.join(batches)}"
                for verdict, batches in verdicts.items() if batches]
        sentences.append(f"In {runtime}, int8 against float32 is {'; '.join(each)}.")
    return " ".join(sentences)


def deployment_table(rows) -> Table:
    """`Deployment`s -> file, memory, time for one digit and accuracy of each.

    The fastest are all whose middle half of times meets that of the lowest median.
    """
    frame = pd.DataFrame([{
        "runs in": row.name, "file": f"{row.file_bytes:,} bytes",
        "memory for weights": f"{row.memory_bytes:,} bytes" if row.memory_bytes else "not measured",
        "one digit": f"{row.time.median:,.0f} microseconds" if row.time else "shown by the page",
        "right": f"{row.accuracy:.1%}" if row.accuracy else "as NumPy"} for row in rows])
    timed = [row for row in rows if row.time]
    small = min(rows, key=lambda row: row.file_bytes)
    best = min(timed, key=lambda row: row.time.median).time
    fast = [row.name for row in timed if row.time.low <= best.high]
    told = (f"The smallest file is that of {small.name}; for one digit {' and '.join(fast)} "
            f"{'is' if len(fast) == 1 else 'are'} the fastest.")
    if len(timed) < len(rows):
        told += " The page itself shows its time on the device that opens it."
    return Table(frame.set_index("runs in"), told)


def compiled_table() -> Table:
    """torchao's two kinds of int8 beside float32, in PyTorch, each eager and compiled: microseconds
    as they were recorded on one computer, and the ratio to float32 in the same mode."""
    rows = pd.read_csv(_RECORDED)
    rows["mode"] = rows["network"].str.rpartition(", ")[2]
    base = rows[rows["network"].str.startswith("float32")].set_index(["mode", "batch"])["median"]
    rows["ratio"] = [row.median / base[row.mode, row.batch] for row in rows.itertuples()]
    rows["text"] = [f"{row.median:,.0f}, x{row.ratio:.2f}" for row in rows.itertuples()]
    names = rows["network"].unique()
    frame = rows.pivot(index="network", columns="batch", values="text").loc[names]
    frame.columns = [f"batch {batch}" for batch in frame.columns]
    accuracies = rows.groupby("network")["accuracy"].first()
    frame.insert(0, "right", accuracies[names].map("{:.1%}".format))
    faster = [f"{row.network} at batch {row.batch}" for row in rows.itertuples() if row.ratio < 0.9]
    return Table(frame.rename_axis("microseconds, recorded"),
                 "Recorded on one computer, on one thread. Faster than float32 in the same mode by "
                 f"a tenth or more: {'; '.join(faster) or 'nothing'}.")

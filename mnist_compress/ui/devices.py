"""Tables of notebook 08: what a network costs in each runtime, beside its accuracy."""

from pathlib import Path

import pandas as pd

from .tables import Table, latency_table

_RECORDED = Path(__file__).with_name("compiled.csv")  # by tools/record_compiled.py


def speed_table(rows, accuracies: dict) -> Table:
    """`LatencyRow`s in pairs of float32 and int8 of one runtime, and {name: accuracy} of those that
    were asked. Int8 is faster or slower if the middle halves of both do not overlap."""
    told = {}
    for base, small in zip(rows[::2], rows[1::2], strict=True):
        verdict, batch = "no different", f"{small.batch}"
        if small.high < base.low:
            verdict, batch = "faster", f"{batch} ({base.median / small.median:.1f} times)"
        elif small.low > base.high:
            verdict = "slower"
        runtime = base.name.rpartition(" ")[0].rstrip(",")
        kinds = told.setdefault(runtime, {"faster": [], "no different": [], "slower": []})
        kinds[verdict].append(batch)
    sentences = []
    for runtime, kinds in told.items():
        each = [f"{verdict} at batch {', '.join(batches)}"
                for verdict, batches in kinds.items() if batches]
        sentences.append(f"In {runtime}, int8 against float32 is {'; '.join(each)}.")
    frame = latency_table(rows).frame
    frame.insert(0, "right", pd.Series(accuracies).map("{:.1%}".format))
    return Table(frame.fillna(""), " ".join(sentences))


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
    best = min((row.time for row in timed), key=lambda time: time.median)
    fast = [row.name for row in timed if row.time.low <= best.high]
    return Table(frame.set_index("runs in"),
                 f"The smallest file is that of {small.name}; for one digit {' and '.join(fast)} "
                 f"{'is' if len(fast) == 1 else 'are'} the fastest. The page itself shows its time "
                 "on the device that opens it.")


def compiled_table() -> Table:
    """torchao's two kinds of int8 beside float32, in PyTorch, each eager and compiled: microseconds
    as they were recorded on one computer, and the ratio to float32 in the same mode."""
    rows = pd.read_csv(_RECORDED)  # float32 comes first
    mode = rows["network"].str.rpartition(", ")[2]
    rows["ratio"] = rows["median"] / rows.groupby([mode, "batch"])["median"].transform("first")
    rows["text"] = [f"{row.median:,.0f}, x{row.ratio:.2f}" for row in rows.itertuples()]
    frame = rows.pivot(index="network", columns="batch", values="text")
    frame = frame.loc[rows["network"].unique()].add_prefix("batch ").rename_axis(columns=None)
    right = rows.groupby("network")["accuracy"].first()
    frame.insert(0, "right", right.map("{:.1%}".format))
    faster = [f"{row.network} at batch {row.batch}" for row in rows.itertuples() if row.ratio < 0.9]
    return Table(frame.rename_axis("microseconds, recorded"),
                 "Recorded on one computer, on one thread. Faster than float32 in the same mode by "
                 f"a tenth or more: {'; '.join(faster) or 'nothing'}.")

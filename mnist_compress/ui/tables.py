"""Tables of the ledgers. Each comes with one sentence, computed from the same numbers."""

import html

import pandas as pd
from IPython.display import display

from ..model import weight_layers


class Table:
    """A pandas table and its sentence; a cell shows both."""

    def __init__(self, frame, sentence):
        self.frame, self.sentence = frame, sentence

    def __repr__(self):
        return f"{self.frame}\n{self.sentence}"

    def _ipython_display_(self):
        with pd.option_context("display.max_colwidth", None, "display.width", 200):
            display(self.frame)
        text = f"<p>{html.escape(self.sentence)}</p>"
        display({"text/html": text, "text/plain": self.sentence}, raw=True)


def two_digits(value):
    """287.7 -> "290", 0.0467 -> "0.047"."""
    return f"{float(f'{value:.2g}'):g}"


def _size(row):
    """Exact bytes, or two digits where they depend on the version of zlib."""
    if "gzip" not in row.name:
        return f"{row.bytes:,} bytes"
    return f"about {two_digits(row.bytes / 1000)} KB"


def file_table(*rows):
    """`FileRow`s beside each other; the first is the file that the others are compared with.

    ValueError without any.
    """
    if not rows:
        raise ValueError("need at least one FileRow to compare with; got none")
    first = rows[0]
    frame = pd.DataFrame({
        "file": [row.name for row in rows],
        "size": [_size(row) for row in rows],
        "share of first row": [f"{100 * row.bytes / first.bytes:.2g} %" if row.bytes < first.bytes
                         else f"{100 * row.bytes / first.bytes:.0f} %" for row in rows],
        "same answers after reading": ["yes" if row.same_answers else "NO" for row in rows],
    }).set_index("file")
    groups = {"smaller than": [], "just as large as": [], "larger than": []}
    for row in rows[1:]:
        place = (row.bytes >= first.bytes) + (row.bytes > first.bytes)
        groups[list(groups)[place]].append(row.name)
    told = "; ".join(f"{kind} {first.name}: {', '.join(names)}"
                     for kind, names in groups.items() if names) or f"only one file: {first.name}"
    return Table(frame, f"{told[0].upper()}{told[1:]}.")


def csr_table(ledger, dense_bytes):
    """{(sparsity, index type): FileRow} -> sizes in per cent of the dense file."""
    shares, kinds = (list(dict.fromkeys(key[place] for key in ledger)) for place in (0, 1))
    frame = pd.DataFrame({kind: [f"{100 * ledger[share, kind].bytes / dense_bytes:.0f} %"
                                 for share in shares] for kind in kinds},
                         index=[f"{100 * share:.0f} %" for share in shares])
    frame.index.name = "zeros"
    told = []
    for kind in kinds:
        small = [share for share in shares if ledger[share, kind].bytes < dense_bytes]
        told.append(f"{kind} from {100 * min(small):.0f} % zeros" if small else f"{kind} never")
    same = all(row.same_answers for row in ledger.values())
    return Table(frame, f"Of these files, smaller than dense: {'; '.join(told)}. "
                 f"{'All' if same else 'NOT all'} gave the same answers when read back.")


def latency_table(rows, sentence=""):
    """`LatencyRow`s -> microseconds for a batch: median, middle half, and times the first row.

    Faster is what is so by a tenth or more, and whose middle half does not meet the first row's.
    sentence: in place of its own, for rows that are not all compared with the first. ValueError
    without any rows.
    """
    if not rows:
        raise ValueError(f"need at least one LatencyRow to compare with; got {rows!r}")
    batches, names = (list(dict.fromkeys(getattr(row, key) for row in rows))
                      for key in ("batch", "name"))
    at = {(row.name, row.batch): row for row in rows}
    frame = pd.DataFrame({f"batch {batch}": [
        f"{at[name, batch].median:,.0f} ({at[name, batch].low:,.0f}-{at[name, batch].high:,.0f}), "
        f"x{at[name, batch].ratio:.2f}" for name in names] for batch in batches}, index=names)
    frame.index.name = "microseconds"
    told = []
    for batch in batches:
        base = at[names[0], batch]
        faster = [name for name in names[1:]
                  if at[name, batch].ratio < 0.9 and at[name, batch].high < base.low]
        told.append(f"at batch {batch} {', '.join(faster) if faster else 'nothing'}")
    return Table(frame, sentence or
                 f"Faster than {names[0]} by a tenth or more: {'; '.join(told)}.")


def int8_sentence(rows):
    """`LatencyRow`s in pairs of float32 and int8 -> when int8 is faster, a sentence a runtime.

    A difference counts if the middle halves of both do not overlap.
    """
    told = {}
    for base, small in zip(rows[::2], rows[1::2], strict=True):
        runtime, other = (row.name.rpartition(" ")[0] for row in (base, small))
        if (small.batch, other) != (base.batch, runtime):
            raise ValueError("rows must come in pairs of one runtime and batch; got "
                             f"{base.name} at {base.batch}, {small.name} at {small.batch}")
        verdict = "faster" if small.high < base.low else "slower" if small.low > base.high \
            else "no different"
        times = f" ({1 / small.ratio:.1f} times)" * (verdict == "faster")
        told.setdefault(runtime, {}).setdefault(verdict, []).append(f"{small.batch}{times}")
    order = ("faster", "no different", "slower")
    return " ".join(f"In {runtime}, int8 against float32 is " + "; ".join(
        f"{verdict} at batch {', '.join(places[verdict])}" for verdict in order
        if verdict in places) + "." for runtime, places in told.items())


def deployment_table(rows):
    """`Deployment`s -> file, memory, time for one digit and accuracy of each.

    The fastest are all whose middle half of times meets that of the lowest median.
    """
    def text(value, form, instead="not measured"):
        return instead if value is None else form.format(value)

    frame = pd.DataFrame({
        "file": [f"{row.file_bytes:,} bytes" for row in rows],
        "memory for weights": [text(row.memory_bytes, "{:,} bytes") for row in rows],
        "one digit": [text(row.time and row.time.median, "{:,.0f} microseconds",
                           "shown by the page") for row in rows],
        "test accuracy": [text(row.accuracy, "{:.1%}", "as NumPy") for row in rows],
    }, index=pd.Index([row.name for row in rows], name="runs in"))
    timed = [row for row in rows if row.time]
    small = min(rows, key=lambda row: row.file_bytes)
    best = min(timed, key=lambda row: row.time.median).time
    fast = [row.name for row in timed if row.time.low <= best.high]
    told = [f"The smallest file is that of {small.name}; for one digit {' and '.join(fast)} "
            f"{'is' if len(fast) == 1 else 'are'} the fastest."]
    if len(timed) < len(rows):
        told.append("The page itself shows its time on the device that opens it.")
    return Table(frame, " ".join(told))


def history_table(history):
    """A `History` as a pandas table: losses to 2 digits, accuracies in per cent, an observation."""
    rows = [(row.epoch, f"{row.train_loss:.2f}", f"{100 * row.train_accuracy:.1f} %",
             f"{row.test_loss:.2f}", f"{100 * row.test_accuracy:.1f} %", _observation(before, row))
            for before, row in zip((None, *history), history, strict=False)]
    names = ["epoch", "train loss", "train acc.", "test loss", "test acc.", "observation"]
    return pd.DataFrame(rows, columns=names).set_index("epoch")


def _observation(before, row):
    """What an epoch did, derived from its figures and those of the one before."""
    gap = 100 * (row.train_accuracy - row.test_accuracy)
    if before is None:
        return f"After one pass, {100 * row.train_accuracy:.0f} of 100 rows are right."
    fall = 100 * (before.train_loss - row.train_loss) / (before.train_loss or 1)
    gain = 100 * (row.test_accuracy - before.test_accuracy)
    if gap > 8:
        return f"Old rows lead by {gap:.0f} points: memorising."
    if fall < 0:
        return "The loss rises: the steps are too long."
    if abs(gain) < 0.25:
        return f"Loss -{fall:.0f} %, but new digits gain nothing."
    return f"Loss -{fall:.0f} %, new digits {gain:+.1f} points."


def sparsity_table(model):
    """A pandas table: for each layer and for all, the weights, the zeros and their share."""
    rows = [(" x ".join(map(str, layer.weight.shape)), layer.weight.numel(),
             int((layer.weight == 0).sum())) for _, layer in weight_layers(model)]
    rows.append(("all", sum(row[1] for row in rows), sum(row[2] for row in rows)))
    table = pd.DataFrame(rows, columns=["weights of", "count", "zeros"]).set_index("weights of")
    table["sparsity"] = [f"{100 * zeros / count:.1f} %" for _, count, zeros in rows]
    return table

"""Tables of what was measured. A `Table` has one sentence, computed from the same numbers."""

import operator
from pathlib import Path

import pandas as pd
from IPython.display import display

from ..measure import changed_answers
from ..model import weight_layers
from ..stages import TEXTBOOK
from ..training import evaluate
from .state import Sentence

_RECORDED = Path(__file__).with_name("compiled.csv")  # by tools/record_compiled.py


class Table:
    """A pandas table and its sentence; a cell shows both."""

    def __init__(self, frame: pd.DataFrame, sentence: str):
        self.frame, self.sentence = frame, sentence

    def __repr__(self):
        return f"{self.frame}\n{self.sentence}"

    def _ipython_display_(self):
        with pd.option_context("display.max_colwidth", None, "display.width", 200):
            display(self.frame)
        display(Sentence(self.sentence))


def two_digits(value: float) -> str:
    """287.7 -> "290", 0.0467 -> "0.047", 4512 -> "4,500"."""
    return f"{float(f'{value:.2g}'):,g}"


def file_table(first, *others) -> Table:
    """`FileRow`s beside each other, the sizes also in per cent of the first one's.

    Bytes of gzip are shown by two digits, for they depend on the version of zlib.
    """
    rows = []
    for row in (first, *others):
        share = 100 * row.bytes / first.bytes
        rows.append({"file": row.name, "size": f"{row.bytes:,} bytes",
                     f"size, {first.name} being 100 %":
                         f"{share:.2g} %" if share < 100 else f"{share:.0f} %",
                     "same answers after reading": "yes" if row.same_answers else "NO"})
        if "gzip" in row.name:
            rows[-1]["size"] = f"about {two_digits(row.bytes / 1000)} KB"
    told = []
    for kind, holds in (("smaller than", operator.lt), ("just as large as", operator.eq),
                        ("larger than", operator.gt)):
        if names := [row.name for row in others if holds(row.bytes, first.bytes)]:
            told.append(f"{kind} {first.name}: {', '.join(names)}")
    sentence = "; ".join(told) or f"only one file: {first.name}"
    return Table(pd.DataFrame(rows).set_index("file"), f"{sentence[0].upper()}{sentence[1:]}.")


def rates(found) -> list:
    """Of what `evaluate` found, in per cent: right answers, all and of each label, confidence."""
    return [100 * found.accuracy, *(100 * found.by_digit).tolist(), 100 * found.confidence]


def answer_table(networks: dict, digits, sentence: str) -> Table:
    """{name: network}, the dense one first -> accuracy on all digits and on each, how sure the
    network is, and what the last network changed. sentence: what there is to say before that."""
    lines = ["all digits", *(f"{digit}s" for digit in range(10)), "mean top probability"]
    found = {name: rates(evaluate(network, digits)) for name, network in networks.items()}
    frame = pd.DataFrame(found, index=pd.Index(lines, name="right"))
    changes = frame.iloc[:, 1:].sub(frame.iloc[:, 0], axis=0)
    *others, change = changes.columns
    told = []
    for line, verb in ((changes[change][1:-1].idxmin(), "lose"),
                       (changes[change][1:-1].idxmax(), "gain")):
        beside = "".join(f"; {name} {changes[name][line]:+.1f}" for name in others)
        told.append(f"{line} {verb} most ({changes[change][line]:+.1f} points{beside})")
    texts = frame.map("{:.1f} %".format)
    texts["change"] = changes[change].map("{:+.1f}".format)
    return Table(texts, f"{sentence} Of the ten digits, {' and '.join(told)}; all together "
                 f"{changes[change].iloc[0]:+.1f} points. The network is "
                 f"{frame[change].iloc[-1]:.0f} % sure on average, and {frame[change].iloc[0]:.0f} "
                 "% are right.")


def csr_table(files: dict, dense_bytes: int) -> Table:
    """{(sparsity, index type): FileRow} -> sizes in per cent of the dense file."""
    shares = pd.Series({key: 100 * row.bytes / dense_bytes for key, row in files.items()})
    sizes = shares.unstack(sort=False)
    sizes.index = pd.Index([f"{100 * share:.0f} %" for share in sizes.index], name="zeros")
    told = []
    for kind, size in sizes.items():
        small = sizes.index[size < 100]
        told.append(f"{kind} from {small[0]} zeros" if len(small) else f"{kind} never")
    same = "All" if all(row.same_answers for row in files.values()) else "NOT all"
    return Table(sizes.map("{:.0f} %".format), f"Of these files, smaller than dense: "
                 f"{'; '.join(told)}. {same} gave the same answers when read back.")


def latency_table(rows) -> Table:
    """`LatencyRow`s -> microseconds for a batch: median, middle half, and times the first row.

    Faster is what is so by a tenth or more, and whose middle half does not meet the first row's.
    """
    texts, told = {}, []
    for batch in dict.fromkeys(row.batch for row in rows):
        base, *others = timed = [row for row in rows if row.batch == batch]
        texts[f"batch {batch}"] = {
            row.name: f"{row.median:,.0f} ({row.low:,.0f}-{row.high:,.0f}), x{row.ratio:.2f}"
            for row in timed}
        faster = [row.name for row in others if row.ratio < 0.9 and row.high < base.low]
        told.append(f"at batch {batch} {', '.join(faster) or 'nothing'}")
    return Table(pd.DataFrame(texts).rename_axis("microseconds"),
                 f"Faster than {rows[0].name} by a tenth or more: {'; '.join(told)}.")


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
    frame = pd.read_csv(_RECORDED, index_col=0)
    faster = [f"{name} at {batch}" for batch in frame.columns[1:]
              for name, text in frame[batch].items() if float(text.partition("x")[2]) < 0.9]
    return Table(frame, "Recorded on one computer, on one thread. Faster than float32 in the same "
                 f"mode by a tenth or more: {'; '.join(faster) or 'nothing'}.")


def history_table(history, textbook: bool = False) -> Table:
    """A `History`: losses to 2 digits, accuracies in per cent, a judgment of each epoch; on wish
    the textbook's loss and accuracy beside them."""
    frame = pd.DataFrame([{
        "epoch": row.epoch,
        "train loss": f"{row.train_loss:.2f}", "train acc.": f"{100 * row.train_accuracy:.1f} %",
        "validation loss": f"{row.validation_loss:.2f}",
        "validation acc.": f"{100 * row.validation_accuracy:.1f} %",
        "observation": _observation(before, row),
    } for before, row in zip((None, *history), history, strict=False)]).set_index("epoch")
    if textbook:
        frame["textbook"] = [f"{loss:.2f}, {100 * accuracy:.0f} %" for loss, accuracy, _
                             in TEXTBOOK][:len(frame)]
    best, last = max(history, key=lambda row: row.validation_accuracy), history[-1]
    lead = 100 * (last.train_accuracy - last.validation_accuracy)
    return Table(frame, f"Validation digits do best after epoch {best.epoch}; after the last, "
                 f"training digits lead by {lead:.1f} points.")


def _observation(before, row):
    """What an epoch is worth. Up to half a point is a gain of nothing: five of 1,000 digits."""
    if before is None:
        fast = row.train_accuracy >= 0.5
        return "Learns fast, still far from done." if fast else "Has hardly learned anything yet."
    gain = round(100 * (row.validation_accuracy - before.validation_accuracy), 6)  # in points
    if row.train_loss > before.train_loss:
        return "The loss rises: if it goes on, the steps are too long."
    if gain > 0.5:
        return f"Learns, and new digits gain {'much' if gain >= 2 else 'a little'}."
    if gain >= -0.5:
        return "Good on old digits, new digits gain nothing: watch for memorizing."
    return "Better on old digits, worse on new ones: memorizing, or chance."


def say_changes(before, after, digits, against: str = "") -> Sentence:
    """What `measure.changed_answers` says, as a paragraph, which may begin with a name."""
    told = changed_answers(before, after, digits).sentence
    return Sentence(f"{against}: {told}" if against else told)


def kinds_table(kinds: dict, model, digits) -> Table:
    """{name: (network, scale of its hidden values, what it multiplies)} -> accuracy of each kind,
    and answers that differ from those of `model`, the floats it was made of."""
    rows, told = [], []
    for name, (network, scale, factors) in kinds.items():
        count = len(changed_answers(model, network, digits).places)
        rows.append({"kind": name, "scale of hidden values": scale, "multiplies": factors,
                     "right": f"{evaluate(network, digits).accuracy:.1%}",
                     "answers changed": f"{count} of {len(digits):,}"})
        told.append(f"{name} {count}")
    return Table(pd.DataFrame(rows).set_index("kind"), f"Answers changed: {', '.join(told)}.")


def rounding_table(networks: list[tuple], digits) -> Table:
    """(bits, {way: network rounded so}), one for each seed and number of bits -> lowest and highest
    accuracy, and in how many seeds the last way was two points or more ahead of each other one."""
    frame = pd.DataFrame([{"bits": bits, **{way: evaluate(network, digits).accuracy
                                            for way, network in ways.items()}}
                          for bits, ways in networks])
    groups = frame.groupby("bits", sort=False)
    # whole per cents and two points: another processor may train to a few other answers of 1,000
    shown = groups.min().map("{:.0%}".format) + " to " + groups.max().map("{:.0%}".format)
    *others, last = frame.columns[1:]
    counts = ", ".join(map(str, shown.index))
    told = []
    for way in others:
        wins = (frame[last] - frame[way]).round(4).ge(0.02).groupby(frame["bits"], sort=False).sum()
        told.append(f"of {way!r} in {', '.join(map(str, wins))}")
    return Table(shown, f"{last.capitalize()}, at {counts} bits, is two points or more ahead "
                 f"{'; '.join(told)} of {len(frame) // len(shown)} seeds.")


def textbook_table(history) -> pd.DataFrame:
    """The five epochs of a textbook beside a `History` on its training digits."""
    return pd.DataFrame([{
        "epoch": row.epoch, "loss, textbook": f"{loss:.2f}", "loss, ours": f"{row.train_loss:.2f}",
        "accuracy, textbook": f"{100 * accuracy:.0f} %",
        "accuracy, ours": f"{100 * row.train_accuracy:.0f} %", "observation, textbook": observation,
    } for (loss, accuracy, observation), row in zip(TEXTBOOK, history, strict=False)]
    ).set_index("epoch")


def sparsity_table(model) -> pd.DataFrame:
    """For each layer and for all together: the weights, the zeros and their share."""
    weights = [layer.weight for _, layer in weight_layers(model)]
    frame = pd.DataFrame({"count": [weight.numel() for weight in weights],
                          "zeros": [int((weight == 0).sum()) for weight in weights]},
                         index=[" x ".join(map(str, weight.shape)) for weight in weights])
    frame.loc["all"] = frame.sum()
    frame["sparsity"] = [f"{100 * share:.1f} %" for share in frame["zeros"] / frame["count"]]
    return frame.rename_axis("weights of")


def trace_table(trace) -> pd.DataFrame:
    """The five layers of a `trace_prediction`, in short texts."""
    return pd.DataFrame([{
        "layer": layer.name, "shape": " x ".join(map(str, layer.shape)),
        **{name: _brief(layer.values.get(name), layer.name) for name in trace.predictions},
    } for layer in trace.layers]).set_index("layer")


def _brief(values, name):
    if values is None:
        return ""
    if name.startswith("output"):
        best = values.argsort(descending=True)[:2]
        return ", ".join(f"{place}: {100 * values[place]:.1f} %" for place in best.tolist())
    form = "{:.2f}" if values.is_floating_point() else "{:,}"
    return "  ".join(form.format(value) for value in values.tolist())

"""What the learner sees, clicks on and calls: `from mnist_compress.ui import Strip, quiz, check`.

Names are looked up here, and their module is imported when the first of them is asked for: a
notebook loads no more than it uses. To read it all, begin with the practice: `state` (what is kept
between notebooks), `guesses`, `questions`, `exercises` (a wrong function is told its mistake) and
`evidence` (what decides a question). Then `widget`, and what stands on it, each with a JavaScript
file of its own: `guesses`, `quizwidget`, `recall` (cards), `explorer` (and `explorers`), `drawpad`.
Pictures and tables are made in `plots`, `units`, `results`, `pipeline`, `tables`, `smallest` (07),
`microcontroller` (09), `your_network` (10); notebooks import `plots`, `tables`, `smallest` and
`microcontroller` whole. `waiting` is the bar of a long cell, `story` the key insight and the map of
what is done.
"""

from importlib import import_module

_NAMES = {
    "drawpad": ("DrawPad",),
    "evidence": ("show_me",),
    "exercises": ("check",),
    "explorer": ("explore_flatten",),
    "explorers": ("explore_epochs", "explore_pruning", "explore_quantization", "explore_tradeoff",
                  "tradeoffs"),
    "guesses": ("guess_box", "guess_report", "reveal"),
    "microcontroller": ("explore_chip",),
    "pipeline": ("show_probabilities", "show_trace", "show_unit", "stage_cards"),
    "plots": ("Strip",),
    "project": ("hand_in", "try_out"),
    "questions": ("answer", "ask", "report"),
    "quizwidget": ("quiz",),
    "recall": ("cards",),
    "results": ("show_changes", "show_confusion", "show_network", "show_sizes"),
    "state": ("forget",),
    "story": ("key_insight", "progress"),
    "tables": ("kinds_table", "rounding_table", "say_changes", "trace_table"),
    "waiting": ("bar",),
    "your_network": ("Trials", "check_decision", "judge"),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names}
__all__ = sorted(_MODULES)


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"mnist_compress.ui has no {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def __dir__():
    return __all__

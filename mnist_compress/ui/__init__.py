"""What the learner sees, clicks on and calls: `from mnist_compress.ui import Strip, quiz, check`.

Names are looked up here, and their module is imported when the first of them is asked for: a
notebook loads no more than it uses. To read it all, begin with the practice: `state` (what is kept
between notebooks), `guesses`, `questions`, `exercises` (a wrong function is told its mistake) and
`evidence` (what decides a question). Then `widget`, and what stands on it, each with a JavaScript
file of its own: `guesses`, `quizwidget`, `recall` (cards), `explorers`, `drawpad`. Pictures and
tables are made in `plots`, `tables` and `smallest`.
"""

from importlib import import_module

_NAMES = {
    "drawpad": ("DrawPad",),
    "evidence": ("show_me",),
    "exercises": ("check",),
    "explorers": ("explore_pruning", "explore_quantization", "explore_tradeoff"),
    "guesses": ("guess_box", "guess_report", "reveal"),
    "plots": ("Strip", "show_curves", "show_digits", "show_history", "show_ink_map", "show_pixels",
              "show_probabilities", "show_weights"),
    "questions": ("answer", "ask", "report"),
    "quizwidget": ("quiz",),
    "recall": ("cards",),
    "smallest": ("literature_table", "show_breakdown", "show_front", "show_qr", "show_qr_page"),
    "state": ("forget",),
    "tables": ("csr_table", "deployment_table", "file_table", "history_table", "int8_sentence",
               "latency_table", "show_unit", "sparsity_table", "stage_table", "trace_table"),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names}
__all__ = sorted(_MODULES)


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"mnist_compress.ui has no {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def __dir__():
    return __all__

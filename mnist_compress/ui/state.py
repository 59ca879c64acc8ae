"""Guesses and answers, kept between notebooks in one small JSON file.

A change is made to the newest file under a lock and written in one step, so kernels that write at
once lose nothing. What cannot be saved stays in memory, and the next change tries to save it too.
"""

import html
import json
import os
import re
from pathlib import Path

from filelock import FileLock
from platformdirs import user_data_path

_SECTIONS = ("guesses", "truths", "answers")  # of a state: {section: {key: value}}
_RENAMED = {"07-record": "07-smallest"}  # keys of earlier editions
_DAMAGE = (ValueError, RecursionError)  # what reading a damaged file raises
_PATIENCE = 3  # seconds to wait for another kernel; saving takes it a few milliseconds
_unsaved = []  # functions that change a state, which no file knows of yet


class Sentence(str):
    """Text that a notebook cell shows without quotation marks; lines with "- " are a list."""

    __repr__ = str.__str__

    def _repr_html_(self):
        """Paragraphs, which break between words only; text with columns keeps its spaces."""
        if "  " in self:
            return f"<pre>{html.escape(self, False)}</pre>"
        lines = [f"<li>{marked(line[2:])}</li>" if line.startswith("- ") else
                 f"<p>{marked(line)}</p>" for line in self.splitlines()]
        return re.sub("((<li>.*</li>\n?)+)", r"<ul>\1</ul>", "\n".join(lines))


def marked(text: str) -> str:
    """HTML of a text: `code` between backticks, and no line break between a number and its %."""
    text = re.sub(r"(?<=\d) (?=%|KB\b)", "\u00a0", html.escape(text, False))
    return re.sub("`(.*?)`", r"<code>\1</code>", text)


def load_state() -> dict:
    """Return {"guesses": {key: number}, "truths": {key: number}, "answers": {question: letter}}."""
    state = {section: {} for section in _SECTIONS}
    try:
        state = _read(_file())
    except _DAMAGE:
        _change(lambda _: None)  # sets the file aside while no other kernel is at it
    except OSError:
        pass  # there is none, or whoever saves will hear what is wrong
    for change in _unsaved:
        change(state)
    return state


def remember(section: str, key: str, value: float | str) -> None:
    """Set one value and save: `remember("answers", "prune-what", "b")`."""
    if not (section in _SECTIONS and _fits(section, value)):
        raise ValueError(f"cannot keep {value!r} as {key!r} among the {section}")
    _change(lambda state: state[section].update({key: value}))


def forget() -> None:
    """Forget all guesses and what was measured, to start afresh; quiz answers stay."""
    _change(lambda state: state.update(guesses={}, truths={}))


def _change(change):
    path = _file(writing=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name("state.lock"), timeout=_PATIENCE, poll_interval=0.005):
            state = _read_or_set_aside(_file())
            for each in [*_unsaved, change]:
                each(state)
            _write(path, json.dumps(state, indent=1))
        _unsaved.clear()
    except OSError as error:  # such as a lock that nobody lets go
        if not _unsaved:
            print(f"Cannot use the folder {path.parent} ({error.strerror or error}): guesses and "
                  "answers last until this kernel stops, or until saving works again.")
        _unsaved.append(change)


def _file(writing=False):
    """The file of the state; for reading, while it is not there, that of earlier editions."""
    named = os.environ.get("MNIST_COMPRESS_STATE")
    folder = Path(os.path.expanduser(named)) if named else user_data_path("mnist_compress", False)
    path, earlier = folder / "state.json", Path(".mnist_compress", "state.json")
    return path if named or writing or path.exists() or not earlier.exists() else earlier


def _read(path):
    """The state in a file, with all else that the file holds; ValueError if a section is not."""
    state = json.loads(path.read_bytes())
    for section in _SECTIONS:
        entries = state.get(section) if isinstance(state, dict) else None
        if not isinstance(entries, dict) or not all(_fits(section, v) for v in entries.values()):
            raise ValueError(f"these are no {section}: {entries!r:.99}")
        for key in entries.keys() & _RENAMED.keys():
            entries.setdefault(_RENAMED[key], entries.pop(key))
    return state


def _read_or_set_aside(path):
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    except _DAMAGE:
        others = (path.with_name(f"state.damaged-{n}.json") for n in range(1, 10**6))
        aside = next(other for other in others if not other.exists())
        path.rename(aside)
        print(f"The saved guesses and answers cannot be read; kept as {aside.name}.")
    return {section: {} for section in _SECTIONS}


def _fits(section, value):
    if section == "answers":
        return isinstance(value, str)
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12


def _write(path, text):
    temporary = path.with_suffix(".tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    finally:  # it is still there only if something went wrong
        temporary.unlink(missing_ok=True)

"""Guesses and answers, kept between notebooks in one small JSON file.

A change is made to the newest file under a lock and written in one step, so kernels that write at
once lose nothing. What cannot be saved stays in memory, and the next change tries to save it too.
"""

import html
import json
import os
import re
import time
from itertools import count
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock
from platformdirs import user_data_path

_NUMBERS = ("guesses", "truths")  # sections of a state, {key: number}
# sections of a state, {key: [[text, seconds since 1970], ...]}
_ATTEMPTS = ("answers", "cards", "exercises", "projects")
_DAMAGE = (ValueError, RecursionError)  # what reading a damaged file raises
_PATIENCE = 3  # seconds to wait for another kernel; saving takes it a few milliseconds
_unsaved = []  # functions that change a state, which no file knows of yet
_trouble = ""  # why


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
    """HTML of a text: `code` between backticks, links to notebooks, 01_data, and to headings,
    01_data, "Guess first", and no line break between a number and its %."""
    text = re.sub(r"(?<=\d) (?=%|KB\b)", "\u00a0", html.escape(text, False))
    text = re.sub("`(.*?)`", r"<code>\1</code>", text)
    return re.sub(r'\b(\d\d_\w+)(?:, "([^"]+)")?', _link, text)


def _link(found):
    heading = found[2] and quote(html.unescape(found[2]).replace(" ", "-"))
    return f'<a href="{found[1]}.ipynb{f"#{heading}" if heading else ""}">{found[0]}</a>'


def load_state() -> dict:
    """Return {"guesses": {key: number}, "truths": {key: number}, "answers": {id of a question:
    [[letter, seconds since 1970], ...]}, "cards": {id: [["knew" or "not", seconds], ...]},
    "exercises": {name: [["right" or what was said, seconds], ...]}, "projects": {name: [[line,
    seconds], ...]}}."""
    try:
        state = read_state(_file())
    except _DAMAGE:
        state = _change(lambda _: None)  # sets the file aside while no other kernel is at it
    except OSError:  # there is none, or whoever saves will hear what is wrong
        state = _empty()
    for change in _unsaved:
        change(state)
    return state


def remember(section: str, key: str, value: float) -> None:
    """Set one number, 0 or more, and save: `remember("guesses", "03-bytes", 409)`."""
    _change(lambda state: state[section].update({key: value}))


def attempt(section: str, key: str, text: str) -> None:
    """Add one attempt and when it was made, and save: `attempt("answers", "prune-what", "b")`."""
    made = [text, now()]
    _change(lambda state: state[section].setdefault(key, []).append(list(made)))


def now() -> int:
    """Seconds since 1970."""
    return round(time.time())


def forget(*keys: str) -> None:
    """Forget these guesses, or all, and what was measured, to start afresh; quiz answers stay."""
    def drop(state):
        for section in _NUMBERS:
            for key in keys or list(state[section]):
                state[section].pop(key, None)

    _change(drop)


def trouble() -> str:
    """Why guesses and answers are not saved, or no text if they are."""
    return _trouble


def read_state(path: Path) -> dict:
    """The state in a file, with all else that the file holds; ValueError if it holds none."""
    state = json.loads(path.read_bytes())
    if not isinstance(state, dict) or not state.keys() >= {*_NUMBERS, "answers"}:
        raise ValueError(f"this is no state: {state!r:.99}")
    state = {**_empty(), **state}
    for section in _empty():
        entries = state[section]
        if not isinstance(entries, dict) or not all(_fits(section, each) for each
                                                    in entries.values()):
            raise ValueError(f"these are no {section}: {entries!r:.99}")
    return state


def _empty():
    return {section: {} for section in (*_NUMBERS, *_ATTEMPTS)}


def _fits(section, value):
    """Whether a section can hold this value: a number, or attempts."""
    if section in _NUMBERS:
        return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12
    return isinstance(value, list) and all(
        isinstance(made, list) and len(made) == 2 and isinstance(made[0], str)
        and _fits("guesses", made[1]) for made in value)


def _file():
    named = os.environ.get("MNIST_COMPRESS_STATE")
    folder = Path(named).expanduser() if named else user_data_path("mnist_compress", False)
    return folder / "state.json"


def _change(change):
    """Apply a change, and those not saved yet, to the newest state; return that, or an empty one
    if it cannot be saved."""
    global _trouble
    path = _file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name("state.lock"), timeout=_PATIENCE, poll_interval=0.005):
            state = _read_or_set_aside(path)
            for each in [*_unsaved, change]:
                each(state)
            _write(path, json.dumps(state, indent=1))
    except OSError as error:  # such as a lock that nobody lets go
        told, _trouble = _trouble, (
            f"Cannot use the folder {path.parent} ({error.strerror or error}): guesses and "
            "answers last until this kernel stops, or until saving works again.")
        _unsaved.append(change)
        if not told:
            print(_trouble)
        return _empty()
    _unsaved.clear()
    _trouble = ""
    return state


def _read_or_set_aside(path):
    try:
        return read_state(path)
    except FileNotFoundError:
        pass
    except _DAMAGE:
        others = (path.with_name(f"state.damaged-{n}.json") for n in count(1))
        aside = next(other for other in others if not other.exists())
        path.rename(aside)
        print(f"The saved guesses and answers cannot be read; kept as {aside.name}.")
    return _empty()


def _write(path, text):
    temporary = path.with_suffix(".tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    finally:  # it is still there only if something went wrong
        temporary.unlink(missing_ok=True)

"""Guesses and answers, kept between notebooks in one small JSON file.

A change is made to the newest file under a lock and written in one step, so kernels that write at
once lose nothing. What cannot be saved stays in memory, and the next change tries to save it too.
"""

import html
import json
import os
import re
import shutil
import stat
import time
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock
from platformdirs import user_data_path

_NUMBERS = ("guesses", "truths")  # sections of a state, {key: number}
# sections of a state, {key: [[text, seconds since 1970], ...]}
_ATTEMPTS = ("answers", "cards", "exercises", "projects")
_RENAMED = {"07-record": "07-smallest"}  # keys of earlier editions
_DAMAGE = (ValueError, RecursionError)  # what reading a damaged file raises
_LARGEST = 10_000_000  # bytes; all answers of a year are a hundredth of that
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
        _change(lambda _: None)  # sets the file aside while no other kernel is at it
        state = _what_fits(_file())
    except OSError:  # there is none, or whoever saves will hear what is wrong
        state = _empty()
    for change in _unsaved:
        change(state)
    return state


def remember(section: str, key: str, value: float) -> None:
    """Set one number and save: `remember("guesses", "03-bytes", 409)`."""
    if not (section in _NUMBERS and _fits(section, value)):
        raise ValueError(f"cannot keep {value!r} as {key!r} among the {section}")
    _change(lambda state: state[section].update({key: value}))


def attempt(section: str, key: str, text: str) -> None:
    """Add one attempt and when it was made, and save: `attempt("answers", "prune-what", "b")`."""
    made = [text, now()]
    if not (section in _ATTEMPTS and _fits(section, [made])):
        raise ValueError(f"cannot keep {text!r} as {key!r} among the {section}")
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


def _change(change):
    global _trouble
    path = _file(writing=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name("state.lock"), timeout=_PATIENCE, poll_interval=0.005):
            state = _read_or_set_aside(_file())
            for each in [*_unsaved, change]:
                each(state)
            _write(path, json.dumps(state, indent=1))
        _unsaved.clear()
        _trouble = ""
    except OSError as error:  # such as a lock that nobody lets go
        told, _trouble = _trouble, (
            f"Cannot use the folder {path.parent} ({error.strerror or error}): guesses and "
            "answers last until this kernel stops, or until saving works again.")
        _unsaved.append(change)
        if not told:
            print(_trouble)


def _empty():
    return {section: {} for section in (*_NUMBERS, *_ATTEMPTS)}


def _file(writing=False):
    """The file of the state; for reading, while it is not there, that of earlier editions."""
    named = os.environ.get("MNIST_COMPRESS_STATE")
    folder = Path(os.path.expanduser(named)) if named else user_data_path("mnist_compress", False)
    path = folder / "state.json"
    if named or writing or path.exists():
        return path
    earlier = (Path(folder, ".mnist_compress", "state.json") for folder in (".", "../notebooks"))
    return next((each for each in earlier if each.exists()), path)


def read_state(path: Path, strict: bool = True) -> dict:
    """The state in a file, with all else that the file holds; ValueError if a section is not, or,
    where strict, an entry."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):  # such as a pipe, which nobody ends
        raise OSError(f"{path.name} is no file")
    if found.st_size > _LARGEST:
        raise ValueError(f"this is no state: {found.st_size} bytes")
    state = json.loads(path.read_bytes())
    if not isinstance(state, dict) or not state.keys() >= {*_NUMBERS, "answers"}:
        raise ValueError(f"this is no state: {state!r:.99}")
    state = {**_empty(), **state}
    for section in _empty():
        if not isinstance(state[section], dict):
            raise ValueError(f"these are no {section}: {state[section]!r:.99}")
        state[section] = dict(_entries(section, state[section], strict))
    return state


def _entries(section, entries, strict):
    """Pairs of a key and what fits of its value."""
    for key in entries.keys() & _RENAMED.keys():
        entries.setdefault(_RENAMED[key], entries.pop(key))
    for key, value in entries.items():
        if section == "answers" and isinstance(value, str):  # of an earlier edition: the last
            value = [[value, 0]]
        if not _fits(section, value):
            if strict:
                raise ValueError(f"this cannot be among the {section}: {value!r:.99}")
            value = [made for made in value if _fits(section, [made])] if isinstance(
                value, list) else []
        if value != []:
            yield key, value


def _read_or_set_aside(path):
    try:
        return read_state(path)
    except FileNotFoundError:
        return _empty()
    except _DAMAGE:
        others = (path.with_name(f"state.damaged-{n}.json") for n in range(1, 10**6))
        aside = next(other for other in others if not other.exists())
    state = _what_fits(path)
    if some := any(state.values()):
        shutil.copyfile(path, aside)
    else:
        path.rename(aside)
    print(f"{'Some of the' if some else 'The'} saved guesses and answers cannot be read; kept as "
          f"{aside.name}.")
    return state


def _what_fits(path):
    """The state in a damaged file, without the entries that do not fit; empty if there is none."""
    try:
        return read_state(path, strict=False)
    except (OSError, *_DAMAGE):
        return _empty()


def _fits(section, value):
    if section in _ATTEMPTS:
        return isinstance(value, list) and all(
            isinstance(made, list) and len(made) == 2 and isinstance(made[0], str)
            and _is_number(made[1]) for made in value)
    return _is_number(value)


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12


def _write(path, text):
    temporary = path.with_suffix(".tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    finally:  # it is still there only if something went wrong
        temporary.unlink(missing_ok=True)

"""Guesses and quiz answers, kept between notebooks in one small JSON file."""

import contextlib
import copy
import json
import os
import time
from numbers import Real
from pathlib import Path

GUESSES = {  # key: what is guessed, unit, how far off still counts as right, topic
    "01-zeros": ("share of pixels that are zero", "%", 5, "pixels"),
    "02-accuracy": ("accuracy on the test digits", "%", 3, "accuracy"),
    "03-bytes": ("file of 101,770 numbers of 4 bytes, 30 % of the weights zero", "KB", 20, "bytes"),
    "03-sparsity": ("sparsity up to which accuracy stays within 1 point", "%", 10, "accuracy"),
    "04-bytes": ("size of the int8 file, the float file being 100 %", "%", 3, "bytes"),
    "04-flips": ("answers out of 4,000 that change at int8", "answers", 10, "changed answers"),
    "05-agree": ("answers out of 4,000 the 3 models share", "answers", 40, "changed answers"),
    "07-record": ("90 %-pruned int8 network in the best format, dense int8 having 102 KB", "KB", 4,
                  "bytes"),
    "08-page": ("page with network, decoder and draw pad inside", "KB", 5, "bytes"),
}
SECTIONS = {"guesses": Real, "truths": Real, "answers": str}  # a state: {section: {key: value}}
STALE = 5  # seconds after which a lock must be that of a kernel that died; saving takes one at most
_in_memory = {}  # unusable file -> the state kept in its place until the kernel stops


class Sentence(str):
    """Text that a notebook cell shows without quotation marks."""

    __repr__ = str.__str__


def _check(state):
    """Raise ValueError unless `state` can be saved and read back."""
    if not isinstance(state, dict) or state.keys() != SECTIONS.keys():
        raise ValueError(f"a state has the sections {', '.join(SECTIONS)}; got {state!r:.99}")
    for name, kind in SECTIONS.items():
        section = state[name] if isinstance(state[name], dict) else {name: None}
        for key, value in section.items():
            if not (_measurable(value) if kind is Real else isinstance(value, kind)):
                raise ValueError(f"cannot keep {value!r} as {key!r} among the {name}")


def _measurable(value):
    """Whether it is a number that a guess or a measured value can be: 0 or more, and finite."""
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= value < 1e12


def _path():
    folder = os.environ.get("MNIST_COMPRESS_STATE") or ".mnist_compress"
    return Path(os.path.expanduser(folder)) / "state.json"


def _use_memory(path, state, error):
    how_long = "guesses and answers last until this kernel stops"
    print(f"Cannot use the folder {path.parent} ({error.strerror}): {how_long}.")
    _in_memory[path] = copy.deepcopy(state)


def load_state():
    """Return the saved state; a file that cannot be one is set aside under a new name."""
    path, empty = _path(), {name: {} for name in SECTIONS}
    if path in _in_memory:
        return copy.deepcopy(_in_memory[path])
    try:
        content = path.read_bytes()
        try:
            state = json.loads(content)
            _check(state)
            return state
        except (ValueError, RecursionError):
            others = (path.with_name(f"state.damaged-{n}.json") for n in range(1, 10**6))
            aside = next(other for other in others if not other.exists())
            path.rename(aside)
            print(f"The saved guesses and answers cannot be read; kept as {aside.name}.")
    except FileNotFoundError:
        pass
    except OSError as error:
        _use_memory(path, empty, error)
    return empty


def save_state(state):
    """Write `state` in one step, so that nobody ever meets half a file."""
    _check(state)
    path = _path()
    if path in _in_memory:
        _in_memory[path] = copy.deepcopy(state)
        return
    temporary = path.with_name(f"state.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(state, indent=1), encoding="utf-8")
        os.replace(temporary, path)
    except OSError as error:
        _use_memory(path, state, error)
    finally:  # it is still there only if something went wrong
        with contextlib.suppress(OSError):
            temporary.unlink()


@contextlib.contextmanager
def _in_turn():
    """Hold a lock file from load to save: two kernels that write at once lose no entry.

    Where no lock can be had, as in a folder that cannot be written, work goes on without one.
    """
    lock = _path().with_name("state.lock")
    held = _path() not in _in_memory and _acquire(lock)
    try:
        yield
    finally:
        if held:
            with contextlib.suppress(OSError):
                lock.unlink()


def _acquire(lock):
    """Make the lock file, waiting for its owner; True if it was made, False if it cannot be."""
    give_up = time.monotonic() + 2 * STALE
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        while time.monotonic() < give_up:
            with contextlib.suppress(FileExistsError):
                os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
                return True
            with contextlib.suppress(FileNotFoundError):  # its owner has just let go
                if abs(time.time() - lock.stat().st_mtime) > STALE:  # or the clock was set back
                    lock.unlink()
            time.sleep(0.002)
    except OSError:
        pass
    return False


def remember(section, key, value):
    """Set one value and save: `remember("answers", "prune-what", "b")`."""
    with _in_turn():
        state = load_state()
        state.setdefault(section, {})[key] = value  # an unknown section is refused when saved
        save_state(state)


def forget():
    """Forget all guesses and what was measured, to start afresh; quiz answers stay."""
    with _in_turn():
        save_state({**load_state(), "guesses": {}, "truths": {}})


def _topic(key):
    if key not in GUESSES:
        raise ValueError(f"there is no guess {key!r}; there are {', '.join(GUESSES)}")
    return GUESSES[key]


def _show(key, value, difference=False):
    unit = "points" if difference and GUESSES[key][1] == "%" else GUESSES[key][1]
    return f"{round(value, 1):,g} {unit}"


def guess(key, value=None):
    """Commit a guess before the measurement; the first one counts, however often the cell runs."""
    unit, state = _topic(key)[1], load_state()
    if value is not None:
        if not _measurable(value):
            raise ValueError(f"a guess is a number, 0 or more; got {value!r}")
        value = float(value)
        if key not in state["guesses"] | state["truths"]:
            remember("guesses", key, value)
            return Sentence(f"Your guess: {_show(key, value)}.")
    first = state["guesses"].get(key)
    if first is not None:
        which = "Your guess" if value in (None, first) else "Your first guess counts"
        return Sentence(f"{which}: {_show(key, first)}.")
    if value is None:
        how = f"write guess_box({key!r}, 0) with your own number ({unit}) in place of 0"
        return Sentence(f"No guess yet. To commit one, {how}.")
    return Sentence("You have seen the answer, so this does not count; forget() starts afresh.")


def reveal(key, truth):
    """Set the measured value beside the guess; from now on it is too late to guess."""
    tolerance, truth = _topic(key)[2], float(truth)
    remember("truths", key, truth)
    first = load_state()["guesses"].get(key)
    if first is None:
        return Sentence(f"Measured: {_show(key, truth)}. There is no guess to compare it with.")
    verdict = f"right, give or take {_show(key, tolerance, True)}"
    if abs(first - truth) > tolerance:
        verdict = _show(key, abs(first - truth), True) + (
            " too high" if first > truth else " too low"
        )
    return Sentence(f"Measured: {_show(key, truth)}. Your guess, {_show(key, first)}: {verdict}.")


def calibration_report():
    """Say about which topics the guesses were right, then list them."""
    state, topics, lines = load_state(), {}, []
    for key in [key for key in GUESSES if key in state["guesses"] and key in state["truths"]]:
        question, _, tolerance, topic = GUESSES[key]
        first, truth = state["guesses"][key], state["truths"][key]
        topics.setdefault(topic, []).append(abs(first - truth) <= tolerance)
        lines.append(f"- {question}: guessed {_show(key, first)}, measured {_show(key, truth)}")
    if not lines:
        return Sentence("No guess has met its measurement yet, so there is nothing to compare.")
    kinds = {"right": [], "partly right": [], "wrong": []}
    for topic, hits in topics.items():
        kinds["right" if all(hits) else "partly right" if any(hits) else "wrong"].append(topic)
    told = "; ".join(f"{kind} about {' and '.join(of)}" for kind, of in kinds.items() if of)
    hit = sum(map(sum, topics.values()))
    return Sentence("\n".join([f"You were {told} ({hit} of {len(lines)} guesses hit).", *lines]))

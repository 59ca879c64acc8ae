"""Guesses and answers survive restarts, damage, kills and folders that cannot be written."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock

from mnist_compress.ui import state
from mnist_compress.ui.state import Sentence, attempt, forget, load_state, remember, trouble

from .conftest import NOW

EMPTY = {"guesses": {}, "truths": {}, "answers": {}, "cards": {}, "exercises": {},
         "projects": {}}


def answers(**letters):
    """The section of these answers, one attempt each, made now."""
    return {name: [[letter, NOW]] for name, letter in letters.items()}


def files(folder):
    """What is in the folder, but for the lock, which some systems leave there."""
    return [name for name in sorted(os.listdir(folder)) if name != "state.lock"]


def put(path, content):
    """Write a file of a dict, or of bytes as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())


def refuse(*_args, **_more):
    raise PermissionError(13, "Permission denied")


def test_what_is_saved_is_read_back(folder):
    assert load_state() == EMPTY
    assert not folder.exists()  # reading alone leaves nothing behind
    remember("guesses", "03-bytes", 70.0)
    attempt("answers", "q", "b")
    saved = {**EMPTY, "guesses": {"03-bytes": 70.0}, "answers": answers(q="b")}
    assert load_state() == saved
    assert json.loads((folder / "state.json").read_text()) == saved
    load_state()["answers"]["q"] = "a change of a copy"
    assert load_state() == saved
    assert files(folder) == ["state.json"]  # no temporary file stays


@pytest.mark.parametrize("value", [None, ""])
def test_without_the_variable_it_is_the_users_data_folder(tmp_path, monkeypatch, value):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(state, "user_data_path", lambda name, author: tmp_path / "data" / name)
    monkeypatch.delenv("MNIST_COMPRESS_STATE")
    if value is not None:
        monkeypatch.setenv("MNIST_COMPRESS_STATE", value)
    attempt("answers", "q", "b")
    assert load_state()["answers"] == answers(q="b")
    assert os.listdir(tmp_path) == ["data"]
    assert files(tmp_path / "data" / "mnist_compress") == ["state.json"]


def test_the_users_data_folder_is_that_of_the_system(tmp_path):
    code = "from mnist_compress.ui.state import attempt; attempt('answers', 'q', 'b')"
    homes = dict.fromkeys(("HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_DATA_HOME"), str(tmp_path))
    env = {**os.environ, **homes, "MNIST_COMPRESS_STATE": ""}
    assert subprocess.run([sys.executable, "-c", code], env=env, cwd=tmp_path, check=True,
                          capture_output=True).stdout == b""
    assert len(list(tmp_path.rglob("mnist_compress/state.json"))) == 1


def test_what_a_later_edition_keeps_is_left_alone(folder, capsys):
    later = {**EMPTY, "edition": 2, "attempts": {"my_mask": [1, {"right": False}]},
             "guesses": {"99-later": 3}, "answers": {"a question not here": [["e", 5]]}}
    put(folder / "state.json", later)
    assert load_state() == later
    attempt("answers", "q", "b")
    assert load_state() == {**later, "answers": {**later["answers"], **answers(q="b")}}
    assert files(folder) == ["state.json"] and capsys.readouterr().out == ""


def test_an_interrupted_write_leaves_the_old_state(folder, monkeypatch):
    attempt("answers", "q", "b")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        attempt("answers", "q", "c")
    assert load_state()["answers"] == answers(q="b")
    assert files(folder) == ["state.json"]  # no half-written file


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(folder, monkeypatch, capsys):
    attempt("answers", "q", "b")
    monkeypatch.setattr(os, "replace", refuse)
    attempt("answers", "q", "c")
    assert "(Permission denied)" in capsys.readouterr().out
    assert files(folder) == ["state.json"]


WRITER = """
import itertools, sys
from mnist_compress.ui.state import attempt
print("ready", flush=True)
sys.stdin.readline()
for n in range(int(sys.argv[2])):
    attempt("answers", f"{sys.argv[1]}-{n}", "a")
    print(n, flush=True)
"""


def start(name, count):
    writer = subprocess.Popen([sys.executable, "-c", WRITER, name, f"{count}"], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert writer.stdout.readline() == "ready\n"
    return writer


def test_kernels_that_write_at_once_lose_nothing(folder):
    writers = [start(name, 100) for name in "xy"]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        assert writer.communicate(timeout=60)[0].split() == [f"{n}" for n in range(100)]
        assert writer.returncode == 0
    assert len(load_state()["answers"]) == 200
    assert files(folder) == ["state.json"]


def test_answers_of_a_killed_kernel_are_kept_and_its_lock_is_free(folder):
    for kill in range(int(os.environ.get("STATE_KILLS", "3"))):
        name = f"x{kill}"
        writer = start(name, 100_000)
        writer.stdin.write("go\n")
        writer.stdin.flush()
        for _ in range(20):
            writer.stdout.readline()
        writer.kill()
        acknowledged = 20 + len(writer.communicate()[0].split("\n")[:-1])
        began = time.monotonic()
        attempt("answers", name, "b")
        assert time.monotonic() - began < 1
        kept = load_state()["answers"]
        assert {f"{name}-{n}" for n in range(acknowledged)} < kept.keys()
        assert kept[name] == [["b", NOW]]
        assert files(folder) == ["state.json"]  # not even what the killed one was writing
        (folder / "state.json").unlink()


SUSPENDED = """
import os, signal
from mnist_compress.ui import state
write = state._write
def suspended(*arguments):
    os.kill(os.getpid(), signal.SIGSTOP)  # it has read the state and holds the lock
    write(*arguments)
state._write = suspended
state.attempt("answers", "suspended", "a")
"""


@pytest.mark.skipif(not hasattr(os, "WUNTRACED"), reason="no process can be suspended")
def test_a_suspended_kernel_that_goes_on_wipes_no_answer(folder, monkeypatch, capsys):
    monkeypatch.setattr(state, "_PATIENCE", 0.1)
    attempt("answers", "before", "a")
    with subprocess.Popen([sys.executable, "-c", SUSPENDED]) as other:
        os.waitpid(other.pid, os.WUNTRACED)
        attempt("answers", "meanwhile", "b")
        assert "(Permission denied)" not in (said := capsys.readouterr().out)
        assert "until this kernel stops" in said
        assert load_state()["answers"] == answers(before="a", meanwhile="b")
        os.kill(other.pid, signal.SIGCONT)
        assert other.wait(20) == 0
    attempt("answers", "after", "c")
    kept = json.loads((folder / "state.json").read_text())["answers"]
    assert kept.keys() == {"before", "suspended", "meanwhile", "after"} and trouble() == ""


def test_a_lock_file_left_behind_is_no_lock_and_half_a_file_no_state(folder):
    put(folder / "state.lock", b"")
    put(folder / "state.tmp", b'{"guesses": ')
    began = time.monotonic()
    attempt("answers", "q", "b")
    forget()
    assert time.monotonic() - began < 1
    assert load_state()["answers"] == answers(q="b") and files(folder) == ["state.json"]


def test_a_lock_is_waited_for_but_not_for_ever_and_nothing_is_lost(folder, monkeypatch, capsys):
    monkeypatch.setattr(state, "_PATIENCE", 0.1)
    attempt("answers", "p", "a")
    held, done = threading.Event(), threading.Event()

    def another_kernel():
        with FileLock(folder / "state.lock"):
            held.set()
            done.wait(20)

    thread = threading.Thread(target=another_kernel)
    thread.start()
    held.wait(20)
    began = time.monotonic()
    attempt("answers", "q", "b")
    assert 0.05 < time.monotonic() - began < 2
    assert load_state()["answers"] == answers(p="a", q="b")
    assert "Cannot use the folder" in capsys.readouterr().out
    done.set()
    thread.join()
    put(folder / "state.json", {**EMPTY, "answers": answers(p="a", of="another")})
    attempt("answers", "r", "c")
    assert json.loads((folder / "state.json").read_text())["answers"] == \
        answers(p="a", of="another", q="b", r="c")


def test_a_folder_that_is_a_file_is_told_at_once(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("MNIST_COMPRESS_STATE", str(tmp_path / "file"))
    began = time.monotonic()
    assert load_state() == EMPTY
    remember("guesses", "03-bytes", 70)
    attempt("answers", "q", "b")
    assert time.monotonic() - began < 1
    load_state()["answers"]["q"] = "a change of a copy"
    assert load_state() == {**EMPTY, "guesses": {"03-bytes": 70}, "answers": answers(q="b")}
    printed = capsys.readouterr().out
    assert printed.count("Cannot use the folder") == printed.count("\n") == 1
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_told_once_until_it_can(folder, monkeypatch, capsys):
    abc = [[letter, NOW] for letter in "abc"]
    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(Path, "mkdir", refuse)
            for letter in "abc":
                attempt("answers", "q", letter)
            remember("guesses", "03-bytes", 3)
            forget()
        assert load_state() == {**EMPTY, "answers": {"q": abc}} and not folder.exists()
        assert capsys.readouterr().out.count("(Permission denied): guesses and answers last") == 1
        attempt("answers", "r", "d")  # can be saved, and with it all before
        assert json.loads((folder / "state.json").read_text()) == {
            **EMPTY, "answers": {"q": abc, "r": [["d", NOW]]}}
        (folder / "state.json").unlink()
        folder.joinpath("state.lock").unlink(missing_ok=True)
        folder.rmdir()


def test_a_file_that_cannot_be_read_is_not_overwritten(folder, monkeypatch, capsys):
    attempt("answers", "q", "b")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        assert load_state() == EMPTY
        attempt("answers", "r", "c")
        assert load_state()["answers"] == answers(r="c")
    assert "(Permission denied)" in capsys.readouterr().out
    attempt("answers", "s", "d")
    assert load_state()["answers"] == answers(q="b", r="c", s="d")


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("MNIST_COMPRESS_STATE", "~/x")
    monkeypatch.chdir(tmp_path)
    attempt("answers", "q", "b")
    assert files(tmp_path / "home" / "x") == ["state.json"]
    assert os.listdir(tmp_path) == ["home"]


DAMAGED = [
    b"",
    b"{",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b"[1, 2]",
    b"null",
    b'{"cells": [], "nbformat": 4}',
    b'{"guesses": {}, "truths": {}}',
    b'{"guesses": [["03-bytes", 1]], "truths": {}, "answers": {}}',
    b'{"guesses": {"03-bytes": "many"}, "truths": {}, "answers": {}}',
    b'{"guesses": {"03-bytes": NaN}, "truths": {}, "answers": {}}',
    b'{"guesses": {"03-bytes": 1' + b"0" * 400 + b'}, "truths": {}, "answers": {}}',
    b'{"guesses": {"03-bytes": true}, "truths": {}, "answers": {}}',
    b'{"guesses": {"03-bytes": -1}, "truths": {}, "answers": {}}',
    b'{"guesses": {}, "truths": {"03-bytes": false}, "answers": {}}',
    b'{"guesses": {}, "truths": {}, "answers": {"q": 3}}',
    b'{"guesses": {}, "truths": {}, "answers": {"q": [["a"]]}}',
    b'{"guesses": {}, "truths": {}, "answers": {"q": [["a", "now"]]}}',
    b'{"guesses": {}, "truths": {}, "answers": {}, "cards": {"q": [[1, 2]]}}',
]


@pytest.mark.parametrize("content", DAMAGED, ids=lambda content: repr(content[:40]))
def test_a_damaged_or_foreign_file_is_set_aside(folder, capsys, content):
    for n in (1, 2):
        put(folder / "state.json", content)
        assert load_state() == EMPTY
        assert (folder / f"state.damaged-{n}.json").read_bytes() == content
        message = f"cannot be read; kept as state.damaged-{n}.json."
        assert message in capsys.readouterr().out
        attempt("answers", "q", "b")  # and work goes on
        assert load_state()["answers"] == answers(q="b")
    assert capsys.readouterr().out == ""


def test_every_attempt_is_kept_with_its_time(clock):
    for letter in "bab":
        attempt("answers", "q", letter)
        clock.now += 60
    assert load_state()["answers"] == {"q": [["b", NOW], ["a", NOW + 60], ["b", NOW + 120]]}
    attempt("cards", "q", "knew")
    assert load_state()["cards"] == {"q": [["knew", NOW + 180]]}


def test_some_guesses_are_forgotten_and_others_kept():
    for key in ("a", "b"):
        remember("guesses", key, 1)
        remember("truths", key, 2)
    forget("a", "c")
    assert load_state() == {**EMPTY, "guesses": {"b": 1}, "truths": {"b": 2}}


def test_what_is_wrong_is_known_until_it_is_mended(folder, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        attempt("answers", "q", "b")
        assert trouble().startswith(f"Cannot use the folder {folder} (Permission denied): ")
    attempt("answers", "q", "c")
    assert trouble() == "" and load_state()["answers"] == {"q": [["b", NOW], ["c", NOW]]}


def test_a_sentence_is_html_that_breaks_between_words_only():
    said = Sentence("Of 30 % and 5 KB, `w < 0`.\n- one\n- two\n"
                    'Read 03_pruning, "Who? A & B", again, or all of 01_data.')
    assert said._repr_html_() == (
        "<p>Of 30\u00a0% and 5\u00a0KB, <code>w &lt; 0</code>.</p>\n"
        "<ul><li>one</li>\n<li>two</li>\n</ul>"
        '<p>Read <a href="03_pruning.ipynb#Who%3F-A-%26-B">03_pruning, "Who? A &amp; B"</a>, '
        'again, or all of <a href="01_data.ipynb">01_data</a>.</p>')
    assert Sentence("a   1\nbb <2")._repr_html_() == "<pre>a   1\nbb &lt;2</pre>"
    assert repr(said) == said

"""Guesses and answers survive restarts, damage, kills and folders that cannot be written."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock

from mnist_compress.ui import state
from mnist_compress.ui.state import forget, load_state, remember

EMPTY = {"guesses": {}, "truths": {}, "answers": {}}


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
    remember("answers", "q", "b")
    saved = {"guesses": {"03-bytes": 70.0}, "truths": {}, "answers": {"q": "b"}}
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
    remember("answers", "q", "b")
    assert load_state()["answers"] == {"q": "b"}
    assert os.listdir(tmp_path) == ["data"]
    assert files(tmp_path / "data" / "mnist_compress") == ["state.json"]


def test_the_users_data_folder_is_that_of_the_system(tmp_path):
    code = "from mnist_compress.ui.state import remember; remember('answers', 'q', 'b')"
    homes = dict.fromkeys(("HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_DATA_HOME"), str(tmp_path))
    env = {**os.environ, **homes, "MNIST_COMPRESS_STATE": ""}
    assert subprocess.run([sys.executable, "-c", code], env=env, cwd=tmp_path, check=True,
                          capture_output=True).stdout == b""
    assert len(list(tmp_path.rglob("mnist_compress/state.json"))) == 1


def test_the_state_of_an_earlier_edition_is_taken_over_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(state, "user_data_path", lambda name, author: tmp_path / "data" / name)
    earlier = {**EMPTY, "guesses": {"03-bytes": 70.0}, "answers": {"q": "b"}}
    put(tmp_path / ".mnist_compress" / "state.json", earlier)
    assert load_state() == EMPTY  # a folder named by the variable is what it is
    monkeypatch.delenv("MNIST_COMPRESS_STATE")
    assert load_state() == earlier
    remember("answers", "r", "c")
    assert load_state() == {**earlier, "answers": {"q": "b", "r": "c"}}
    forget()
    put(tmp_path / ".mnist_compress" / "state.json", b"{")  # of no more interest
    assert load_state() == {**EMPTY, "answers": {"q": "b", "r": "c"}}
    assert os.listdir(tmp_path / ".mnist_compress") == ["state.json"]


def test_keys_of_an_earlier_edition_get_their_new_names(folder):
    put(folder / "state.json", {**EMPTY, "guesses": {"07-record": 9}, "truths": {"07-record": 8}})
    assert load_state() == {**EMPTY, "guesses": {"07-smallest": 9}, "truths": {"07-smallest": 8}}
    remember("truths", "07-smallest", 7)
    assert load_state()["truths"] == {"07-smallest": 7}


def test_what_a_later_edition_keeps_is_left_alone(folder, capsys):
    later = {**EMPTY, "edition": 2, "attempts": {"my_mask": [1, {"right": False}]},
             "guesses": {"99-later": 3}, "answers": {"a question not here": "e"}}
    put(folder / "state.json", later)
    assert load_state() == later
    remember("answers", "q", "b")
    assert load_state() == {**later, "answers": {**later["answers"], "q": "b"}}
    assert files(folder) == ["state.json"] and capsys.readouterr().out == ""


def test_an_interrupted_write_leaves_the_old_state(folder, monkeypatch):
    remember("answers", "q", "b")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        remember("answers", "q", "c")
    assert load_state()["answers"] == {"q": "b"}
    assert files(folder) == ["state.json"]  # no half-written file


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(folder, monkeypatch, capsys):
    remember("answers", "q", "b")
    monkeypatch.setattr(os, "replace", refuse)
    remember("answers", "q", "c")
    assert "(Permission denied)" in capsys.readouterr().out
    assert files(folder) == ["state.json"]


WRITER = """
import itertools, sys
from mnist_compress.ui.state import remember
print("ready", flush=True)
sys.stdin.readline()
for n in range(int(sys.argv[2])):
    remember("answers", f"{sys.argv[1]}-{n}", "a")
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
    for name in "xyz":
        writer = start(name, 100_000)
        writer.stdin.write("go\n")
        writer.stdin.flush()
        for _ in range(20):
            writer.stdout.readline()
        writer.kill()
        acknowledged = 20 + len(writer.communicate()[0].split("\n")[:-1])
        began = time.monotonic()
        remember("answers", name, "b")
        assert time.monotonic() - began < 1
        kept = load_state()["answers"]
        assert {f"{name}-{n}" for n in range(acknowledged)} < kept.keys() and kept[name] == "b"
    assert files(folder) == ["state.json"]  # not even what the killed ones were writing


def test_a_lock_file_left_behind_is_no_lock(folder):
    put(folder / "state.lock", b"")
    began = time.monotonic()
    remember("answers", "q", "b")
    forget()
    assert time.monotonic() - began < 1
    assert load_state()["answers"] == {"q": "b"}


def test_a_lock_is_waited_for_but_not_for_ever_and_nothing_is_lost(folder, monkeypatch, capsys):
    monkeypatch.setattr(state, "_PATIENCE", 0.1)
    remember("answers", "p", "a")
    held, done = threading.Event(), threading.Event()

    def another_kernel():
        with FileLock(folder / "state.lock"):
            held.set()
            done.wait(20)

    thread = threading.Thread(target=another_kernel)
    thread.start()
    held.wait(20)
    began = time.monotonic()
    remember("answers", "q", "b")
    assert 0.05 < time.monotonic() - began < 2
    assert load_state()["answers"] == {"p": "a", "q": "b"}
    assert "Cannot use the folder" in capsys.readouterr().out
    done.set()
    thread.join()
    put(folder / "state.json", {**EMPTY, "answers": {"p": "a", "of": "another"}})
    remember("answers", "r", "c")
    assert json.loads((folder / "state.json").read_text())["answers"] == {
        "p": "a", "of": "another", "q": "b", "r": "c"}


def test_a_folder_that_is_a_file_is_told_at_once(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("MNIST_COMPRESS_STATE", str(tmp_path / "file"))
    began = time.monotonic()
    assert load_state() == EMPTY
    remember("guesses", "03-bytes", 70)
    remember("answers", "q", "b")
    assert time.monotonic() - began < 1
    load_state()["answers"]["q"] = "a change of a copy"
    assert load_state() == {"guesses": {"03-bytes": 70}, "truths": {}, "answers": {"q": "b"}}
    printed = capsys.readouterr().out
    assert printed.count("Cannot use the folder") == printed.count("\n") == 1
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_told_once_until_it_can(folder, monkeypatch, capsys):
    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(Path, "mkdir", refuse)
            for letter in "abc":
                remember("answers", "q", letter)
            remember("guesses", "03-bytes", 3)
            forget()
        assert load_state() == {**EMPTY, "answers": {"q": "c"}} and not folder.exists()
        assert capsys.readouterr().out.count("(Permission denied): guesses and answers last") == 1
        remember("answers", "r", "d")  # can be saved, and with it all before
        assert json.loads((folder / "state.json").read_text()) == {
            **EMPTY, "answers": {"q": "c", "r": "d"}}
        (folder / "state.json").unlink()
        folder.joinpath("state.lock").unlink(missing_ok=True)
        folder.rmdir()


def test_a_file_that_cannot_be_read_is_not_overwritten(folder, monkeypatch, capsys):
    remember("answers", "q", "b")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        assert load_state() == EMPTY
        remember("answers", "r", "c")
        assert load_state()["answers"] == {"r": "c"}
    assert "(Permission denied)" in capsys.readouterr().out
    remember("answers", "s", "d")
    assert load_state()["answers"] == {"q": "b", "r": "c", "s": "d"}


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("MNIST_COMPRESS_STATE", "~/x")
    monkeypatch.chdir(tmp_path)
    remember("answers", "q", "b")
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
]


@pytest.mark.parametrize("content", DAMAGED, ids=lambda content: repr(content[:40]))
def test_a_damaged_or_foreign_file_is_set_aside(folder, capsys, content):
    for n in (1, 2):
        put(folder / "state.json", content)
        assert load_state() == EMPTY
        assert (folder / f"state.damaged-{n}.json").read_bytes() == content
        message = f"cannot be read; kept as state.damaged-{n}.json."
        assert message in capsys.readouterr().out
        remember("answers", "q", "b")  # and work goes on
        assert load_state()["answers"] == {"q": "b"}
    assert capsys.readouterr().out == ""


def test_what_cannot_be_read_back_is_refused():
    for section, key, value in (("marks", "q", "b"), ("truths", "02-accuracy", float("nan")),
                                ("guesses", "02-accuracy", True), ("answers", "q", 3)):
        with pytest.raises(ValueError) as error:
            remember(section, key, value)
        assert str(error.value) == f"cannot keep {value!r} as {key!r} among the {section}"
    assert load_state() == EMPTY

"""Which Pythons, folders and indexes the set-up takes, and what it mends."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tools import ROOT, setup

BACKEND = '''
import os, time, zipfile


def build_editable(folder, *_):
    """A wheel that points to the project's folder, made of nothing else."""
    time.sleep(float(os.environ.get("SLOW", "0")))
    info = "course-1.dist-info/"
    files = {"course.pth": os.getcwd(),
             info + "METADATA": "Metadata-Version: 2.1\\nName: course\\nVersion: 1\\n"
                                "Provides-Extra: chip\\nProvides-Extra: test\\n",
             info + "WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}
    files[info + "RECORD"] = "".join(path + ",,\\n" for path in [*files, info + "RECORD"])
    with zipfile.ZipFile(os.path.join(folder, "course-1-py3-none-any.whl"), "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return "course-1-py3-none-any.whl"
'''
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "course"
version = "1"
"""


@pytest.fixture
def course(tmp_path):
    """A course of this project's Makefile and set-up, but without dependencies."""
    folder = tmp_path / "the course"  # a space is fine
    (folder / "tools").mkdir(parents=True)
    for name in ("Makefile", "tools/__init__.py", "tools/setup.py"):
        shutil.copy(ROOT / name, folder / name)
    program = "import mark, sys; print('it runs in', sys.prefix, 'with', mark.__file__)"
    for name in ("lab", "check"):
        (folder / "tools" / f"{name}.py").write_text(program)
    (folder / "mark.py").touch()
    (folder / "backend.py").write_text(BACKEND)
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "constraints.txt").write_text("torch==2.0\n")
    return folder


def command(target):
    return ["make", target, "TORCH_INDEX=", f"PYTHON={sys.executable}"]


def make(folder, target="lab", **environment):
    """What `make` prints, once it went well and the course ran from `folder`."""
    done = subprocess.run(command(target), cwd=folder, check=False, capture_output=True, text=True,
                          env=os.environ | {"PIP_NO_INDEX": "1", **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"it runs in {folder / '.venv'} with {folder / 'mark.py'}" in done.stdout
    return done.stdout


with_make = pytest.mark.skipif(not shutil.which("make") or os.name != "posix", reason="no make")


@with_make
def test_the_environment_is_made_once_and_again_where_it_must(course, tmp_path):
    (tmp_path / "pip.conf").write_text("[install]\nuser = true\n")
    settings = {"PIP_USER": "1", "PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}
    assert "Installing into .venv" in make(course, **settings)
    assert "Installing" not in make(course)
    assert "Installing" in make(course, "test")  # the test tools
    assert "Installing" not in make(course)
    with (course / "constraints.txt").open("a") as file:
        file.write("pip>=1\n")  # as a git pull may
    assert "Installing" in make(course)
    assert json.loads((course / ".venv" / ".ready").read_text())["for"] == "test"
    python = course / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to(tmp_path / "gone")  # an update of the system took it away
    assert "Installing" in make(course)
    moved_copied_and_linked(course, tmp_path)


def moved_copied_and_linked(course, tmp_path):
    """A moved and a copied course are set up again, one whose .venv is a link is not."""
    other = tmp_path / "other"
    shutil.copytree(course, other, ignore=shutil.ignore_patterns(".venv"))
    (other / ".venv").symlink_to(course / ".venv")
    done = subprocess.run(command("lab"), cwd=other, check=True, capture_output=True, text=True)
    assert "Installing" not in done.stdout
    shutil.copytree(course, tmp_path / "copy", symlinks=True)
    assert "moved or copied" in make(tmp_path / "copy")
    assert "Installing" not in make(course)
    course.rename(tmp_path / "moved")
    assert "moved or copied" in make(tmp_path / "moved")


@with_make
def test_ctrl_c_is_answered_by_a_sentence(course):
    process = subprocess.Popen(command("lab"), cwd=course, start_new_session=True, text=True,
                               env=os.environ | {"PIP_NO_INDEX": "1", "SLOW": "60"},
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not (course / ".venv" / "bin" / "pip").exists():
        assert process.poll() is None
        time.sleep(0.1)
    time.sleep(1.5)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    lines = [line for line in said.splitlines() if line and not line.startswith("make")]
    assert lines == ["Stopped. Nothing is lost; run make again to go on."]
    assert process.returncode


# ---- PyTorch's index

class Index(BaseHTTPRequestHandler):
    """A wheel index at /serves/, /other/ (without a fitting wheel), /refuses/ and /hangs/."""

    def do_GET(self):
        manner, *_, name = self.path.strip("/").split("/")
        if manner == "hangs":
            self.server.over.wait(30)
        if manner != "serves" and manner != "other":
            return self.send_error(403)
        wheels = self.server.wheels if manner == "serves" else {}
        page = "".join(f'<a href="/serves/torch/{wheel.replace("+", "%2B")}">{wheel}</a>\n'
                       for wheel in wheels)
        content = wheels.get(name.replace("%2B", "+"), page.encode())
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def index(tmp_path):
    """The address of an index on this machine, which has torch for PyPI and torch for CPUs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    minor = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    pin = next(line[7:] for line in (ROOT / "constraints.txt").read_text().splitlines()
               if line.startswith("torch=="))
    tag = f"{minor}-{minor}-linux_{setup.platform.machine()}"
    server.wheels, server.over = {}, threading.Event()
    for version in (pin, f"{pin}+cpu"):
        info, path = f"torch-{version}.dist-info/", tmp_path / "torch.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(info + "METADATA", f"Metadata-Version: 2.1\nName: torch\n"
                                              f"Version: {version}\n")
            wheel.writestr(info + "WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
            wheel.writestr(info + "RECORD", "")
        server.wheels[f"torch-{version}-{tag}.whl"] = path.read_bytes()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    with contextlib.closing(server):
        server.close = server.server_close
        yield f"http://127.0.0.1:{server.server_port}"
        server.over.set()
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("manner, told", [
    ("serves", "comes as its CPU build"), ("other", "has no fitting PyTorch"),
    ("refuses", "does not answer"), ("hangs", "does not answer"), (None, "does not answer")])
def test_the_cpu_build_comes_where_its_index_answers(index, monkeypatch, manner, told):
    url = f"{index}/{manner}" if manner else "http://127.0.0.1:9"  # nobody listens there
    monkeypatch.setattr(setup, "CPU_INDEX", url)
    monkeypatch.setattr(setup, "CARDS", ())
    found, why = setup.choose_index("linux", 0.5)
    assert found == (url if manner == "serves" else "") and told in why
    assert "PyPI" in why or manner == "serves"


def test_with_a_card_or_another_system_nobody_is_asked(monkeypatch):
    monkeypatch.setattr(setup, "CPU_INDEX", "no address")
    assert setup.choose_index("darwin") == setup.choose_index("win32") == ("", "")
    monkeypatch.setattr(setup, "CARDS", (str(ROOT),))
    assert setup.choose_index("linux") == (
        "", "There is a graphics card: PyTorch comes with its CUDA libraries.")


@pytest.mark.skipif(sys.platform != "linux", reason="the index has wheels for Linux")
def test_pip_prefers_the_cpu_build_of_the_pinned_version(index, tmp_path):
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", tmp_path / "w"]
    subprocess.run([*pip, "--index-url", f"{index}/other", "--extra-index-url", f"{index}/serves",
                    "-c", ROOT / "constraints.txt", "torch"],
                   check=True, env=os.environ | {"PIP_FIND_LINKS": ""})
    assert [path.name.split("-")[1][-4:] for path in (tmp_path / "w").iterdir()] == ["+cpu"]


# ---- what it refuses

@pytest.mark.parametrize("version, fine", [
    ((3, 10, 9), False), ((3, 11, 0), True), ((3, 13, 5), True), ((3, 14, 0), True),
    ((3, 14, 1), False), ((3, 14, 2), True), ((3, 15, 0), False)])
def test_setup_names_the_pythons_it_takes(version, fine):
    told = setup.problem("lab", version=version)
    assert told is None if fine else (
        told.startswith(f"This is Python {'.'.join(map(str, version))}; the course needs 3.11 to "
                        "3.14") and "make PYTHON=" in told)


def test_setup_needs_the_venv_module(monkeypatch):
    find = setup.importlib.util.find_spec
    monkeypatch.setattr(setup.importlib.util, "find_spec",
                        lambda name: None if name == "ensurepip" else find(name))
    assert "apt install python3.11-venv" in setup.problem("lab", version=(3, 11, 2))


def test_setup_refuses_what_it_does_not_know(tmp_path):
    assert setup.main("instal") == "The action is one of lab, test, wheels; got 'instal'."
    assert setup.main() == "The action is one of lab, test, wheels; got ''."
    assert "no folder" in setup.problem("lab", wheels=str(tmp_path / "none"))
    assert "no wheels in the folder" in setup.problem("lab", wheels=str(tmp_path))
    (tmp_path / "a-1-py3-none-any.whl").write_bytes(bytes(2_000_000))
    assert setup.problem("lab", wheels=str(tmp_path)) is None
    assert os.name != "posix" or "has a colon" in setup.problem("lab", root=tmp_path / "a:b")
    assert setup.sizes(wheels=str(tmp_path)) == (0.0, pytest.approx(0.0042))


def test_an_environment_without_pip_is_made_anew(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "v")], check=True)
    for _ in range(2):
        pip = setup.make_venv(tmp_path / "v")
        assert subprocess.run([*pip, "--version"], capture_output=True, check=True).stdout
        (tmp_path / "v" / "kept").touch(exist_ok=True)
    assert (tmp_path / "v" / "kept").exists()  # a sound one is left alone


@pytest.mark.parametrize("command, told", [
    (["tools.setup", "instal"], "The action is one of lab, test, wheels; got 'instal'."),
    (["tools.reset", "3"], "Say which one: make reset NOTEBOOK=03.")])
def test_set_up_and_reset_run_before_anything_is_installed(command, told):
    done = subprocess.run([sys.executable, "-S", "-m", *command], cwd=ROOT, check=False,
                          capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith(told)

"""Eight learners run 01 to 03 at once on a JupyterHub on this machine: a table in Markdown.

Needs jupyterhub in this environment and configurable-http-proxy (from npm) on the path.
"""

import importlib.util
import json
import os
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import websocket

from tests.benchmarks.bench_memory import private
from tools import ROOT
from tools.notebooks import FOLDER, code_cells, paths, read

LEARNERS = [f"learner{n}" for n in range(8)]
NUMBERS = "01", "02", "03"
PATIENCE = 900  # seconds for one cell; eight learners share few cores
CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{ports[0]}"
c.JupyterHub.hub_port = {ports[1]}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = "{token}"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{home}/{{username}}"
c.Spawner.args = ["--allow-root"]
c.Spawner.http_timeout = c.Spawner.start_timeout = 300
c.Spawner.environment = {{"OMP_NUM_THREADS": "1", "PYTHONPATH": "{root}"}}
c.JupyterHub.services = [{{"name": "bench", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [{{"name": "bench", "services": ["bench"],
                           "scopes": ["admin:users", "admin:servers", "access:servers"]}}]
"""


class Hub:
    """What the benchmark asks a running hub."""

    def __init__(self, port, token):
        self.base, self.headers = f"http://127.0.0.1:{port}", {"Authorization": f"token {token}"}

    def ask(self, path, method="GET", body=None):
        """The JSON that an address answers, or None."""
        request = urllib.request.Request(self.base + path, method=method, headers=self.headers,
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=300) as answer:
            return json.loads(answer.read() or b"null")

    def begin(self, user):
        """Make a user and start their server."""
        self.ask(f"/hub/api/users/{user}", "POST")
        self.ask(f"/hub/api/users/{user}/server", "POST", {})
        until(lambda: self.ask(f"/hub/api/users/{user}")["servers"][""]["ready"])

    def run(self, user, cells, state):
        """Run cells in a new kernel: (MB that it has alone, errors)."""
        kernel = self.ask(f"/user/{user}/api/kernels", "POST", {"path": "notebooks"})["id"]
        address = f"ws{self.base[4:]}/user/{user}/api/kernels/{kernel}/channels"
        channel = websocket.create_connection(address, PATIENCE, header=self.headers)
        begin = (f"import os\nos.environ['MNIST_COMPRESS_STATE'] = {state!r}\n"
                 f"os.chdir({str(FOLDER)!r})")
        failed = [said for cell in [begin, *cells] if (said := execute(channel, cell))]
        memory = private(execute(channel, "", "os.getpid()"))
        channel.close()
        self.ask(f"/user/{user}/api/kernels/{kernel}", "DELETE")
        return memory, failed


def execute(channel, code, wanted=""):
    """What a cell's error says, or no text; or what an expression is."""
    name = uuid.uuid4().hex
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False,
               "stop_on_error": True, "user_expressions": {"wanted": wanted} if wanted else {}}
    header = {"msg_id": name, "msg_type": "execute_request", "session": name, "username": "",
              "version": "5.3", "date": ""}
    channel.send(json.dumps({"channel": "shell", "header": header, "parent_header": {},
                             "metadata": {}, "content": content}))
    while True:
        frame = channel.recv()
        said = json.loads(frame) if isinstance(frame, str) else {"parent_header": {}}  # a picture
        if said["parent_header"].get("msg_id") == name and said["msg_type"] == "execute_reply":
            if wanted:
                return said["content"]["user_expressions"]["wanted"]["data"]["text/plain"]
            return said["content"].get("evalue", "")


def until(true, seconds=300):
    """Wait until it is true."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"nothing within {seconds} s")
        time.sleep(0.5)


def answers(hub):
    try:
        return hub.ask("/hub/api/")
    except OSError:
        return None


def learn(hub, user):
    """One learner's hour: [(MB, errors)] of the notebooks, one open at a time."""
    hub.begin(user)
    with tempfile.TemporaryDirectory() as state:
        return [hub.run(user, [cell.source for cell in code_cells(read(path))], state)
                for path in paths(*NUMBERS)]


def main():
    if not importlib.util.find_spec("jupyterhub") or not shutil.which("configurable-http-proxy"):
        print("There is no jupyterhub or no configurable-http-proxy here: not measured.")
        return 0
    with tempfile.TemporaryDirectory() as home:
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
        ports, token = [each.getsockname()[1] for each in sockets], secrets.token_hex(32)
        [each.close() for each in sockets]
        Path(home, "config.py").write_text(CONFIG.format(**locals(), root=ROOT), "utf-8")
        [Path(home, user).mkdir() for user in LEARNERS]
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", "config.py"], cwd=home,
            stdout=subprocess.DEVNULL, stderr=open(os.environ.get("HUB_LOG", os.devnull), "wb"))
        try:
            hub = Hub(ports[0], token)
            until(lambda: answers(hub))
            began = time.monotonic()
            with ThreadPoolExecutor(len(LEARNERS)) as pool:
                done = list(pool.map(lambda user: learn(hub, user), LEARNERS))
            taken = time.monotonic() - began
            [hub.ask(f"/hub/api/users/{user}/server", "DELETE") for user in LEARNERS]
        finally:
            process.terminate()
            process.wait(60)
    print(f"## A class on one machine\n\n{len(LEARNERS)} learners at once, {taken:.0f} s.\n\n"
          "| notebook | runs without an error | MB private, median | most |\n|---|---|---|---|")
    for number, *runs in zip(NUMBERS, *done, strict=True):
        memory = [each for each, _ in runs]
        print(f"| {number} | {sum(not failed for _, failed in runs)} of {len(runs)} "
              f"| {statistics.median(memory):.0f} | {max(memory):.0f} |")
    failed = [text for runs in done for _, errors in runs for text in errors]
    print("".join(f"\n- {text[:200]}" for text in failed))
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())

"""A small web server on this machine that answers well, badly, or not at all."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        _, manner, name = self.path.split("/")
        self.server.asked.append(f"{manner}/{name}")
        getattr(self, manner)(self.server.files[name])

    def send(self, content, announced=None):
        self.send_response(200)
        self.send_header("Content-Length", str(announced or len(content)))
        self.end_headers()
        self.wfile.write(content)

    def good(self, content):
        self.send(content)

    def half(self, content):  # announced as what it is
        self.send(content[: len(content) // 2])

    def cut(self, content):  # the line drops
        self.send(content[: len(content) // 2], announced=len(content))

    def garbage(self, content):  # as a hotel's login page
        self.send(b"<html>Please log in</html>")

    def missing(self, content):
        self.send_error(404)

    def silence(self, content):
        self.server.over.wait()

    def stall(self, content):
        self.send(content[:1000], announced=len(content))
        self.wfile.flush()
        self.server.over.wait()

    def trickle(self, content):
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):
            while not self.server.over.wait(0.02):
                self.wfile.write(b"\0")

    def slow(self, content):  # it takes a while, and yet the bytes come
        self.send(content[:1], announced=len(content))
        for start in range(1, len(content), 2000):
            self.server.over.wait(0.05)
            self.wfile.write(content[start:start + 2000])

    def endless(self, content):
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):  # until the other side has enough
            while True:
                self.wfile.write(bytes(2**16))

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def serve(files):
    """Serve {name: bytes}; `server.url + "half/"` is a mirror that answers in the manner "half"."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.files, server.asked, server.over = files, [], threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        thread.join()
        server.server_close()

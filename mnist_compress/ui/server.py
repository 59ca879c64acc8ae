"""What runs in Jupyter's server: an answer of a kernel goes to the browser at once.

Without this, a small answer waits until the browser's system has confirmed the one before, which
Linux puts off for 40 ms (Nagle's algorithm and delayed acknowledgements).
"""


def _jupyter_server_extension_points():
    return [{"module": __name__}]


def _load_jupyter_server_extension(server):
    class Quick(server.kernel_websocket_connection_class):
        """A connection to a kernel whose socket waits for nothing."""

        def connect(self):
            self.websocket_handler.set_nodelay(True)
            return super().connect()

    server.kernel_websocket_connection_class = Quick
    server.web_app.settings["kernel_websocket_connection_class"] = Quick

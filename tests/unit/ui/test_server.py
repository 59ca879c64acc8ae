"""Small answers are sent at once."""

from jupyter_server.extension.manager import ExtensionPoint
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

from mnist_compress.ui import server


class Server:
    """As much of Jupyter's server as an extension may change."""

    kernel_websocket_connection_class = ZMQChannelsWebsocketConnection

    class web_app:
        settings = {}  # noqa: RUF012


def test_small_answers_are_sent_at_once(monkeypatch):
    (point,) = server._jupyter_server_extension_points()
    assert ExtensionPoint(metadata=point).module is server
    server._load_jupyter_server_extension(Server)
    quick = Server.kernel_websocket_connection_class
    assert quick is Server.web_app.settings["kernel_websocket_connection_class"]
    assert issubclass(quick, ZMQChannelsWebsocketConnection)

    asked = []

    class Handler:
        set_nodelay = staticmethod(asked.append)

    monkeypatch.setattr(ZMQChannelsWebsocketConnection, "connect", lambda self: "connected")
    monkeypatch.setattr(quick, "websocket_handler", Handler, raising=False)
    assert quick.__new__(quick).connect() == "connected"
    assert asked == [True]

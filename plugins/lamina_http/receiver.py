"""A small server that takes the models which TensorFlow.js saves to its address, from a page or from Node.js."""

from __future__ import annotations

import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

from lamina.contract.io import ModelArtifacts, SaveResult
from lamina.errors import LaminaError
from lamina.io import Address, Limits, save_artifacts
from lamina_http.forms import receive

_SECONDS_PER_WAIT: Final = 30.0
_CHUNK: Final = 1 << 20
_MOST_DISCARDED: Final = 16 << 20


class ModelReceiver:
    """Saves each model that is posted to ``url`` to an address of lamina, as long as the block lasts.

    ``address`` is what ``save`` takes: a path, ``memory://name``, or ``lamina.io.with_save_handler(function)`` to be
    handed the artifacts. A model that comes later takes the place of the one before. ``host`` is the loopback unless
    another is given: whoever reaches the server may replace the model. Port 0 is a free one. ``path`` is where models
    are taken, ``max_bytes`` bounds a request, ``limits`` the JSON in it. Pages may save here only if they are of the
    origin that ``allow_origin`` names, such as ``"http://localhost:8080"``, or of any if it is ``"*"``; programs that
    are no browsers name no origin, and may.

    A request that is too large, no form of TensorFlow.js, or a model that breaks the rules for files is answered with
    a status from 400 to 413 and the reason; it changes nothing. ``count`` is how many models were saved, ``last`` the
    record of the newest.

    >>> import lamina
    >>> from lamina_http.receiver import ModelReceiver
    >>> with ModelReceiver("memory://received") as receiver:
    ...     receiver.url.startswith("http://127.0.0.1:")
    True
    """

    def __init__(
        self,
        address: Address,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        path: str = "/",
        max_bytes: int = 1 << 30,
        limits: Limits | None = None,
        allow_origin: str | None = None,
    ) -> None:
        self.address = address
        self.path = path
        self.max_bytes = max_bytes
        self.limits = limits
        self.allow_origin = allow_origin
        self.count: int = 0
        self.last: SaveResult | None = None
        self._place = (host, port)
        self._saving = threading.Lock()

    def __enter__(self) -> ModelReceiver:
        self._server = _Server(self._place, self)
        self._thread = threading.Thread(target=self._server.serve_forever, name="lamina-receiver", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The URL that models are saved to: ``model.save(url)`` in TensorFlow.js and in lamina."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}{self.path}"

    def save(self, artifacts: ModelArtifacts) -> None:
        """Saves a model that came, one at a time. Raises what the address's handler raises."""
        with self._saving:
            self.last = save_artifacts(self.address, artifacts)
            self.count += 1

    def takes_from(self, origin: str | None) -> bool:
        """Whether a request may save here, by the origin that a browser says its page has; others say None."""
        return origin is None or self.allow_origin in ("*", origin)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, place: tuple[str, int], receiver: ModelReceiver) -> None:
        self.receiver = receiver
        super().__init__(place, _Request)


class _Request(BaseHTTPRequestHandler):
    """One request. Nothing is logged; the body is read only once its size is known to be allowed."""

    server: _Server
    timeout = _SECONDS_PER_WAIT

    def do_POST(self) -> None:
        receiver = self.server.receiver
        text = self.headers.get("Content-Length", "")
        length = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None
        if urlsplit(self.path).path != receiver.path:
            self._refuse(404, "no models are taken here.", length)
        elif not receiver.takes_from(self.headers.get("Origin")):
            self._refuse(403, "pages of that origin may not save here.", length)
        elif length is None:
            self._refuse(411, "the request does not say its length.", length)
        elif length > receiver.max_bytes:
            self._refuse(413, f"the request has more than {receiver.max_bytes} bytes.", length)
        else:
            self._take(length)

    do_PUT = do_POST

    def do_OPTIONS(self) -> None:
        """A page asks whether it may: what it may say is in the headers of every answer."""
        self._answer(204, "")

    def _take(self, length: int) -> None:
        receiver = self.server.receiver
        try:
            content_type = self.headers.get("Content-Type", "")
            artifacts = receive(self._body(length), content_type, limits=receiver.limits)
        except (LaminaError, OSError) as error:
            self._answer(400, str(error))
            return
        try:
            receiver.save(artifacts)
        except BaseException:
            self._answer(500, "the model could not be saved.")
            raise
        self._answer(200, "saved")

    def _body(self, length: int) -> bytearray:
        """The body, in memory as it comes: a request that only announces much takes up little."""
        body = bytearray()
        while len(body) < length:
            part = self.rfile.read(min(_CHUNK, length - len(body)))
            if not part:
                raise OSError("the request did not come whole")
            body += part
        return body

    def _refuse(self, status: int, text: str, length: int | None) -> None:
        """Reads a body of moderate size and throws it away, for clients listen only when they have sent all."""
        left = min(length or 0, _MOST_DISCARDED)
        with suppress(OSError):  # who stops sending gets the answer at once
            while left and (part := self.rfile.read(min(_CHUNK, left))):
                left -= len(part)
        self._answer(status, text)

    def _answer(self, status: int, text: str) -> None:
        data = text.encode("utf-8", "replace")
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("X-Content-Type-Options", "nosniff")
        origin = self.server.receiver.allow_origin
        if origin is not None:
            self.send_header("Access-Control-Allow-Origin", origin)
            self.send_header("Access-Control-Allow-Methods", "POST, PUT")
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if status != 204:
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass

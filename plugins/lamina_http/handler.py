"""The handler of a model behind a URL, in the way of TensorFlow.js: two parts are posted, several files are fetched.

A single file, such as ``https://example.org/m.keras``, is fetched with one GET and sent with one PUT.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from lamina.contract.io import Bytes, ModelArtifacts, SaveResult
from lamina.errors import ArgumentError, UnsafeModelError
from lamina.io import Limits, ModelJson, decode_model_json, describe, encode_model_json
from lamina.io.checks import limits_in_force, shown_address
from lamina.io.fetching import fetch_files
from lamina.io.progress import OnProgress, Progress
from lamina.io.weights import spans, stored_bytes
from lamina_http.connection import Connection

_WEIGHTS_FILE: Final = "model.weights.bin"
_CHUNK: Final = 1 << 16


class HttpHandler:
    """A model that is saved with one request, and loaded from its ``model.json`` and the weight files it names.

    ``headers`` go to the address's own server only. ``method`` is how artifacts are sent: POST, or PUT. ``timeout`` is
    in seconds, for each wait; None waits for ever. ``max_bytes`` bounds the weights, or the single file, to load.

    Weight files are fetched from where the address has its last ``/``, with the address's query, if it has one.
    ``weight_path_prefix`` takes the place of the part before them; ``weight_url_converter`` is called with each file's
    path and gives its whole URL. ``on_progress`` is called with the share of weight bytes that has come or gone.

    >>> HttpHandler("https://example.org/digits/model.json", timeout=5.0).address
    'https://example.org/digits/model.json'
    """

    def __init__(
        self,
        address: str,
        *,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
        timeout: float | None = 30.0,
        max_bytes: int = 4 << 30,
        limits: Limits | None = None,
        weight_path_prefix: str | None = None,
        weight_url_converter: Callable[[str], str] | None = None,
        on_progress: OnProgress | None = None,
    ) -> None:
        if method not in ("POST", "PUT"):
            raise ArgumentError(f"method is {method!r}.", expected="'POST' or 'PUT'.")
        self.address = address
        self._connection = Connection(address, headers, timeout)
        self._method = method
        self._limits = limits_in_force(limits)
        self._max_bytes = min(max_bytes, self._limits.file_bytes or max_bytes)
        self._url_of = weight_url_converter or _beside(address, weight_path_prefix)
        self._on_progress = on_progress
        self._where = shown_address(address)

    def save(self, artifacts: ModelArtifacts) -> SaveResult:
        """Sends the model as one multipart form with the files ``model.json`` and ``model.weights.bin``.

        Raises UnsafeModelError or SerializationError if the model could not be read again, ModelFileError if the
        server cannot be reached or answers with another status than 2xx.
        """
        where = f"the model to save to {self._where}"
        data = memoryview(artifacts.weight_data).cast("B")
        spans(artifacts.weight_specs, data, where)
        document = encode_model_json(artifacts, [f"./{_WEIGHTS_FILE}"] if data else [], where)
        progress = Progress(self._on_progress, len(data))
        files: dict[str, tuple[str, Any, str]] = {"model.json": ("model.json", document, "application/json")}
        if data:
            files[_WEIGHTS_FILE] = (_WEIGHTS_FILE, _Reader(data, progress), "application/octet-stream")
        self._connection.send(self._method, files=files)
        progress.finish()
        return describe(self.address, artifacts)

    def load(self) -> ModelArtifacts:
        """Fetches the model.

        Raises ModelNotFoundError if the server has none or a weight file is missing, UnsafeModelError if it oversteps
        its bounds, ModelFileError if the server cannot be reached or answers otherwise.
        """
        with self._connection.client() as client:
            text = self._connection.fetch(client, self.address, self._limits.json_bytes)
            document = decode_model_json(text, self._where, self._limits)
            data = self._weights(client, document)
        spans(document.artifacts.weight_specs, memoryview(data), self._where)
        return replace(document.artifacts, weight_data=data)

    def _weights(self, client: Any, document: ModelJson) -> bytearray:
        needed, is_all = stored_bytes(document.artifacts.weight_specs)
        if needed > self._max_bytes:
            raise UnsafeModelError(
                f"{self._where} has weights of {needed} bytes.", expected=f"at most {self._max_bytes}, max_bytes."
            )
        most = needed if is_all else self._max_bytes
        progress = Progress(self._on_progress, needed)
        urls = [self._url_of(path) for group in document.groups for path in group.paths]
        data = fetch_files(urls, partial(self._connection.fetch, client), most, progress.add)
        progress.finish()
        return data

    def read_file(self) -> memoryview:
        """Fetches the single file at the address. Raises what ``load`` does."""
        with self._connection.client() as client:
            return memoryview(self._connection.fetch(client, self.address, self._max_bytes))

    def write_file(self, parts: Sequence[Bytes]) -> None:
        """Sends a single file with PUT. Raises ModelFileError as ``save`` does."""
        views = [memoryview(part).cast("B") for part in parts]
        total = sum(map(len, views))
        progress = Progress(self._on_progress, total)
        headers = {"Content-Length": str(total), "Content-Type": "application/octet-stream"}
        self._connection.send("PUT", headers, content=_Parts(views, progress))
        progress.finish()


def _beside(address: str, prefix: str | None) -> Callable[[str], str]:
    """From the path of a weight file to its URL."""
    url = urlsplit(address)
    folder = url._replace(path=url.path[: url.path.rfind("/") + 1] or "/", query="", fragment="")
    query = f"?{url.query}" if url.query else ""
    before = urlunsplit(folder) if prefix is None else prefix
    return lambda path: f"{before}{path}{query}"


class _Parts:
    """Bytes to send, piece by piece; they can be sent again, after a redirect."""

    def __init__(self, views: Sequence[memoryview], progress: Progress) -> None:
        self._views = views
        self._progress = progress

    def __iter__(self) -> Iterator[bytes]:
        for view in self._views:
            for start in range(0, len(view), _CHUNK):
                piece = bytes(view[start : start + _CHUNK])
                yield piece
                self._progress.add(len(piece))


class _Reader:
    """Bytes as the file of a form. They are not copied as a whole."""

    def __init__(self, data: memoryview, progress: Progress) -> None:
        self._data = data
        self._progress = progress
        self._at = 0

    def read(self, count: int) -> bytes:
        piece = bytes(self._data[self._at : self._at + count])
        self._at += len(piece)
        self._progress.add(len(piece))
        return piece

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + (len(self._data) if whence == os.SEEK_END else 0)
        return self._at

    def tell(self) -> int:
        return self._at

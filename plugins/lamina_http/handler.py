"""The handler of a model behind a URL, in the way of TensorFlow.js: two parts are posted, several files are fetched.

Nothing that an answer says is trusted: sizes are bounded while reading, redirects keep the scheme's safety, and
headers given for one server never reach another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urljoin

import httpx

from lamina.contract.io import ModelArtifacts, SaveResult
from lamina.errors import ArgumentError, ModelFileError, ModelNotFoundError, UnsafeModelError
from lamina.io import Limits, WeightGroup, decode_model_json, decode_weights, describe, encode_model_json

_WEIGHTS_FILE: Final = "model.weights.bin"
_MOST_REDIRECTS: Final = 5
_MISSING: Final = (404, 410)


class HttpHandler:
    """A model that is saved with one request, and loaded from its ``model.json`` and the weight files it names.

    ``headers`` go to the address's own server only. ``timeout`` is in seconds, for each wait. ``max_bytes`` bounds the
    weights of a model to load. ``weight_path_prefix`` is the URL that weight files are below, if not beside the
    ``model.json``. ``on_progress`` is called with the share of weight bytes that has come, from 0 to 1.

    >>> HttpHandler("https://example.org/digits/model.json", timeout=5.0).address
    'https://example.org/digits/model.json'
    """

    def __init__(
        self,
        address: str,
        *,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
        timeout: float = 30.0,
        max_bytes: int = 4 << 30,
        limits: Limits | None = None,
        weight_path_prefix: str | None = None,
        on_progress: Callable[[float], Any] | None = None,
    ) -> None:
        url = httpx.URL(address)
        if url.scheme not in ("http", "https") or not url.host:
            raise ArgumentError(f"{address!r} is no address of a server.", expected="http:// or https:// and a host.")
        if method not in ("POST", "PUT"):
            raise ArgumentError(f"method is {method!r}.", expected="'POST' or 'PUT'.")
        self.address = address
        self._url = url
        self._headers = dict(headers or {})
        self._method = method
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._limits = limits or Limits()
        self._prefix = weight_path_prefix
        self._on_progress = on_progress or (lambda share: None)

    def save(self, artifacts: ModelArtifacts) -> SaveResult:
        """Sends the model as one multipart form with the files ``model.json`` and ``model.weights.bin``.

        Raises UnsafeModelError or SerializationError if the model could not be read again, ModelFileError if the
        server cannot be reached or answers with another status than 2xx.
        """
        where = f"the model to save to {self.address!r}"
        data = bytes(artifacts.weight_data)
        decode_weights(artifacts.weight_specs, data, where)
        document = encode_model_json(artifacts, [_WEIGHTS_FILE] if data else [], where)
        files = {"model.json": ("model.json", document, "application/json")}
        if data:
            files[_WEIGHTS_FILE] = (_WEIGHTS_FILE, data, "application/octet-stream")
        with self._client() as client, self._told(self.address):
            answer = client.request(self._method, self._url, files=files)
        if not answer.is_success:
            raise ModelFileError(f"{self.address!r} did not take the model: HTTP status {answer.status_code}.")
        return describe(self.address, artifacts)

    def load(self) -> ModelArtifacts:
        """Fetches the model.

        Raises ModelNotFoundError if the server has none or a weight file is missing, UnsafeModelError if it oversteps
        its bounds, ModelFileError if the server cannot be reached or answers otherwise.
        """
        with self._client() as client:
            text, url = self._fetched(client, self.address, self._limits.json_bytes)
            document = decode_model_json(text, repr(self.address), self._limits)
            data = self._weights(client, document.groups, self._prefix or url)
        specs = document.artifacts.weight_specs
        decode_weights(specs, data, repr(self.address))
        return replace(document.artifacts, weight_data=data)

    def _weights(self, client: httpx.Client, groups: Sequence[WeightGroup], base: str) -> bytearray:
        data = bytearray()
        paths = [path for group in groups for path in group.paths]
        for number, path in enumerate(paths, 1):
            data += self._fetched(client, urljoin(base, path), self._max_bytes - len(data))[0]
            self._on_progress(number / len(paths))
        return data

    def _fetched(self, client: httpx.Client, url: str, most: int) -> tuple[bytearray, str]:
        """The body behind a URL, at most so many bytes, and the URL after redirects."""
        data = bytearray()
        with self._told(url), client.stream("GET", url) as answer:
            if answer.status_code in _MISSING:
                raise ModelNotFoundError(f"there is nothing at {url!r}: HTTP status {answer.status_code}.")
            if not answer.is_success:
                raise ModelFileError(f"{url!r} answered with HTTP status {answer.status_code}.", expected="2xx.")
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise UnsafeModelError(f"{url!r} answered in packed form.", expected="plain bytes, as asked for.")
            for part in answer.iter_raw():
                data += part
                if len(data) > most:
                    raise UnsafeModelError(f"{url!r} sent more than {most} bytes.", fix="raise max_bytes or limits.")
            return data, str(answer.url)

    def _client(self) -> httpx.Client:
        return httpx.Client(
            headers={"Accept-Encoding": "identity"},
            timeout=self._timeout,
            follow_redirects=True,
            max_redirects=_MOST_REDIRECTS,
            event_hooks={"request": [self._guard]},
        )

    def _guard(self, request: httpx.Request) -> None:
        """Every request passes here, those of redirects too."""
        if request.url.scheme not in ("http", "https") or (self._url.scheme, request.url.scheme) == ("https", "http"):
            raise UnsafeModelError(
                f"{self.address!r} leads to {str(request.url)!r}.", expected="no less safe a scheme."
            )
        if (request.url.scheme, request.url.host, request.url.port) == (
            self._url.scheme,
            self._url.host,
            self._url.port,
        ):
            request.headers.update(self._headers)
        else:
            for name in self._headers:
                request.headers.pop(name, None)

    @contextmanager
    def _told(self, url: str) -> Iterator[None]:
        """Failures of the connection as errors of ours."""
        try:
            yield
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ModelFileError(
                f"{url!r} cannot be reached: {error or type(error).__name__}.", fix="see that the server runs."
            ) from error

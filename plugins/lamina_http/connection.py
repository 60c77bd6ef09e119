"""Requests to the server of one address. Nothing that an answer says is trusted.

Bodies are bounded while reading, redirects never lead to a less safe scheme, headers given for one server reach no
other, and errors show neither passwords nor queries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import httpx

from lamina.errors import ArgumentError, ModelFileError, ModelNotFoundError, UnsafeModelError
from lamina.io.checks import shown_address

_MOST_REDIRECTS: Final = 5
_MISSING: Final = (404, 410)


class Connection:
    """What can be asked of an address's server. Nothing is opened until something is."""

    def __init__(self, address: str, headers: Mapping[str, str] | None, timeout: float | None) -> None:
        try:
            self._url = httpx.URL(address)
        except httpx.InvalidURL:  # of which no part may be shown: who knows where a password ends in it
            raise ArgumentError("the address is no URL.", expected="https:// and a host and a path.") from None
        if self._url.scheme not in ("http", "https") or not self._url.host:
            raise ArgumentError(
                f"{shown_address(address)} is no address of a server.", expected="http:// or https:// and a host."
            )
        self._where = shown_address(address)
        self._headers = dict(headers or {})
        self._timeout = timeout

    def fetch(
        self,
        client: httpx.Client,
        url: str,
        most: int,
        into: bytearray | None = None,
        arrived: Callable[[int], Any] = lambda count: None,
    ) -> bytearray:
        """The body behind a URL, at most so many bytes, after those of ``into``.

        ``arrived`` is called with the length of each part. Raises ModelNotFoundError, ModelFileError if the server does
        not answer with 2xx, UnsafeModelError if the body is too long or packed.
        """
        data = bytearray() if into is None else into
        end = len(data) + most
        where = shown_address(url)
        with _told(where), client.stream("GET", url) as answer:
            if answer.status_code in _MISSING:
                raise ModelNotFoundError(f"there is nothing at {where}: HTTP status {answer.status_code}.")
            if not answer.is_success:
                raise ModelFileError(f"{where} answered with HTTP status {answer.status_code}.", expected="2xx.")
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise UnsafeModelError(f"{where} answered in packed form.", expected="plain bytes, as asked for.")
            for part in answer.iter_raw():
                if len(data) + len(part) > end:
                    raise UnsafeModelError(f"{where} sent more than {most} bytes.", expected="no more than that.")
                data += part
                arrived(len(part))
        return data

    def send(self, method: str, headers: Mapping[str, str] | None = None, **body: Any) -> None:
        """Sends a body to the address. Raises ModelFileError if the answer's status is no 2xx."""
        with self.client() as client, _told(self._where):
            answer = client.request(method, self._url, headers=dict(headers or {}), **body)
        if not answer.is_success:
            raise ModelFileError(f"{self._where} did not take the model: HTTP status {answer.status_code}.")

    def client(self) -> httpx.Client:
        """A client for one or more requests, to be closed after them."""
        return httpx.Client(
            headers={"Accept-Encoding": "identity"},
            timeout=self._timeout,
            follow_redirects=True,
            max_redirects=_MOST_REDIRECTS,
            event_hooks={"request": [self._guard]},
        )

    def _guard(self, request: httpx.Request) -> None:
        """Every request passes here, those of redirects too."""
        to, own = request.url, self._url
        if to.scheme not in ("http", "https") or (own.scheme, to.scheme) == ("https", "http"):
            raise UnsafeModelError(
                f"{self._where} leads to {shown_address(str(to))}.", expected="no less safe a scheme."
            )
        if (to.scheme, to.host, to.port) == (own.scheme, own.host, own.port):
            request.headers.update(self._headers)
        else:
            for name in self._headers:
                request.headers.pop(name, None)


@contextmanager
def _told(where: str) -> Iterator[None]:
    """Failures of the connection as errors of ours."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise ModelFileError(
            f"{where} cannot be reached: {error or type(error).__name__}.", fix="see that the server runs."
        ) from error

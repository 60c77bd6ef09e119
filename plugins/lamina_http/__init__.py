"""Models over HTTP: ``http://`` and ``https://`` addresses. Importing this module imports no HTTP library."""

from __future__ import annotations

from collections.abc import Iterable

from lamina.contract import Provides, hookimpl


@hookimpl
def lamina_io_handlers() -> Iterable[Provides]:
    return [
        Provides(scheme, "lamina_http.handler:HttpHandler", needs="httpx", install="pip install 'lamina[http]'")
        for scheme in ("http", "https")
    ]

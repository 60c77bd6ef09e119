"""Models at addresses that fsspec knows: s3://, gs://, hf:// and so on. Importing this module imports no fsspec."""

from __future__ import annotations

from collections.abc import Iterable

from lamina.contract import Provides, hookimpl
from lamina_remote.schemes import LIBRARIES, install


@hookimpl
def lamina_io_handlers() -> Iterable[Provides]:
    target = "lamina_remote.handler:RemoteHandler"
    return [Provides(scheme, target, needs="fsspec", install=install(scheme)) for scheme in LIBRARIES]

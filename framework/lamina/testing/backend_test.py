"""The conformance kit on any backend: ``pytest --pyargs lamina.testing --lamina-backend=mine`` from any folder."""

from __future__ import annotations

import os
from typing import ClassVar

from lamina.testing.base import Limitation, limitations_of
from lamina.testing.conformance import BackendConformance


class TestBackend(BackendConformance):
    """All of the kit; what the backend says that it cannot do is expected to fail."""

    backend_name: ClassVar[str] = os.environ.get("LAMINA_TESTED_BACKEND", "numpy")
    device: ClassVar[str | None] = os.environ.get("LAMINA_TESTED_DEVICE") or None
    limitations: ClassVar[tuple[Limitation, ...]] = limitations_of(backend_name, device)

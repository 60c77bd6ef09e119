"""The conformance kit on any backend: ``pytest --pyargs lamina.testing --lamina-backend=mine`` from any folder."""

from __future__ import annotations

import os

from lamina.testing.base import limitations_of
from lamina.testing.conformance import BackendConformance


class TestBackend(BackendConformance):
    """All of the kit; what the backend says that it cannot do is expected to fail."""

    backend_name = os.environ.get("LAMINA_TESTED_BACKEND", "numpy")
    device = os.environ.get("LAMINA_TESTED_DEVICE") or None
    limitations = limitations_of(backend_name, device)

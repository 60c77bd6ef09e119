"""The conformance kit on PyTorch, where it is installed."""

from __future__ import annotations

from lamina.testing import BackendConformance, require_backend

require_backend("torch")


class TestTorch(BackendConformance):
    backend_name = "torch"

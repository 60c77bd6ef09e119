"""The conformance kit on PyTorch, where it is installed."""

from __future__ import annotations

from lamina.testing import BackendConformance, Limitation, require_backend

require_backend("torch")


class TestTorch(BackendConformance):
    backend_name = "torch"
    limitations = (Limitation("*", "string", "PyTorch has no arrays of strings"),)

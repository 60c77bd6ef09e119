"""The conformance kit on NumPy."""

from __future__ import annotations

from lamina.testing import BackendConformance


class TestNumPy(BackendConformance):
    backend_name = "numpy"

"""The conformance kit on CuPy, where there is a device."""

from __future__ import annotations

from lamina.testing import BackendConformance, Limitation, require_backend

require_backend("cupy")


class TestCuPy(BackendConformance):
    backend_name = "cupy"
    limitations = (Limitation("*", "bfloat16", "CuPy has no bfloat16"),)

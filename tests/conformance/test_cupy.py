"""The conformance kit on CuPy, where there is a device."""

from __future__ import annotations

from lamina.testing import BackendConformance, limitations_of, require_backend

require_backend("cupy")


class TestCuPy(BackendConformance):
    backend_name = "cupy"
    limitations = limitations_of("cupy")

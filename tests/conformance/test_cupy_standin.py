"""The conformance kit on the code of the CuPy backend over a stand-in for CuPy. Not a pass of CuPy."""

from __future__ import annotations

import pytest

from cupy_standin import raw
from lamina.runtime.backends import find_backend
from lamina.testing import BackendConformance, limitations_of

if raw.COMPILER is None:
    pytest.skip("no C++ compiler to build the CuPy backend's kernels for the host", allow_module_level=True)
find_backend("cupy_standin")  # if the backend's code does not load, that is an error and no reason to skip


class TestCuPyStandIn(BackendConformance):
    backend_name = "cupy_standin"
    limitations = limitations_of("cupy_standin")

"""Shared by all tests: the conformance report, the random stream, and the backends that tests bring themselves."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

import pytest

import lamina
from lamina.contract import Provides, hookimpl
from lamina.plugins import plugins

pytest_plugins = ["lamina.testing.report", "pytester"]


class StrictPlugin:
    """Offers ``array_api_strict``: a namespace that has the Array API standard and nothing else."""

    @hookimpl
    def lamina_backends(self) -> Iterable[Provides]:
        needs, install = "array_api_strict", "pip install array-api-strict"
        return [Provides("array_api_strict", "strict_backend:StrictBackend", needs=needs, install=install)]


class StandInPlugin:
    """Offers ``cupy_standin``: the CuPy backend over NumPy, which behaves as CuPy does and is not CuPy."""

    @hookimpl
    def lamina_backends(self) -> Iterable[Provides]:
        return [Provides("cupy_standin", "cupy_standin.backend:StandInBackend")]


def pytest_configure(config: Any) -> None:
    plugins().add(StrictPlugin(), "array_api_strict")
    plugins().add(StandInPlugin(), "cupy_standin")


@pytest.fixture(autouse=True)
def random_stream(request: pytest.FixtureRequest) -> None:
    """A stream for each test that begins at its name, so that what it draws hangs on no other test."""
    lamina.random.set_seed(zlib.crc32(request.node.nodeid.encode()) >> 1)

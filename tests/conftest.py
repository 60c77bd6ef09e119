"""Shared by all tests: the conformance report, and the backend that tests bring themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

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

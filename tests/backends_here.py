"""The backends whose libraries are installed where the tests run."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import pytest

import lamina


def scope(name: str) -> AbstractContextManager[Any]:
    """``lamina.backend_scope(name)``; skips the test if the backend is not available."""
    missing = lamina.list_backends()[name]
    if missing is not None:
        pytest.skip(f"{name}: {missing}")
    return lamina.backend_scope(name)


def here(*names: str) -> list[str]:
    """Those of the backends that are available; skips the test if there are not two to compare."""
    missing = lamina.list_backends()
    found = [name for name in names if missing[name] is None]
    if len(found) < 2:
        pytest.skip(f"only {', '.join(found)} of {', '.join(names)}")
    return found

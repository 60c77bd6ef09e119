"""Tests with Keras itself, which warns of its own doings."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from interop.conftest import tfjs

__all__ = ["tfjs"]

sys.path.insert(0, str(Path(__file__).parent))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore"))

"""What the pages say of backends is what ``python docs/make_backend_tables.py`` writes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from backends_here import here

PAGES = ("backends.md", "kernels.md")


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    here("torch", "array_api_strict")
    path = Path(__file__).resolve().parents[3] / "docs" / "make_backend_tables.py"
    spec = importlib.util.spec_from_file_location("make_backend_tables", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_up_to_date(maker: ModuleType, name: str) -> None:
    made = {path.name: (path.read_text(encoding="utf-8"), text) for path, text in maker.pages()}
    old, new = made[name]
    assert old == new, f"run python docs/make_backend_tables.py: {name} is old"


def test_no_op_is_missing(maker: ModuleType) -> None:
    page = maker.kernels_page()
    assert "| missing | 0 | 0 | 0 | 0 |" in page
    assert "**missing**" not in page


def test_what_needs_a_device_is_not_said_of_cupy(maker: ModuleType) -> None:
    rows = [line.split(" | ") for line in maker.differences().splitlines()[2:]]
    asked = {row[0].strip("| "): row[3] for row in rows}
    assert {asked[question] for question in asked if question not in maker.READ_OFF_CODE} == {maker.NOT_ASKED}
    assert asked["dtypes that are missing"] == "bfloat16"

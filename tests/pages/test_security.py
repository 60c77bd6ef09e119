"""The page on files of strangers names tests, and limits, that there are."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path

from lamina.io import Limits

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")


def test_every_test_that_the_page_names_is_there():
    named = re.findall(r"`([a-z0-9_/]+\.py)::(\w+)`", PAGE)
    assert len(named) > 30
    for path, name in named:
        tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, f"{path}::{name}"


def test_every_attack_is_on_the_page():
    rows = set()
    for path in (ROOT / "tests/attacks").glob("test_*.py"):
        rows |= {letter.upper() for letter in re.findall(r"def test_([a-z])\d*_", path.read_text(encoding="utf-8"))}
    assert rows == set("TZHSPNR")
    for path in (ROOT / "tests/attacks").glob("test_*.py"):
        assert f"attacks/{path.name}::" in PAGE


def test_every_limit_is_on_the_page():
    assert [field.name for field in fields(Limits) if f"`{field.name}`" not in PAGE] == []

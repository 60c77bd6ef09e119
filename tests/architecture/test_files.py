"""Files stay small enough to read, and say what they are for."""

from __future__ import annotations

import ast

from architecture.sources import functions, modules, name, tree

SOURCES = ("framework", "backends", "plugins", "examples", "benchmarks")
LONGEST_MODULE = 400
LONGEST_FUNCTION = 60


def test_every_module_says_what_it_is_for():
    assert [name(p) for p in modules(*SOURCES, "tests") if ast.get_docstring(tree(p)) is None] == []


def test_no_module_is_too_long():
    lengths = {name(p): len(p.read_text(encoding="utf-8").splitlines()) for p in modules(*SOURCES)}
    assert {path: length for path, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_no_function_is_too_long():
    lengths = {f"{name(p)}:{f.name}": f.end_lineno - f.lineno + 1 for p in modules(*SOURCES) for f in functions(p)}
    assert {function: length for function, length in lengths.items() if length > LONGEST_FUNCTION} == {}

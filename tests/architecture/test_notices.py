"""Warnings point to the caller's line, and what is going away goes when it was said to."""

from __future__ import annotations

import ast

import lamina
from architecture.sources import ROOT, modules, name, tree
from lamina import notices

SOURCES = ("framework", "backends", "plugins")


def calls(path, function):
    """The calls in a file of a function of that name."""
    for node in ast.walk(tree(path)):
        called = node.func if isinstance(node, ast.Call) else None
        if getattr(called, "attr", getattr(called, "id", None)) == function:
            yield node


def test_every_warning_finds_the_callers_line():
    direct = {
        name(path)
        for path in modules(*SOURCES)
        for call in calls(path, "warn")
        if isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", None) == "warnings"
    }
    assert direct == {"framework/lamina/notices.py"}


def test_every_package_counts_as_laminas_own():
    there = {path.parent.name for folder in SOURCES for path in (ROOT / folder).glob("*/__init__.py")}
    assert there == notices._OURS


def test_nothing_stays_longer_than_was_said():
    def numbers(version):
        return tuple(int(part) for part in version.split(".")[:2])

    now = numbers(lamina.__version__)
    said = {
        f"{name(path)}:{call.lineno}": given.value
        for path in modules(*SOURCES)
        for function in ("going", "warn_going")
        for call in calls(path, function)
        for given in [*(k.value for k in call.keywords if k.arg == "goes"), *call.args[2:3]]
        if isinstance(given, ast.Constant)
    }
    assert {place: version for place, version in said.items() if numbers(version) <= now} == {}

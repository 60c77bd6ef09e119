"""Every public op, those of namespaces too, says what it computes, shows it, and names the errors it raises."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict

import pytest

import lamina
from architecture.sources import ROOT
from lamina import ops
from lamina.runtime.op import Op
from lamina.testing import all_cases

NAMESPACES = [name for name in ops.__all__ if inspect.ismodule(getattr(ops, name)) and name != "methods"]


def _functions(room):
    """The public functions of a namespace by name: those it lists, else those that are written in it."""
    listed = getattr(room, "__all__", None)
    names = listed or [n for n in vars(room) if not n.startswith("_")]
    found = {n: getattr(room, n) for n in names}
    home = "lamina.ops" if listed else room.__name__
    return {n: f for n, f in found.items() if _is_public(f) and inspect.unwrap(f).__module__.startswith(home)}


def _is_public(value):
    return value.public if isinstance(value, Op) else inspect.isfunction(value)


PUBLIC = {
    **_functions(ops),
    **{f"{room}.{n}": f for room in NAMESPACES for n, f in _functions(getattr(ops, room)).items()},
}
SAID_ONCE = {"ArgumentTypeError"}
"""What every function raises for a setting of the wrong kind: docs/ops.md says so for all."""


def _raised():
    """The errors that the kit's cases expect, by op or path."""
    found = defaultdict(set)
    for case in all_cases():
        if case.raises is not None:
            found[case.op].add(case.raises.__name__)
    return found


def test_every_registered_public_op_is_exported():
    shown = {id(function) for function in PUBLIC.values()}
    assert [name for name, op in ops.OPS.items() if op.public and id(op) not in shown] == []


def test_every_public_op_has_a_documentation_with_an_example():
    everything = {**{n: op for n, op in ops.OPS.items() if op.public}, **PUBLIC}
    assert [name for name, op in everything.items() if ">>> " not in (op.__doc__ or "")] == []


def test_first_lines_are_of_use():
    short = [n for n, f in PUBLIC.items() if len((inspect.getdoc(f) or "").partition("\n")[0].split()) < 3]
    assert short == []


def test_errors_that_cases_expect_are_named():
    raised, missing = _raised(), {}
    for name, function in PUBLIC.items():
        documentation = inspect.getdoc(function) or ""
        if re.search(r"([Rr]aises|[Ee]rrors) (as|are those of)\b", documentation):
            continue
        expected = raised[getattr(function, "name", name)] | raised[name]
        unnamed = sorted(e for e in expected - SAID_ONCE if e not in documentation)
        if unnamed:
            missing[name] = unnamed
    assert missing == {}


def test_what_is_said_once_is_said():
    head = (ROOT / "docs" / "ops.md").read_text(encoding="utf-8").partition("\n## ")[0]
    assert [name for name in SAID_ONCE if name not in head] == []


def test_namespaces_are_found():
    assert {"random", "strings"} <= set(NAMESPACES)
    assert "random.uniform" in PUBLIC


@pytest.mark.parametrize("name", [*NAMESPACES, "errors", "ops"])
def test_rooms_that_users_see_are_documented(name):
    assert getattr(lamina, name).__doc__

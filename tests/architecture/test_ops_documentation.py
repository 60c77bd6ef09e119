"""Every public op says what it computes and shows it."""

from __future__ import annotations

import inspect

import pytest

import lamina
from lamina import ops

PUBLIC = {n: getattr(ops, n) for n in ops.__all__ if callable(getattr(ops, n)) and not inspect.isclass(getattr(ops, n))}


def test_every_registered_public_op_is_exported():
    rooms = [ops, *(room for name in ops.__all__ if inspect.ismodule(room := getattr(ops, name)))]
    exported = {id(value) for room in rooms for value in vars(room).values()}
    assert [name for name, op in ops.OPS.items() if op.public and id(op) not in exported] == []


def test_every_public_op_has_a_documentation_with_an_example():
    everything = {**{n: op for n, op in ops.OPS.items() if op.public}, **PUBLIC}
    assert [name for name, op in everything.items() if ">>> " not in (op.__doc__ or "")] == []


def test_first_lines_are_of_use():
    short = [n for n, f in PUBLIC.items() if len((inspect.getdoc(f) or "").partition("\n")[0].split()) < 3]
    assert short == []


@pytest.mark.parametrize("name", ["random", "errors", "ops"])
def test_rooms_that_users_see_are_documented(name):
    assert getattr(lamina, name).__doc__

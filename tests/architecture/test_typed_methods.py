"""What type checkers are told of a tensor's methods is what ``lamina.ops.methods`` attaches."""

from __future__ import annotations

import inspect
from typing import assert_type

import lamina
from lamina import Tensor, Variable
from lamina.ops.methods import METHODS, method
from lamina.runtime.methods import Casts, Methods


def _typed() -> dict[str, inspect.Signature]:
    given = {**vars(Methods), **vars(Casts)}
    return {n: inspect.signature(f) for n, f in given.items() if inspect.isfunction(f)}


def test_the_typed_methods_are_the_attached_ones() -> None:
    assert tuple(sorted(n for n in _typed() if not n.startswith("__"))) == METHODS


def test_the_typed_parameters_are_those_of_the_ops() -> None:
    def shown(signature: inspect.Signature) -> list[tuple[str, object, object]]:
        return [(p.name, p.default, p.kind) for p in list(signature.parameters.values())[1:]]

    typed = _typed()
    wrong = [n for n in METHODS if shown(typed[n]) != shown(inspect.signature(inspect.unwrap(method(n))))]
    assert wrong == []


def test_every_typed_operator_is_attached() -> None:
    names = [*(n for n in _typed() if n.startswith("__")), "T"]
    assert [n for n in names if n not in vars(Tensor) or n not in vars(Variable)] == []


def test_operators_and_methods_give_tensors() -> None:
    """Read by mypy too: ``assert_type`` fails there if the type is another one."""
    x = lamina.tensor([[1.0, 2.0]])
    w = Variable([[1.0], [2.0]], name="w")
    found = (
        assert_type(x + 1.0, Tensor),
        assert_type(2 - x, Tensor),
        assert_type(-x, Tensor),
        assert_type(x == x, Tensor),
        assert_type(x[0], Tensor),
        assert_type(x.T, Tensor),
        assert_type(x.relu(), Tensor),
        assert_type(x.matmul(w).add(1.0).relu(), Tensor),
        assert_type(w * 2.0, Tensor),
        assert_type(w.sum(axis=0), Tensor),
        assert_type(lamina.matmul(x, w), Tensor),
        assert_type(lamina.grad(lambda v: v * v)(3.0), Tensor),
    )
    assert all(isinstance(value, Tensor) for value in found)

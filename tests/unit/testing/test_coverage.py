"""No op's gradient goes unchecked, nor unchecked where shapes have sizes 0 and 1 or broadcast."""

from __future__ import annotations

from typing import Any

import pytest

import lamina
from lamina.ops import OPS
from lamina.runtime.op import op, same_as
from lamina.testing import case, gradient_gaps
from lamina.testing.coverage import broadcasts
from lamina.testing.inputs import empty, normal
from lamina.testing.table import TABLE

TensorLike = Any

PROVED_ELSEWHERE = {
    "window_max_gradient": "its y must be the maxima of its x; the second gradient of window_max_pick is its gradient",
}
"""Ops that no case can move freely, and what checks their gradients."""


def test_every_gradient_is_checked_at_the_sizes_where_gradients_go_wrong() -> None:
    assert {name: gaps for name, gaps in gradient_gaps().items() if name not in PROVED_ELSEWHERE} == {}


def test_what_is_proved_elsewhere_is_still_missing_here() -> None:
    assert set(PROVED_ELSEWHERE) <= set(gradient_gaps())


def test_an_op_says_why_it_has_no_gradient() -> None:
    declared = {name: found.without_gradient for name, found in OPS.items() if found.without_gradient is not None}
    assert all(len(why.split()) > 2 for why in declared.values())
    assert [name for name in declared if OPS[name].gradients.keys() - {"x"}] == []


@pytest.fixture
def halved() -> Any:
    """An op with cases that a test adds; both are gone afterwards."""
    before = len(TABLE)

    @op(result=same_as())
    def halved(x: TensorLike) -> Any:
        """Half of x."""

    yield halved
    del OPS["halved"], TABLE[before:]


def test_gaps_are_noticed(halved: Any) -> None:
    case("halved", [normal(2, 3)], gradient=False)
    assert gradient_gaps()["halved"] == ["gradient"]
    case("halved", [normal(2, 3)])
    assert gradient_gaps()["halved"] == ["size 0", "size 1"]
    case("halved", [empty(0, 3)])
    case("halved", [normal()])
    assert "halved" not in gradient_gaps()


def test_an_op_that_declares_why_is_left_out(halved: Any) -> None:
    case("halved", [normal(2, 3)], gradient=False)
    halved.without_gradient = "it is only a test"
    assert "halved" not in gradient_gaps()


@pytest.mark.parametrize(("name", "answer"), [("add", True), ("where", True), ("matmul", False), ("tanh", False)])
def test_ops_that_broadcast_are_told_by_their_rules(name: str, answer: bool) -> None:
    assert broadcasts(OPS[name]) is answer
    assert hasattr(lamina, name)

"""What depends on values, and what is not an op: coordinates outside, strings, methods that join."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from backends_here import scope
from lamina.errors import ArgumentTypeError, DTypeError, HostReadError, OutOfRangeError, ShapeError


@pytest.fixture(autouse=True, params=["numpy", "torch"])
def backend(request: pytest.FixtureRequest) -> Any:
    with scope(request.param):
        yield


@pytest.mark.parametrize("index", [[2, 0], [0, 3], [-3, 0], [0, -4]])
def test_a_coordinate_outside_its_axis(index: list[int]) -> None:
    x = lamina.ones((2, 3))
    with pytest.raises(OutOfRangeError, match="indices"):
        lamina.gather_nd(x, [index])
    with pytest.raises(OutOfRangeError, match="indices"):
        lamina.scatter_nd([index], [1.0], (2, 3))
    with pytest.raises(OutOfRangeError, match="indices"):
        lamina.scatter_update(x, [index], [1.0])


def test_a_position_outside_the_axis_of_a_batch() -> None:
    with pytest.raises(OutOfRangeError, match="indices"):
        lamina.gather(lamina.ones((2, 3)), [[0], [3]], axis=1, batch_dims=1)


def test_of_many_updates_of_one_place_the_last_wins_and_gets_the_gradient() -> None:
    updates = lamina.tensor(np.arange(100.0))
    indices = lamina.zeros((100, 1), "int32")
    assert lamina.scatter_update(lamina.zeros(1, "float64"), indices, updates).tolist() == [99.0]
    gradient = lamina.grad(lambda u: lamina.scatter_update(lamina.zeros(1, "float64"), indices, u).sum())(updates)
    assert gradient.tolist() == [0.0] * 99 + [1.0]


def test_strings_fill_a_shape() -> None:
    assert lamina.full((2, 1), "a").tolist() == [["a"], ["a"]]
    with pytest.raises(DTypeError, match="there is no int32 of 'a'"):
        lamina.full((2,), "a", "int32")


def test_shapes_that_broadcast_as_tensors() -> None:
    found = lamina.broadcast_args(lamina.tensor([1, 6, -1]), [3, 1, 1, 1])
    assert (found.tolist(), found.dtype) == ([3, 1, 6, -1], "int32")
    assert lamina.broadcast_args([], [2, 2]).tolist() == [2, 2]
    with pytest.raises(ShapeError, match="broadcast_args"):
        lamina.broadcast_args([1, 2], [1, 3])
    with pytest.raises(ArgumentTypeError, match="s1"):
        lamina.broadcast_args([1], [[1]])


def test_shapes_that_broadcast_cannot_be_recorded() -> None:
    step = lamina.function(lambda s: lamina.broadcast_args(s, [2]))
    with pytest.raises(HostReadError):
        step(lamina.tensor([1]))


def test_methods_join_with_one_or_several() -> None:
    x = lamina.tensor([1.0, 2.0])
    assert x.concatenate(x).shape == (4,)
    assert x.concatenate([x, x]).shape == (6,)
    assert x.stack(x, axis=1).tolist() == [[1.0, 1.0], [2.0, 2.0]]
    assert x.stack([x, x]).shape == (3, 2)


def test_methods_cast() -> None:
    x = lamina.tensor([0.0, 1.5])
    assert (x.bool().tolist(), x.int().tolist(), x.int().float().tolist()) == ([False, True], [0, 1], [0.0, 1.0])
    assert x.astype("float64").dtype == "float64"
    assert x.clone().tolist() == x.tolist()
    assert lamina.Variable([1.0], name="v").bool().tolist() == [True]


def test_a_checked_shape_is_the_same_tensor() -> None:
    x = lamina.ones((2, 3))
    assert lamina.ensure_shape(x, (None, 3)) is x


def test_no_grid_of_nothing() -> None:
    assert lamina.meshgrid() == ()

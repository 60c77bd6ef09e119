"""What the case table does not say of ops: names, methods, and the functions made of ops."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import lamina
from lamina import ops
from lamina.errors import ArgumentTypeError, OutOfRangeError
from lamina.ops.methods import METHODS, method


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_the_op(name: str) -> None:
    assert getattr(lamina.Tensor, name) is method(name)
    assert callable(getattr(lamina.Variable, name))


def test_public_names_exist_and_public_ops_are_named() -> None:
    assert [name for name in ops.__all__ if not hasattr(ops, name)] == []
    rooms = [ops, *(getattr(ops, name) for name in ops.__all__ if inspect.ismodule(getattr(ops, name)))]
    named = {id(getattr(room, name)) for room in rooms for name in dir(room)}
    assert [name for name, found in ops.OPS.items() if found.public and id(found) not in named] == []


def test_where_as_a_method_is_called_on_the_condition() -> None:
    x = lamina.tensor([-1.0, 2.0])
    assert (x > 0).where(x, 0.0).tolist() == [0.0, 2.0]


def test_constants_of_likeness_take_shape_and_dtype() -> None:
    x = lamina.tensor(np.ones((2, 3), np.float64))
    for made, value in ((lamina.zeros_like(x), 0.0), (lamina.ones_like(x), 1.0), (lamina.full_like(x, 7), 7.0)):
        assert made.spec == x.spec
        assert made.numpy().min() == made.numpy().max() == value


def test_a_scalar_has_no_axes() -> None:
    assert lamina.ops.scalar(2).shape == ()
    with pytest.raises(ArgumentTypeError, match=r"scalar of a value of shape \(1,\)"):
        lamina.ops.scalar([2])


def test_an_index_outside_says_so() -> None:
    with pytest.raises(OutOfRangeError, match="outside axis 0 of x with shape"):
        lamina.gather(lamina.ones((2, 3)), [5])


def test_an_unknown_index_in_one_hot_gives_a_row_of_nothing() -> None:
    assert lamina.one_hot([-1, 3], 3).tolist() == [[0.0] * 3] * 2

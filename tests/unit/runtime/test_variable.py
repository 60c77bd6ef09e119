"""Variables: assigned, never resized."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from lamina.errors import ArgumentTypeError, DTypeError, ShapeError


def test_assigning() -> None:
    v = lamina.Variable([1.0, 2.0], name="v")
    assert v.assign(v * 2) is v
    assert v.numpy().tolist() == [2.0, 4.0]
    v.assign([5, 6])
    assert v.numpy().tolist() == [5.0, 6.0]
    assert v.dtype == "float32"


def test_a_value_stays_when_the_variable_changes() -> None:
    v = lamina.Variable([1.0])
    before = v.value
    v.assign([2.0])
    assert before.tolist() == [1.0]
    assert v.value.tolist() == [2.0]


def test_what_does_not_fit_is_refused_and_changes_nothing() -> None:
    v = lamina.Variable([1.0, 2.0], name="v")
    with pytest.raises(ShapeError) as shape:
        v.assign([1.0])
    assert str(shape.value) == (
        "Variable 'v' has shape (2,), and the new value (1,).\n  Expected a value of the same shape."
    )
    with pytest.raises(DTypeError, match=r"Fix: cast the value: value.cast\('float32'\)"):
        v.assign(np.array([1.0, 2.0]))
    assert v.numpy().tolist() == [1.0, 2.0]


def test_trainable_is_a_bool() -> None:
    with pytest.raises(ArgumentTypeError, match="trainable is 1"):
        lamina.Variable([1.0], trainable=1)  # type: ignore[arg-type]


def test_a_dtype_can_be_asked_for() -> None:
    assert lamina.Variable([1, 2], dtype="float16").dtype == "float16"
    assert lamina.Variable(np.array([1.9]), dtype="int32").numpy().tolist() == [1]


def test_names_are_given_or_made() -> None:
    first, second = lamina.Variable(1.0), lamina.Variable(1.0)
    assert first.name != second.name
    assert repr(lamina.Variable([1.0], name="w")) == "<Variable 'w' shape=(1,) dtype=float32 trainable=True>"


def test_ops_operators_and_numpy_take_a_variable() -> None:
    v = lamina.Variable([[1.0, 2.0]])
    assert (v + 1).tolist() == [[2.0, 3.0]]
    assert (1 - v).tolist() == [[0.0, -1.0]]
    assert (v @ v.T).tolist() == [[5.0]]
    assert v.sum().item() == 3.0
    assert v[0, 1].item() == 2.0
    assert np.asarray(v).tolist() == [[1.0, 2.0]]
    assert lamina.exp(v).shape == (1, 2)
    assert (len(v), v.ndim, v.size) == (1, 2, 2)


def test_nothing_is_shared_with_the_initial_value() -> None:
    array = np.ones(2, np.float32)
    v = lamina.Variable(array)
    array[0] = 7.0
    assert v.numpy().tolist() == [1.0, 1.0]
    v.numpy()[0] = 7.0
    assert v.numpy().tolist() == [1.0, 1.0]

"""NumPy indexing against NumPy, with keys that hypothesis makes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, basic_indices, integer_array_indices

import lamina
from lamina.errors import ArgumentTypeError, OutOfRangeError

SHAPES = array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)


def _numbers(shape: tuple[int, ...]) -> Any:
    return np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape)


def _agree(x: Any, key: Any) -> None:
    expected = x[key]
    found = lamina.tensor(x)[key]
    assert found.shape == np.shape(expected)
    np.testing.assert_array_equal(found.numpy(), expected)


@given(st.data(), SHAPES)
@settings(max_examples=120, deadline=None)
def test_slices_integers_ellipsis_and_new_axes(data: Any, shape: tuple[int, ...]) -> None:
    key = data.draw(basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
    _agree(_numbers(shape), key)


@given(st.data(), SHAPES)
@settings(max_examples=60, deadline=None)
def test_integer_arrays(data: Any, shape: tuple[int, ...]) -> None:
    _agree(_numbers(shape), data.draw(integer_array_indices(shape, dtype=np.dtype("int32"))))


@given(st.data(), SHAPES)
@settings(max_examples=60, deadline=None)
def test_boolean_arrays(data: Any, shape: tuple[int, ...]) -> None:
    count = data.draw(st.integers(1, len(shape)))
    _agree(_numbers(shape), data.draw(arrays(np.bool_, shape[:count])))


@given(st.data(), array_shapes(min_dims=2, max_dims=4, min_side=1, max_side=4))
@settings(max_examples=150, deadline=None)
def test_any_mixture(data: Any, shape: tuple[int, ...]) -> None:
    """Integers, slices, new axes, integer arrays of one shape and masks of one axis, in any order."""
    length = data.draw(st.integers(1, 3))
    key: list[Any] = []
    masked = False
    for size in shape:
        kinds = ["int", "slice", "array", "new"] + ([] if masked else ["mask"])
        kind = data.draw(st.sampled_from(kinds))
        if kind == "new":
            key += [None, slice(None)]
        elif kind == "int":
            key.append(data.draw(st.integers(-size, size - 1)))
        elif kind == "slice":
            key.append(data.draw(st.slices(size)))
        elif kind == "array":
            places = data.draw(st.lists(st.integers(-size, size - 1), min_size=length, max_size=length))
            key.append(np.array(places))
        else:
            masked = True
            key.append(np.arange(size) == data.draw(st.integers(0, size - 1)))
    _agree(_numbers(shape), tuple(key[: data.draw(st.integers(1, len(key)))]))


@given(st.data(), array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3))
@settings(max_examples=40, deadline=None)
def test_the_gradient_goes_where_the_elements_came_from(data: Any, shape: tuple[int, ...]) -> None:
    key = data.draw(basic_indices(shape, allow_newaxis=True) | integer_array_indices(shape))
    x = _numbers(shape)
    gradient = lamina.grad(lambda t: (t[key] * 1.0).sum())(lamina.tensor(x))
    expected = np.zeros(shape, np.float32)
    np.add.at(expected, key, 1.0)
    np.testing.assert_array_equal(gradient.numpy(), expected)


def test_tensors_are_indices_too() -> None:
    x = lamina.tensor([[1, 2], [3, 4]])
    assert x[lamina.tensor([1, 0])].tolist() == [[3, 4], [1, 2]]
    assert x[lamina.tensor(1)].tolist() == [3, 4]
    assert x[x > 2].tolist() == [3, 4]
    assert x[lamina.tensor(1), lamina.tensor(0)].item() == 3


def test_a_variable_is_indexed_like_its_value() -> None:
    assert lamina.Variable([1.0, 2.0, 3.0])[1:].tolist() == [2.0, 3.0]


@pytest.mark.parametrize("key", [2, -3, (0, 3), (0, 0, 0), (..., 0, ...)])
def test_indices_outside_are_errors(key: Any) -> None:
    with pytest.raises(OutOfRangeError):
        lamina.ones((2, 3))[key]


@pytest.mark.parametrize("key", [1.5, "a", np.array([0.5]), True, np.True_])
def test_what_is_no_index_is_an_error(key: Any) -> None:
    with pytest.raises(ArgumentTypeError):
        lamina.ones((2, 3))[key]

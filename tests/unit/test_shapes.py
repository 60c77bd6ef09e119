"""Shape rules against NumPy and against windows laid out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes

from lamina.errors import ArgumentError, ArgumentTypeError, OutOfRangeError, ShapeError
from lamina.shapes import (
    Spec,
    as_int,
    as_pair,
    as_shape,
    broadcast_axes,
    broadcast_shapes,
    normalize_axes,
    normalize_axis,
    reduced_shape,
    resolve_reshape,
    window_output,
    window_padding,
)


@given(mutually_broadcastable_shapes(num_shapes=3, max_dims=4))
@settings(max_examples=60, deadline=None)
def test_broadcasting_is_numpys(shapes: Any) -> None:
    assert broadcast_shapes("op", "abc", shapes.input_shapes) == shapes.result_shape


@given(array_shapes(min_dims=0, max_dims=3, min_side=0), array_shapes(min_dims=0, max_dims=3, min_side=0))
@settings(max_examples=60, deadline=None)
def test_what_numpy_refuses_is_refused(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    try:
        expected = np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(ShapeError, match="Expected each pair of sizes"):
            broadcast_shapes("op", "ab", (a, b))
    else:
        assert broadcast_shapes("op", "ab", (a, b)) == expected


@given(mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=1))
@settings(max_examples=60, deadline=None)
def test_summing_over_broadcast_axes_undoes_broadcasting(shapes: Any) -> None:
    result = shapes.result_shape
    for shape in shapes.input_shapes:
        summed = np.ones(result).sum(broadcast_axes(shape, result)).reshape(shape)
        assert (summed == np.prod(result, dtype=int) // np.prod(shape, dtype=int)).all()


def test_the_message_of_broadcasting_names_the_arguments() -> None:
    with pytest.raises(ShapeError) as caught:
        broadcast_shapes("add", ("a", "b"), ((2, 3), (2,)))
    assert str(caught.value) == (
        "add(a, b): a is (2, 3) and b is (2,).\n"
        "  Expected each pair of sizes, counted from the last axis, to be equal or one of them 1.\n"
        "  Fix: reshape one of them, or add an axis with expand_dims."
    )


def test_axes_count_from_both_ends() -> None:
    assert [normalize_axis(a, 3) for a in (0, 2, -1, -3, np.int64(1))] == [0, 2, 2, 0, 1]
    assert normalize_axes(None, 2) == (0, 1)
    assert normalize_axes((-1, 0), 3) == (0, 2)
    assert normalize_axes(1, 2) == (1,)
    assert normalize_axes((), 2) == ()


@pytest.mark.parametrize(("axis", "ndim"), [(3, 3), (-4, 3), (0, 0)])
def test_axes_outside_are_errors(axis: int, ndim: int) -> None:
    with pytest.raises(OutOfRangeError, match=f"axis is {axis}"):
        normalize_axis(axis, ndim)


def test_an_axis_twice_is_an_error() -> None:
    with pytest.raises(ArgumentError, match="each axis at most once"):
        normalize_axes((0, -2), 2)


@pytest.mark.parametrize("value", [True, 1.0, "1", None])
def test_only_integers_are_integers(value: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="units is"):
        as_int(value, "units")


def test_integers_have_minima() -> None:
    assert as_int(np.int32(3), "units", minimum=3) == 3
    with pytest.raises(ArgumentError, match="at least 3"):
        as_int(2, "units", minimum=3)


def test_shapes_are_tuples_of_sizes() -> None:
    assert as_shape(3) == (3,)
    assert as_shape([2, np.int64(0)]) == (2, 0)
    with pytest.raises(ArgumentError, match=r"shape\[1\] is -1"):
        as_shape((2, -1))


@pytest.mark.parametrize(
    ("shape", "target", "expected"),
    [((2, 3), (-1,), (6,)), ((2, 3), 6, (6,)), ((0, 3), (3, 0), (3, 0)), ((), (), ()), ((4,), (2, -1, 1), (2, 2, 1))],
)
def test_reshape_fills_in_one_size(shape: Any, target: Any, expected: Any) -> None:
    assert resolve_reshape(shape, target) == expected


@pytest.mark.parametrize(("shape", "target"), [((2, 3), (4,)), ((2, 3), (-1, -1)), ((2, 3), (4, -1)), ((0,), (0, -1))])
def test_reshape_refuses_other_sizes(shape: Any, target: Any) -> None:
    with pytest.raises(ShapeError, match="at most one -1"):
        resolve_reshape(shape, target)


def test_reduced_shapes() -> None:
    assert reduced_shape((2, 3, 4), (0, 2), False) == (3,)
    assert reduced_shape((2, 3, 4), (0, 2), True) == (1, 3, 1)


@given(st.integers(1, 12), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
@settings(max_examples=100, deadline=None)
def test_windows_fit_into_the_padded_axis(size: int, window: int, stride: int, dilation: int) -> None:
    reach = dilation * (window - 1) + 1
    for padding in ("valid", "same"):
        before, after = window_padding(size, window, stride, padding, dilation)
        starts = range(0, max(0, size + before + after - reach + 1), stride)
        assert window_output(size, window, stride, padding, dilation) == len(starts)
        assert 0 <= after - before <= 1


@pytest.mark.parametrize(("value", "expected"), [(2, (2, 2)), ((1, 3), (1, 3)), ([2, 2], (2, 2))])
def test_pairs(value: Any, expected: tuple[int, int]) -> None:
    assert as_pair(value, "strides") == expected


@pytest.mark.parametrize("value", ["ab", (1,), (1, 2, 3), 1.5, None])
def test_what_is_no_pair(value: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="an integer or a pair of integers"):
        as_pair(value, "strides")


def test_a_spec_knows_its_sizes() -> None:
    spec = Spec((2, 3), "int8")
    assert (spec.ndim, spec.size, Spec((), "bool").size) == (2, 6, 1)

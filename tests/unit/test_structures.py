"""Nested structures: out and back."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.structures import flatten, map_structure, unflatten


class Point(NamedTuple):
    x: Any
    y: Any


nested = st.recursive(
    st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=8,
)


@given(nested)
@settings(max_examples=60, deadline=None)
def test_out_and_back_is_the_same(structure: Any) -> None:
    assert unflatten(structure, iter(flatten(structure))) == structure


@given(nested)
@settings(max_examples=30, deadline=None)
def test_map_keeps_the_form(structure: Any) -> None:
    mapped = map_structure(lambda leaf: leaf + 1, structure)
    assert flatten(mapped) == [leaf + 1 for leaf in flatten(structure)]


def test_named_tuples_stay() -> None:
    assert map_structure(str, Point(1, [2])) == Point("1", ["2"])
    assert isinstance(map_structure(str, Point(1, 2)), Point)


def test_none_and_strings_are_leaves() -> None:
    assert flatten([None, "ab"]) == [None, "ab"]


def test_too_few_leaves_are_noticed() -> None:
    with pytest.raises((StopIteration, RuntimeError)):
        unflatten((1, 2), iter([1]))

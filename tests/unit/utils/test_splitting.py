"""Data in two parts."""

from __future__ import annotations

import numpy as np
import pytest

from lamina.data import from_generator, from_list
from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.utils import split_dataset

TEN = np.arange(10)


def parts(*args, **settings):
    return [[int(n) for n in side] for side in split_dataset(*args, **settings)]


@pytest.mark.parametrize(
    ("settings", "left", "right"),
    [
        ({"left_size": 0.75}, 8, 2),
        ({"left_size": 3}, 3, 7),
        ({"right_size": 0.25}, 8, 2),
        ({"right_size": 4}, 6, 4),
        ({"left_size": 0.5, "right_size": 0.2}, 5, 2),
        ({"left_size": 2, "right_size": 3}, 2, 3),
    ],
)
def test_sizes(settings, left, right):
    first, last = split_dataset(TEN, **settings)
    assert (len(first), len(last)) == (left, right)
    assert parts(TEN, **settings) == [list(range(left)), list(range(10 - right, 10))]


def test_a_pair_of_arrays_gives_pairs():
    for given in ([TEN, TEN * 2], (TEN, TEN * 2)):
        left, _ = split_dataset(given, 4)
        assert [type(e) for e in left] == [tuple] * 4
        (batch,) = left.batch(4)
        assert batch[1].tolist() == [0, 2, 4, 6]
    assert next(iter(split_dataset({"x": TEN}, 4)[1]))["x"] == 4


def test_shuffled_once_for_both_sides():
    left, right = split_dataset(TEN, 0.6, shuffle=True, seed=3)
    found = [int(n) for n in left], [int(n) for n in right]
    assert sorted(found[0] + found[1]) == list(range(10))
    assert found[0] != list(range(6))
    assert ([int(n) for n in left], [int(n) for n in right]) == found
    assert parts(TEN, 0.6, shuffle=True, seed=3) == [*found]


def test_datasets():
    assert parts(from_list(list(range(4))), 3) == [[0, 1, 2], [3]]
    assert parts(from_generator(lambda: iter(range(4))), 0.5) == [[0, 1], [2, 3]]

    class Numbered:
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return i * 10

    assert parts(Numbered(), 1) == [[0], [10, 20, 30]]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"left_size": 11},
        {"left_size": 10},
        {"left_size": 0},
        {"left_size": 1.0},
        {"left_size": 0.01},
        {"left_size": 0.6, "right_size": 0.6},
        {"left_size": -0.5},
        {"right_size": float("nan")},
    ],
)
def test_sizes_that_do_not_fit(settings):
    with pytest.raises(ArgumentError):
        split_dataset(TEN, **settings)


def test_what_is_no_data():
    for wrong in ("abc", 3, None):
        with pytest.raises(ArgumentTypeError):
            split_dataset(wrong, 1)
    with pytest.raises(ArgumentTypeError):
        split_dataset(TEN, True)
    with pytest.raises(ArgumentTypeError, match="infinite"):
        split_dataset(from_generator(lambda: iter(range(3))).concatenate(from_list([1]).repeat()), 1)

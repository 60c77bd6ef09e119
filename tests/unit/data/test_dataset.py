"""Datasets: what each step gives, how long it is, what it costs, and how it ends."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import lamina
from lamina.data import Dataset, from_arrays, from_func, from_generator, from_list
from lamina.data import zip as zip_datasets
from lamina.errors import ArgumentError, DataError

FIVE = from_list([0, 1, 2, 3, 4])
UNKNOWN = FIVE.filter(lambda n: True)
ENDLESS = FIVE.repeat()


class Opened:
    """An iterable that counts how often it was opened and closed."""

    def __init__(self, count=5):
        self.count, self.opened, self.closed = count, 0, 0

    def __call__(self):
        self.opened += 1
        try:
            yield from range(self.count)
        finally:
            self.closed += 1


class TestSizes:
    @pytest.mark.parametrize(
        ("made", "size"),
        [
            (FIVE, 5),
            (UNKNOWN, None),
            (ENDLESS, math.inf),
            (FIVE.map(str), 5),
            (FIVE.batch(2), 3),
            (FIVE.batch(2, small_last_batch=False), 2),
            (FIVE.batch(2, drop_remainder=True), 2),
            (UNKNOWN.batch(2), None),
            (ENDLESS.batch(2), math.inf),
            (FIVE.repeat(3), 15),
            (FIVE.repeat(0), 0),
            (FIVE.repeat(-1), math.inf),
            (UNKNOWN.repeat(3), None),
            (UNKNOWN.repeat(), None),
            (FIVE.take(2), 2),
            (FIVE.take(9), 5),
            (FIVE.take(-1), 5),
            (ENDLESS.take(2), 2),
            (UNKNOWN.take(2), None),
            (UNKNOWN.take(0), 0),
            (FIVE.skip(2), 3),
            (FIVE.skip(9), 0),
            (FIVE.skip(-1), 0),
            (ENDLESS.skip(2), math.inf),
            (UNKNOWN.skip(2), None),
            (FIVE.concatenate(FIVE), 10),
            (FIVE.concatenate(UNKNOWN), None),
            (UNKNOWN.concatenate(ENDLESS), math.inf),
            (FIVE.shuffle(2), 5),
            (FIVE.prefetch(2), 5),
            (ENDLESS.filter(bool), math.inf),
            (zip_datasets(FIVE, FIVE.take(2)), 2),
            (zip_datasets(FIVE, UNKNOWN), None),
            (zip_datasets(FIVE, ENDLESS), 5),
            (zip_datasets(ENDLESS, ENDLESS), math.inf),
            (from_generator(Opened()), None),
            (from_generator(Opened(), size=5), 5),
        ],
    )
    def test_size(self, made, size):
        assert made.size == size
        if size not in (None, math.inf):
            assert len(made) == size == len(made.to_list())

    def test_an_unknown_length_is_a_type_error(self):
        with pytest.raises(TypeError, match="unknown"):
            len(UNKNOWN)
        with pytest.raises(TypeError, match="infinite"):
            len(ENDLESS)
        assert UNKNOWN
        assert FIVE.take(0)

    def test_repr(self):
        assert [repr(d) for d in (FIVE, UNKNOWN, ENDLESS)] == [
            "<Dataset size=5>",
            "<Dataset size=unknown>",
            "<Dataset size=infinite>",
        ]


class TestSteps:
    def test_map_and_filter_take_tuples_apart(self):
        pairs = from_list([(1, 2), (3, 4)])
        assert pairs.map(lambda a, b: a + b).to_list() == [3, 7]
        assert pairs.filter(lambda a, b: b > 2).to_list() == [(3, 4)]
        assert from_list([[1, 2]]).map(sum).to_list() == [3]

    def test_filter_takes_tensors_for_answers(self):
        assert FIVE.filter(lambda n: lamina.tensor(n) > 2).to_list() == [3, 4]

    def test_repeat_take_skip_concatenate(self):
        assert FIVE.repeat(2).skip(3).take(4).to_list() == [3, 4, 0, 1]
        assert FIVE.take(0).to_list() == FIVE.repeat(0).to_list() == FIVE.skip(None).to_list() == []
        assert FIVE.take(1).concatenate(FIVE.skip(4)).to_list() == [0, 4]
        assert FIVE.take(None) is FIVE

    def test_repeating_nothing_comes_to_an_end(self):
        assert list(FIVE.filter(lambda n: n > 9).repeat()) == []

    def test_zip_keeps_the_structure(self):
        pairs = zip_datasets({"x": FIVE, "y": [FIVE, (FIVE.skip(1),)]})
        assert next(iter(pairs)) == {"x": 0, "y": [0, (1,)]}
        assert Dataset.zip(FIVE, FIVE).take(1).to_list() == [(0, 0)]

    def test_for_each(self):
        heard = []
        assert from_list([(1, 2)]).for_each(lambda a, b: heard.append(a + b)) is None
        assert heard == [3]

    def test_to_list_of_no_end_is_refused(self):
        with pytest.raises(DataError, match="infinite"):
            ENDLESS.to_list()
        assert FIVE.map(lambda n: n).to_list() == [0, 1, 2, 3, 4]

    def test_datasets_can_be_gone_through_again_and_at_once(self):
        first, second = iter(FIVE), iter(FIVE)
        assert [next(first), next(first), next(second)] == [0, 1, 0]

    def test_errors_of_functions_come_through(self):
        with pytest.raises(ZeroDivisionError):
            FIVE.map(lambda n: 1 // n).to_list()

    @pytest.mark.parametrize(
        "wrong",
        [
            lambda: FIVE.map(3),
            lambda: FIVE.filter(None),
            lambda: FIVE.for_each("x"),
            lambda: FIVE.batch("2"),
            lambda: FIVE.batch(2.0),
            lambda: FIVE.batch(True),
            lambda: FIVE.repeat(1.5),
            lambda: FIVE.take("3"),
            lambda: FIVE.skip(None).concatenate([1]),
            lambda: FIVE.prefetch(None),
            lambda: FIVE.shuffle(None),
            lambda: FIVE.shuffle(3, seed="a"),
            lambda: zip_datasets(FIVE, [1]),
            lambda: Dataset([1]),
            lambda: from_list("abc"),
            lambda: from_list({"a": 1}),
            lambda: from_list(iter([1])),
            lambda: from_func(3),
            lambda: from_generator(n for n in range(3)),
            lambda: from_generator([1]),
            lambda: from_generator(lambda: 3).to_list(),
            lambda: FIVE.batch(2, True),
        ],
    )
    def test_wrong_kinds_are_refused(self, wrong):
        with pytest.raises(TypeError):
            wrong()

    @pytest.mark.parametrize(
        "wrong",
        [
            lambda: FIVE.batch(0),
            lambda: FIVE.prefetch(0),
            lambda: FIVE.shuffle(-1),
            lambda: zip_datasets(),
            lambda: zip_datasets([]),
            lambda: FIVE.zip(FIVE),
            lambda: from_generator(Opened(), size=-1),
            lambda: from_generator(Opened(), size=math.inf),
        ],
    )
    def test_wrong_values_are_refused(self, wrong):
        with pytest.raises(ArgumentError):
            wrong()


class TestSources:
    def test_a_generator_is_made_anew_for_each_pass(self):
        source = Opened()
        data = from_generator(source)
        assert data.to_list() == data.to_list() == [0, 1, 2, 3, 4]
        assert (source.opened, source.closed) == (2, 2)

    def test_a_function_is_called_on_and_on(self):
        data = from_func(itertools.count().__next__)
        assert data.take(2).to_list() == [0, 1]
        assert data.take(2).to_list() == [2, 3]

    def test_a_function_that_has_ended_is_not_called_again(self):
        calls = iter([1, 2])
        data = from_func(lambda: next(calls))
        assert data.to_list() == [1, 2]
        assert data.to_list() == []

    def test_from_arrays(self):
        x, y = np.arange(6.0).reshape(3, 2), [0, 1, 0]
        elements = from_arrays({"x": x, "y": y}).to_list()
        assert [(e["x"].tolist(), int(e["y"])) for e in elements] == [([0, 1], 0), ([2, 3], 1), ([4, 5], 0)]
        assert len(Dataset.from_tensor_slices((x, y))) == 3
        assert Dataset.from_arrays(lamina.ones((2, 3))).map(lambda a: a.shape).to_list() == [(3,), (3,)]

    def test_elements_are_not_views_of_the_users_arrays(self):
        x = np.zeros((4, 2))
        for made in (from_arrays(x), from_arrays(x).batch(2), from_arrays(x).shuffle(4, seed=1).batch(2)):
            for element in made:
                element += 1
        assert x.sum() == 0

    def test_from_arrays_of_wrong_lengths(self):
        with pytest.raises(DataError, match="2 and 3 entries"):
            from_arrays((np.zeros(2), np.zeros(3)))
        with pytest.raises(DataError, match="single number"):
            from_arrays(1.0)
        with pytest.raises(DataError, match="no arrays"):
            from_arrays(())


class TestBatches:
    def test_numbers_become_arrays_of_the_usual_dtypes(self):
        rows = [(1, 1.5, True, "a", np.float64(2)), (2, 2.5, False, "b", np.float64(3))]
        (batch,) = from_list(rows).batch(4)
        assert [a.dtype.kind + str(a.dtype.itemsize) for a in batch] == ["i4", "f4", "b1", "U4", "f8"]

    def test_lists_of_numbers_are_arrays(self):
        (batch,) = from_list([{"x": [[1, 2], [3, 4]]}, {"x": [[5, 6], [7, 8]]}]).batch(2)
        assert batch["x"].shape == (2, 2, 2)

    def test_tensors_and_columns(self):
        (batch,) = from_list([lamina.ones((2,)), lamina.zeros((2,))]).batch(2)
        assert isinstance(batch, np.ndarray)
        assert batch.tolist() == [[1, 1], [0, 0]]

    def test_the_structure_stays(self):
        element = {"a": [np.ones(2), (1, 2.0)]}
        (batch,) = from_list([element, element]).batch(2)
        assert batch["a"][0].shape == (2, 2)
        assert type(batch["a"][1]) is tuple
        assert batch["a"][1][0].tolist() == [1, 1]

    def test_cutting_arrays_gives_what_stacking_gives(self):
        data = (np.arange(7, dtype=np.float64), {"y": np.arange(14, dtype=np.int8).reshape(7, 2)})
        quick = from_arrays(data).batch(3).to_list()
        slow = from_arrays(data).map(lambda a, b: (a, b)).batch(3).to_list()
        for one, other in zip(quick, slow, strict=True):
            np.testing.assert_array_equal(one[0], other[0])
            np.testing.assert_array_equal(one[1]["y"], other[1]["y"])
            assert (one[0].dtype, one[1]["y"].dtype) == (other[0].dtype, other[1]["y"].dtype)
        assert [len(b[0]) for b in from_arrays(data).batch(3, drop_remainder=True)] == [3, 3]

    def test_unequal_elements_are_refused_by_place(self):
        with pytest.raises(DataError, match=r"in \['x'\]: \(2,\) and \(3,\)"):
            from_list([{"x": np.ones(2)}, {"x": np.ones(3)}]).batch(2).to_list()
        with pytest.raises(DataError, match="a dict with 'x' and a dict with 'y'"):
            from_list([{"x": 1}, {"y": 1}]).batch(2).to_list()
        with pytest.raises(DataError, match="a tuple of 2 and a tuple of 1"):
            from_list([(1, 2), (1,)]).batch(2).to_list()
        with pytest.raises(DataError, match=r"holds None in \[1\]"):
            from_list([(1, 2), (1, None)]).batch(2).to_list()
        with pytest.raises(DataError, match=r"\(2,\) and \(1,\)"):
            from_list([[1, 2], [1]]).batch(2).to_list()


class TestPartsOfArrays:
    """Parts are cut out of arrays without going through the elements before them, and give the same."""

    @pytest.mark.parametrize("data", [from_arrays(np.arange(10)), from_arrays(np.arange(10)).shuffle(10, seed=1)])
    @pytest.mark.parametrize(
        ("cut", "part"),
        [
            (lambda d: d.take(3), slice(3)),
            (lambda d: d.skip(4), slice(4, None)),
            (lambda d: d.skip(2).take(3), slice(2, 5)),
            (lambda d: d.take(5).skip(2).skip(1), slice(3, 5)),
            (lambda d: d.skip(20), slice(0)),
            (lambda d: d.take(0), slice(0)),
        ],
    )
    def test_they_are_those_of_the_elements(self, data, cut, part):
        expected = [int(n) for n in data.epoch(0)][part]
        found = cut(data)
        assert len(found) == len(expected)
        assert [int(n) for n in found.epoch(0)] == expected
        assert [n for batch in found.batch(2).epoch(0) for n in batch.tolist()] == expected

    def test_they_can_be_shuffled(self):
        data = from_arrays(np.arange(10)).skip(4)
        for size in (2, 6, 50):
            assert sorted(int(n) for n in data.shuffle(size, seed=2)) == [4, 5, 6, 7, 8, 9]


class TestShuffle:
    def test_every_element_comes_once(self):
        for size in (1, 2, 5, 50):
            assert sorted(from_list(range(20)).shuffle(size, seed=3)) == list(range(20))

    def test_a_buffer_bounds_how_early_an_element_comes(self):
        order = list(from_list(range(200)).shuffle(10, seed=1))
        assert max(value - place for place, value in enumerate(order)) < 10
        assert order != list(range(200))
        assert list(from_list(range(20)).shuffle(1, seed=1)) == list(range(20))

    @pytest.mark.parametrize("source", [from_list(range(50)), from_arrays(np.arange(50))], ids=["list", "arrays"])
    @pytest.mark.parametrize("size", [7, 50])
    def test_seeds(self, source, size):
        def orders(data, passes=2):
            return [[int(n) for n in data] for _ in range(passes)]

        first, second = orders(source.shuffle(size, seed=5))
        assert first != second
        assert orders(source.shuffle(size, seed=5)) == [first, second]
        assert orders(source.shuffle(size, seed=6))[0] != first
        assert [int(n) for n in source.shuffle(size, seed=5).epoch(1)] == second
        fixed = source.shuffle(size, seed=5, reshuffle_each_iteration=False)
        assert orders(fixed) == [first, first]

    def test_without_a_seed_the_global_one_counts(self):
        lamina.random.set_seed(4)
        first = list(FIVE.repeat(10).shuffle(50))
        lamina.random.set_seed(4)
        assert list(FIVE.repeat(10).shuffle(50)) == first
        assert list(FIVE.repeat(10).shuffle(50)) != first

    def test_repetitions_reshuffle(self):
        order = list(from_list(range(30)).shuffle(30, seed=1).repeat(2))
        assert sorted(order[:30]) == sorted(order[30:])
        assert order[:30] != order[30:]

    def test_orders_are_even(self):
        counts = np.zeros((4, 4), int)
        data = from_list(range(4)).shuffle(4, seed=9)
        for _ in range(600):
            for place, value in enumerate(data):
                counts[place, value] += 1
        assert counts.min() > 110
        assert counts.max() < 190

    def test_shuffling_arrays_twice(self):
        data = from_arrays(np.arange(9)).shuffle(9, seed=1).shuffle(9, seed=2)
        assert sorted(int(n) for n in data) == list(range(9))
        assert sorted(np.concatenate(data.batch(4).to_list()).tolist()) == list(range(9))


class TestClosing:
    @pytest.mark.parametrize(
        "step",
        [
            lambda d: d.map(lambda n: n),
            lambda d: d.filter(lambda n: True),
            lambda d: d.batch(1),
            lambda d: d.take(3),
            lambda d: d.skip(1),
            lambda d: d.repeat(),
            lambda d: d.shuffle(2),
            lambda d: d.concatenate(FIVE),
            lambda d: zip_datasets(d, FIVE),
            lambda d: d.prefetch(1),
            lambda d: d.map(lambda n: n).batch(2).prefetch(2).repeat(3).take(2),
        ],
    )
    def test_what_is_open_behind_an_iterator_is_closed_with_it(self, step):
        source = Opened()
        elements = iter(step(from_generator(source)))
        next(elements)
        elements.close()
        assert source.closed == source.opened == 1

    def test_to_the_end(self):
        source = Opened()
        assert len(from_generator(source).map(lambda n: n).batch(2).prefetch(3).to_list()) == 3
        assert source.closed == 1

"""The dataset: elements one after the other, made when they are asked for, and steps that make other datasets of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

from lamina.data.elements import each_applied, stacked
from lamina.data.opening import closing
from lamina.data.prefetching import prefetched
from lamina.data.shuffling import pass_key, shuffle_key, shuffled
from lamina.errors import ArgumentError, ArgumentTypeError, DataError
from lamina.shapes import as_int

Size = int | float | None
"""How many elements there are: None if that is unknown, infinity if there is no end."""

_MANY: int = 1 << 16
"""Passes over the source of an endless repetition are numbered so far apart for each pass over the whole."""


class Dataset:
    """A sequence of elements that can be gone through again and again: the input of ``fit``, ``evaluate``, ``predict``.

    Elements are arrays, numbers, strings, or dicts, tuples and lists of them; those for ``fit`` are tuples (x, y) or
    (x, y, sample_weight). Make one with ``from_list``, ``from_arrays``, ``from_generator``, ``csv`` and so on, or of a
    function ``passes`` that gives the iterator of a pass by its number; ``size`` is the number of elements, None if it
    is not known. The methods change nothing: each gives a new dataset. Work is done when elements are asked for, and
    what is open behind them is closed with the iterator.

    Functions given to ``map``, ``filter`` and ``for_each`` get the parts of a tuple as arguments of their own.

    >>> import lamina
    >>> data = lamina.data.from_list([1, 2, 3, 4, 5]).filter(lambda n: n % 2 == 1).map(lambda n: n * 10).batch(2)
    >>> for batch in data:
    ...     print(batch)
    [10 30]
    [50]
    """

    def __init__(self, passes: Callable[[int], Iterator[Any]], size: Size = None) -> None:
        if not callable(passes):
            raise ArgumentTypeError(
                f"a Dataset of {passes!r}.",
                expected="a function that gives an iterator for the number of a pass.",
                fix="use lamina.data.from_list or from_generator.",
            )
        self._passes = passes
        self._size = size
        self._next_pass = itertools.count()

    @property
    def size(self) -> Size:
        """How many elements there are: None if that is unknown, ``math.inf`` if there is no end."""
        return self._size

    def __len__(self) -> int:
        """The number of elements. Raises ArgumentTypeError, a TypeError, if it is unknown or infinite."""
        if self.size is None or self.size == math.inf:
            what = "is unknown" if self.size is None else "is infinite"
            raise ArgumentTypeError(
                f"the length of this dataset {what}.",
                expected="a dataset of known length.",
                fix="ask for its size, which is None or math.inf then; take(count) makes it finite.",
            )
        return int(self.size)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Any]:
        """The elements; each time this is asked for, shuffles that reshuffle come in a new order."""
        return self.epoch(next(self._next_pass))

    def epoch(self, number: int) -> Iterator[Any]:
        """The elements of one pass, counted from 0: the same number always gives the same order of shuffles."""
        return self._passes(number)

    def __repr__(self) -> str:
        size = {None: "unknown", math.inf: "infinite"}.get(self.size, self.size)
        return f"<{type(self).__name__} size={size}>"

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _then(self, stage: Callable[[Iterator[Any]], Iterator[Any]], size: Size) -> Dataset:
        """A dataset of what a generator function makes of the elements of a pass."""

        def passes(number: int) -> Iterator[Any]:
            with closing(self.epoch(number)) as elements:
                yield from stage(elements)

        return Dataset(passes, size)

    def map(self, transform: Callable[..., Any]) -> Dataset:
        """The results of a function for each element.

        >>> Dataset.from_list([(1, 2), (3, 4)]).map(lambda a, b: a * b).to_list()
        [2, 12]
        """
        _check_function(transform, "map")
        return self._then(
            lambda elements: (found for _, found in each_applied(transform, elements, "Dataset.map")), self.size
        )

    def filter(self, predicate: Callable[..., Any]) -> Dataset:
        """The elements for which a function gives something true. The size becomes unknown.

        >>> Dataset.from_list([1, 2, 3, 4]).filter(lambda n: n > 2).to_list()
        [3, 4]
        """
        _check_function(predicate, "filter")
        size = self.size if self.size == math.inf else None
        return self._then(
            lambda elements: (e for e, kept in each_applied(predicate, elements, "Dataset.filter") if bool(kept)), size
        )

    def batch(self, batch_size: int, *, small_last_batch: bool = True, drop_remainder: bool | None = None) -> Dataset:
        """Elements together in batches: each part of them stacked to one NumPy array with a new first axis.

        The last batch may be smaller; ``small_last_batch=False``, in the words of tf.data ``drop_remainder=True``,
        leaves it out. Python's floats become float32 and its ints int32. Raises DataError, when it comes to that batch,
        for elements of different structures or shapes.

        >>> Dataset.from_list([{"x": 1.5, "y": 0}, {"x": 2.5, "y": 1}]).batch(2).to_list()
        [{'x': array([1.5, 2.5], dtype=float32), 'y': array([0, 1], dtype=int32)}]
        """
        count = as_int(batch_size, "batch_size", minimum=1)
        whole_only = not small_last_batch if drop_remainder is None else bool(drop_remainder)
        return self._batched(count, whole_only, _batches(self.size, count, whole_only))

    def _batched(self, count: int, whole_only: bool, size: Size) -> Dataset:
        def stage(elements: Iterator[Any]) -> Iterator[Any]:
            while found := list(itertools.islice(elements, count)):
                if len(found) == count or not whole_only:
                    yield stacked(found)

        return self._then(stage, size)

    def shuffle(self, buffer_size: int, seed: int | None = None, reshuffle_each_iteration: bool = True) -> Dataset:
        """The elements in random order: each is drawn from a buffer of ``buffer_size``, then refilled by the next one.

        Only a buffer of at least all elements makes every order equally likely. With ``seed`` the orders can be had
        again, else they follow from ``lamina.random.set_seed``. Each pass has an order of its own unless
        ``reshuffle_each_iteration`` is False.

        >>> data = Dataset.from_list([1, 2, 3, 4]).shuffle(4, seed=1)
        >>> sorted(data), list(data.epoch(3)) == list(data.epoch(3))
        ([1, 2, 3, 4], True)
        """
        count = as_int(buffer_size, "buffer_size", minimum=1)
        key = shuffle_key(seed)
        return self._shuffled(count, lambda number: (key, number if reshuffle_each_iteration else 0))

    def _shuffled(self, count: int, order: Callable[[int], tuple[int, int]]) -> Dataset:
        def passes(number: int) -> Iterator[Any]:
            with closing(self.epoch(number)) as elements:
                yield from shuffled(elements, count, *order(number))

        return Dataset(passes, self.size)

    def repeat(self, count: int | None = None) -> Dataset:
        """The elements over and over: ``count`` times, or without end for None or a negative number.

        >>> Dataset.from_list([1, 2]).repeat(2).to_list()
        [1, 2, 1, 2]
        """
        times = None if count is None or as_int(count, "count") < 0 else as_int(count, "count")

        def passes(number: int) -> Iterator[Any]:
            first = number * (_MANY if times is None else times)
            for own in itertools.count(first) if times is None else range(first, first + times):
                empty = True
                with closing(self.epoch(own)) as elements:
                    for element in elements:
                        empty = False
                        yield element
                if empty:  # else an endless repetition of nothing would never come back
                    return

        return Dataset(passes, _repeated(self.size, times))

    def take(self, count: int | None) -> Dataset:
        """The first ``count`` elements, or all of them for None, -1, or if there are no more.

        >>> Dataset.from_list([1, 2, 3]).repeat().take(4).to_list()
        [1, 2, 3, 1]
        """
        if count is None or as_int(count, "count") < 0:
            return self
        number = as_int(count, "count")
        size = None if self.size is None else min(number, self.size)
        return self._part(0, number, 0 if number == 0 else size)

    def skip(self, count: int | None) -> Dataset:
        """Without the first ``count`` elements; without any for None or -1.

        >>> Dataset.from_list([1, 2, 3]).skip(2).to_list()
        [3]
        """
        if count is None or as_int(count, "count") < 0:
            return self.take(0)
        number = as_int(count, "count")
        size = None if self.size is None else max(0, self.size - number)
        return self._part(number, None, size)

    def _part(self, start: int, stop: int | None, size: Size) -> Dataset:
        return self._then(lambda elements: itertools.islice(elements, start, stop), size)

    def concatenate(self, dataset: Dataset) -> Dataset:
        """These elements, then those of another dataset.

        >>> Dataset.from_list([1]).concatenate(Dataset.from_list([2, 3])).to_list()
        [1, 2, 3]
        """
        if not isinstance(dataset, Dataset):
            raise ArgumentTypeError(f"concatenate got {dataset!r}.", expected="a Dataset.")

        def passes(number: int) -> Iterator[Any]:
            for part in (self, dataset):
                with closing(part.epoch(number)) as elements:
                    yield from elements

        sizes = (self.size, dataset.size)
        return Dataset(passes, math.inf if math.inf in sizes else None if None in sizes else sum(sizes))  # type: ignore[arg-type]

    def prefetch(self, buffer_size: int) -> Dataset:
        """The same elements, up to ``buffer_size`` of them made ahead by a thread while the ones before are in use.

        The thread ends when the iterator is closed or forgotten. Errors are raised where their element would have come.
        What ``map`` draws at random in the thread follows from ``lamina.random.set_seed`` and the number of the pass.

        >>> Dataset.from_list([1, 2]).map(lambda n: n + 1).prefetch(1).to_list()
        [2, 3]
        """
        count = as_int(buffer_size, "buffer_size", minimum=1)
        key = shuffle_key(None)

        def passes(number: int) -> Iterator[Any]:
            return prefetched(lambda: self.epoch(number), count, pass_key(key, number))

        return Dataset(passes, self.size)

    # -- ends ----------------------------------------------------------------------------------------------------------

    def for_each(self, function: Callable[..., Any]) -> None:
        """Calls a function with each element.

        >>> Dataset.from_list([1, 2]).for_each(print)
        1
        2
        """
        _check_function(function, "for_each")
        with closing(iter(self)) as elements:
            for _ in each_applied(function, elements, "Dataset.for_each"):
                pass

    def to_list(self) -> list[Any]:
        """All elements. Raises DataError if there is no end of them."""
        if self.size == math.inf:
            raise DataError("a list of an infinite dataset.", expected="a finite one.", fix="take(count) of it.")
        return list(iter(self))

    # -- beginnings ----------------------------------------------------------------------------------------------------

    @staticmethod
    def from_list(items: Any) -> Dataset:
        """The entries of a list: as ``lamina.data.from_list``."""
        from lamina.data.sources import from_list

        return from_list(items)

    @staticmethod
    def from_generator(generator: Callable[[], Any], size: int | None = None) -> Dataset:
        """What a generator function yields: as ``lamina.data.from_generator``."""
        from lamina.data.sources import from_generator

        return from_generator(generator, size)

    @staticmethod
    def from_arrays(arrays: Any) -> Dataset:
        """Arrays cut along their first axis: as ``lamina.data.from_arrays``."""
        from lamina.data.slices import from_arrays

        return from_arrays(arrays)

    from_tensor_slices = from_arrays

    @staticmethod
    def zip(*datasets: Any) -> Dataset:
        """Datasets side by side: as ``lamina.data.zip``."""
        from lamina.data.sources import zip_datasets

        return zip_datasets(*datasets)


def _check_function(function: Any, what: str) -> None:
    if not callable(function):
        raise ArgumentTypeError(f"{what} got {function!r}.", expected="a function.")


def _batches(size: Size, count: int, whole_only: bool) -> Size:
    if size is None or size == math.inf:
        return size
    return int(size) // count if whole_only else -(-int(size) // count)


def _repeated(size: Size, times: int | None) -> Size:
    if size == 0 or times == 0:
        return 0
    if times is None:
        return None if size is None else math.inf
    return None if size is None else size * times


def check_size(size: Any) -> int | None:
    """The number of elements as a user gives it."""
    if size is None:
        return None
    if size == math.inf:
        raise ArgumentError("size is infinite.", expected="the number of elements, or None.")
    return as_int(size, "size", minimum=0)

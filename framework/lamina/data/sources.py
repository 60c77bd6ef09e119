"""Where datasets begin: lists, functions, generators, other datasets."""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from lamina.data.dataset import Dataset, Size, check_size
from lamina.data.opening import closing
from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.notices import name_of, noted
from lamina.structures import flatten, unflatten


def from_list(items: Any) -> Dataset:
    """A dataset of the entries of a list or another sequence, each as it is.

    ``items`` is the list. Raises ArgumentTypeError for what is no sequence.

    >>> from_list([{"x": 1, "y": 2}, {"x": 3, "y": 4}]).map(lambda e: e["x"] + e["y"]).to_list()
    [3, 7]
    """
    if isinstance(items, (str, bytes, dict)) or not (hasattr(items, "__len__") and hasattr(items, "__getitem__")):
        raise ArgumentTypeError(
            f"from_list got a {type(items).__name__}.",
            expected="a list of elements.",
            fix="use from_arrays for arrays or a dict of them, from_generator for what can only be iterated.",
        )
    return Dataset(lambda _: iter(items), len(items))


def from_func(function: Callable[[], Any]) -> Dataset:
    """A dataset of what a function returns, call after call, until it raises StopIteration.

    There is one sequence of calls: a second pass goes on where the one before ended, and finds nothing if that was the
    end.

    >>> numbers = iter([1, 2, 3])
    >>> from_func(lambda: next(numbers)).to_list()
    [1, 2, 3]
    """
    if not callable(function):
        raise ArgumentTypeError(f"from_func got {function!r}.", expected="a function without arguments.")
    calls = _calls(function)
    return Dataset(lambda _: _without_closing(calls))


def _calls(function: Callable[[], Any]) -> Iterator[Any]:
    while True:
        try:
            element = function()
        except StopIteration:
            return
        yield element


def _without_closing(shared: Iterator[Any]) -> Iterator[Any]:
    """The rest of an iterator that others go on with: closing this one does not close it."""
    while True:
        try:
            element = next(shared)
        except StopIteration:
            return
        yield element


def from_generator(generator: Callable[[], Any], size: int | None = None) -> Dataset:
    """A dataset of what a generator function yields; it is called anew for each pass. ``size`` says how many that are.

    Any function without arguments that returns an iterable will do. Raises ArgumentTypeError for a generator itself,
    which could be gone through only once.

    >>> def squares():
    ...     for n in range(3):
    ...         yield n * n
    >>> data = from_generator(squares)
    >>> data.to_list(), data.to_list(), data.size
    ([0, 1, 4], [0, 1, 4], None)
    """
    if not callable(generator):
        running = inspect.isgenerator(generator)
        raise ArgumentTypeError(
            f"from_generator got {'a generator' if running else repr(generator)}.",
            expected="a function that returns a new iterator at each call.",
            fix="give the generator function itself, without calling it." if running else None,
        )

    def passes(_: int) -> Iterator[Any]:
        made = generator()
        if not hasattr(made, "__iter__"):
            raise ArgumentTypeError(
                f"the function given to from_generator returned a {type(made).__name__}.", expected="an iterable."
            )
        return _said(iter(made), f"In the generator {name_of(generator)!r} of from_generator")

    return Dataset(passes, check_size(size))


def _said(elements: Iterator[Any], what: str) -> Iterator[Any]:
    """The elements; an error in making one says of what and after how many."""
    count = 0
    with closing(elements), noted(lambda: f"{what}, after {count} elements."):
        for element in elements:
            yield element
            count += 1


def zip_datasets(*datasets: Any) -> Dataset:
    """Datasets side by side: elements in the structure in which the datasets are given, a tuple, list or dict.

    It ends with the shortest. ``zip(a, b)`` is ``zip((a, b))``. Raises ArgumentTypeError for what is no dataset.

    >>> xs, ys = from_list([1, 2, 3]), from_list([4, 5])
    >>> zip_datasets(xs, ys).to_list(), zip_datasets({"xs": xs, "ys": ys}).to_list()
    ([(1, 4), (2, 5)], [{'xs': 1, 'ys': 4}, {'xs': 2, 'ys': 5}])
    """
    structure = datasets[0] if len(datasets) == 1 else datasets
    parts = flatten(structure)
    if not parts or isinstance(structure, Dataset):
        raise ArgumentError("zip got no two datasets.", expected="several, or a list, tuple or dict of them.")
    for part in parts:
        if not isinstance(part, Dataset):
            raise ArgumentTypeError(f"zip got {part!r}.", expected="datasets, or a list, tuple or dict of them.")

    def passes(number: int) -> Iterator[Any]:
        with ExitStack() as stack:
            iterators = [stack.enter_context(closing(part.epoch(number))) for part in parts]
            for elements in builtins.zip(*iterators, strict=False):
                yield unflatten(structure, iter(elements))

    return Dataset(passes, _shortest([part.size for part in parts]))


def _shortest(sizes: list[Size]) -> Size:
    if 0 in sizes:
        return 0
    return None if None in sizes else min(size for size in sizes if size is not None)

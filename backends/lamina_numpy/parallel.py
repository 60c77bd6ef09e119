"""Work on several threads of Python, each with the matrix library on one thread.

What gathers, adds and multiplies arrays element by element runs on one thread in NumPy; two halves of a batch on two
threads take the whole of a convolution, not only its matrix products, to all cores. Each thread that is called in gets
a core of its own: systems were seen to leave two that wake each other on one core for as long as the work took.
"""

from __future__ import annotations

import contextvars
import functools
import itertools
import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, TypeVar

from lamina_numpy.threads import MANY_PRODUCTS, ONE_THREAD

T = TypeVar("T")
R = TypeVar("R")
_MOST = 16


class _Place(threading.local):
    """Whether this thread does a part of something that is done on all threads."""

    within = False


_place = _Place()


def workers(products: int) -> int:
    """How many threads work of so many multiplications should take: as many as the matrix library would, if any.

    One within work that is shared among threads already.
    """
    return threads() if products >= MANY_PRODUCTS and not _place.within else 1


def threads() -> int:
    """How many threads work is shared among."""
    return min(_MOST, ONE_THREAD.usual())


def beside(calls: Sequence[tuple[Callable[..., T], tuple[Any, ...]]]) -> list[T]:
    """The results of functions that are called on threads beside each other."""
    return in_parallel(_called, calls)


def _called(call: tuple[Callable[..., T], tuple[Any, ...]]) -> T:
    function, arguments = call
    _place.within = True
    try:
        return function(*arguments)
    finally:
        _place.within = False


def parts(items: Sequence[T], count: int) -> list[Sequence[T]]:
    """The items in at most ``count`` runs of nearly equal length, none of them empty.

    >>> parts([1, 2, 3], 2), parts([1], 2)
    ([[1, 2], [3]], [[1]])
    """
    count = max(1, min(count, len(items)))
    ends = [-(-len(items) * i // count) for i in range(count + 1)]
    return [items[a:b] for a, b in itertools.pairwise(ends)]


def in_parallel(work: Callable[[T], R], given: Sequence[T]) -> list[R]:
    """``work`` of each, the first on this thread and the others beside it; the first error that came is raised."""
    with ONE_THREAD:
        if len(given) == 1:
            return [work(given[0])]
        cores = _apart(len(given))[1:]
        pairs = zip(cores, given[1:], strict=True)
        others = [_pool().submit(contextvars.copy_context().run, _on, c, work, part) for c, part in pairs]
        try:
            first = work(given[0])
        finally:
            errors = [f.exception() for f in others]  # nothing may go on in arrays that the caller takes back
        if any(errors):
            raise next(e for e in errors if e)
        return [first, *(f.result() for f in others)]


def _apart(count: int) -> Sequence[int | None]:
    """A core for each of so many threads, of which this one is moved to the first, from where it may move on.

    None where the system does not let us choose.
    """
    before = _cores()
    cores = sorted(before)
    start = os.getpid() * count % max(1, len(cores))  # so that processes beside this one choose others
    chosen = (cores[start:] + cores[:start])[:count]
    if len(chosen) < count or not _take({chosen[0]}):
        return [None] * count
    _take(before)
    return chosen


def _cores() -> set[int]:
    """The cores that this thread may run on; none where that is not to be known."""
    return os.sched_getaffinity(0) if sys.platform == "linux" else set()


def _take(cores: set[int]) -> bool:
    """Moves this thread to some cores; False if the system does not allow it."""
    if sys.platform != "linux":
        return False
    try:
        os.sched_setaffinity(0, cores)
    except OSError:
        return False
    return True


def _on(core: int | None, work: Callable[[T], R], part: T) -> R:
    if core is not None:
        _take({core})
    return work(part)


@functools.lru_cache(maxsize=1)
def _pool() -> Executor:
    return ThreadPoolExecutor(_MOST - 1, thread_name_prefix="lamina_numpy")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a forked process has none of its parent's threads

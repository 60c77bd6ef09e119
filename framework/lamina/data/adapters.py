"""Training data of any kind as batches, in the one form that the loops see.

A feed gives passes over the data; each batch is a list of NumPy arrays and the ``ArrayData`` that says which is which.
``Rounds`` cuts passes into epochs.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from lamina.data.arrays import ArrayData
from lamina.data.frames import as_array, is_frame, is_lazy
from lamina.errors import ArgumentError, ArgumentTypeError, DataError
from lamina.ops import random
from lamina.runtime.backends import get_backend
from lamina.runtime.convert import from_numpy
from lamina.runtime.tensor import Tensor

Piece = tuple[list[np.ndarray[Any, Any]], ArrayData]
"""The arrays of one batch, and the data they are of."""

_JAVASCRIPT: Final = ("xs", "ys", "weights")
"""The keys of a batch as TensorFlow.js has them."""


class Feed(ABC):
    """Batches of training data, pass after pass."""

    steps: int | None = None
    """How many batches a pass has; None if that is unknown, or there is no end."""
    batch_size: int | None = None
    """How many examples are in every batch but the last; None if the data decide."""
    key: int | None = None
    """What the random orders of the passes follow from; None leaves the order as it is."""
    repeats: bool = True
    """Whether the data can be gone through again."""
    prepare: Callable[[ArrayData], None] | None = None
    """What checks a batch that was not there before, and brings it into the form that a model takes."""

    @abstractmethod
    def first(self) -> ArrayData:
        """Data to build a model from: those in memory, or the first batch, which is not lost by it."""

    @abstractmethod
    def batches(self, number: int, start: int = 0) -> Iterator[Piece]:
        """The batches of a pass, from its batch ``start`` on."""

    def pass_over(self, number: int) -> None:  # noqa: B027 - most have nothing to do
        """Leaves out whole passes, up to pass ``number``, where they cannot be had by their numbers."""

    def order(self, count: int, number: int) -> np.ndarray[Any, Any] | None:
        """The order of a pass: it depends on the key and the number only."""
        if self.key is None:
            return None
        return random.permutation(count, seed=pass_seed(self.key, number))


def pass_seed(key: int, number: int) -> Tensor:
    """The seed of the random order of a pass."""
    return from_numpy(np.array([key & 0xFFFFFFFF, number], np.uint32).view(np.int32), get_backend())


class ArrayFeed(Feed):
    """Batches cut from arrays. ``shuffle`` True puts examples in random order, "batch" whole batches."""

    def __init__(self, data: ArrayData, batch_size: int, shuffle: Any = False) -> None:
        self.data = data
        self.batch_size: int = batch_size
        self.steps: int = data.steps(batch_size)
        self._whole_batches = shuffle == "batch"

    def first(self) -> ArrayData:
        return self.data

    def order(self, count: int, number: int) -> np.ndarray[Any, Any] | None:
        if not self._whole_batches:
            return super().order(count, number)
        blocks = super().order(self.steps, number)
        if blocks is None:
            return None
        examples = np.arange(count)
        # The last, smaller batch stays last, so that all others are whole.
        blocks = np.concatenate([blocks[blocks != self.steps - 1], [self.steps - 1]])
        return np.concatenate([examples[b * self.batch_size : (b + 1) * self.batch_size] for b in blocks])

    def batches(self, number: int, start: int = 0) -> Iterator[Piece]:
        data = self.data
        return zip(
            data.slices(self.batch_size, self.order(data.count, number), start), itertools.repeat(data), strict=False
        )


class _BatchFeed(Feed):
    """Base of feeds whose batches are made elsewhere."""

    def __init__(self, dtype: str) -> None:
        self._dtype = dtype

    def _piece(self, element: Any) -> Piece:
        data = as_batch(element, self._dtype)
        if self.prepare is not None:
            self.prepare(data)
        return data.whole(), data


class IndexedFeed(_BatchFeed):
    """Batches asked for by their numbers, as from Keras's ``PyDataset``: it has ``__len__`` and ``__getitem__``."""

    def __init__(self, source: Any, dtype: str) -> None:
        super().__init__(dtype)
        self._source = source
        self.steps: int | None = _batch_count(source)
        self._first: Any = None

    def first(self) -> ArrayData:
        if self._first is None:
            self._first = self._source[0]
        return as_batch(self._first, self._dtype)

    def batches(self, number: int, start: int = 0) -> Iterator[Piece]:
        _call_if_there(self._source, "on_epoch_begin")
        order = self.order(self.steps, number) if self.steps is not None else None
        numbers: Iterable[Any] = itertools.count() if self.steps is None else range(self.steps)
        for index in itertools.islice(numbers if order is None else order.tolist(), start, None):
            yield self._piece(self._source[index])
        _call_if_there(self._source, "on_epoch_end")

    def pass_over(self, number: int) -> None:
        for _ in range(number):
            _call_if_there(self._source, "on_epoch_begin")
            _call_if_there(self._source, "on_epoch_end")


class StreamFeed(_BatchFeed):
    """Batches that come one after the other: from a generator, an iterable such as a ``DataLoader``, or a dataset."""

    def __init__(self, source: Any, dtype: str) -> None:
        super().__init__(dtype)
        self._source = source
        self.repeats: bool = not hasattr(source, "__next__")
        self.steps: int | None = _length(source) if self.repeats else None
        self._open: Iterator[Any] | None = None if self.repeats else iter(source)
        self._held: list[Any] = []

    def first(self) -> ArrayData:
        if not self._held:
            if self._open is None:
                self._open = self._begin(0)
            for element in self._open:
                self._held.append(element)
                break
            else:
                raise DataError(
                    f"the data are empty: {type(self._source).__name__} gave no batch.", expected="at least one batch."
                )
        return as_batch(self._held[0], self._dtype)

    def batches(self, number: int, start: int = 0) -> Iterator[Piece]:
        held, opened = self._held, self._open
        self._held = []
        if not self.repeats:
            assert opened is not None
        elif opened is None or (number and hasattr(self._source, "epoch")):
            held, opened = [], self._begin(number)
        if self.repeats:
            self._open = None
        for element in itertools.islice(itertools.chain(held, opened), start, None):
            yield self._piece(element)

    def _begin(self, number: int) -> Iterator[Any]:
        """The iterator of a pass: datasets of lamina know passes by their numbers."""
        epoch = getattr(self._source, "epoch", None)
        return epoch(number) if callable(epoch) else iter(self._source)

    def pass_over(self, number: int) -> None:
        if self.repeats and not hasattr(self._source, "epoch"):
            for index in range(number):
                for _ in itertools.chain(self._held, self._open or self._begin(index)):
                    pass
                self._held, self._open = [], None


class Rounds:
    """Cuts the passes of a feed into epochs: one pass each, or ``steps`` batches each, going round where data end.

    A generator that ends is at its end for good: ``ran_out`` tells.
    """

    def __init__(self, feed: Feed, steps: int | None, first_epoch: int = 0) -> None:
        self.feed = feed
        self.given = steps
        self.ran_out: bool = False
        self.at: int = 0
        """The batch of the epoch that is being fetched or worked with."""
        self._first_epoch = first_epoch
        self._place: tuple[int, int] | None = None  # the epoch and batch that come next
        self._pieces: Iterator[Piece] = iter(())
        self._pass = 0

    @property
    def steps(self) -> int | None:
        """How many batches an epoch has, if that is known."""
        return self.feed.steps if self.given is None else self.given

    def epoch(self, number: int, start: int = 0) -> Iterator[Piece]:
        """The batches of an epoch, from its batch ``start`` on."""
        self.at = start
        for piece in self._pieces_of(number, start):
            yield piece
            self.at += 1

    def _pieces_of(self, number: int, start: int) -> Iterator[Piece]:
        if self.given is not None:
            return self._some(number, start, self.given)
        return self.feed.batches(number, start) if self.feed.steps else self._unknown(number, start)

    def _some(self, number: int, start: int, steps: int) -> Iterator[Piece]:
        """As many batches as are asked for."""
        if self._place != (number, start):
            self._seek(number * steps + start)
        for batch in range(start, steps):
            piece = next(self._pieces, None)
            if piece is None:
                piece = self._next_pass()
            if piece is None:
                self.ran_out = True
                return
            self._place = (number, batch + 1) if batch + 1 < steps else (number + 1, 0)
            yield piece

    def _unknown(self, number: int, start: int) -> Iterator[Piece]:
        """A whole pass, of whose length nothing is known before its end."""
        count = start
        for piece in self.feed.batches(number, start):
            count += 1
            yield piece
        if self.feed.repeats:
            self.feed.steps = count
        elif count == 0:
            self.ran_out = True

    def skip_to(self, epoch: int, start: int) -> None:
        """Leaves out what an earlier run has used, where the data do not know their passes by number."""
        if self.given is None:
            if self.feed.repeats:
                self.feed.pass_over(epoch)
            elif epoch > self._first_epoch:
                for _ in self.feed.batches(0):
                    pass
        elif self.feed.steps is None:
            self._place = (epoch, start)
            self._pieces = self.feed.batches(0)
            for _ in range((epoch - self._first_epoch) * self.given + start):
                if next(self._pieces, None) is None and self._next_pass() is None:
                    break
        elif not isinstance(self.feed, ArrayFeed):
            self.feed.pass_over((epoch * self.given + start) // self.feed.steps)

    def _seek(self, batch: int) -> None:
        """Opens the pass in which a batch lies, counted from the beginning of the first epoch."""
        if self.feed.steps:
            self._pass, start = divmod(batch, self.feed.steps)
            self._pieces = self.feed.batches(self._pass, start)
        else:
            self._pieces = self.feed.batches(0)

    def _next_pass(self) -> Piece | None:
        if not self.feed.repeats:
            return None
        self._pass += 1
        self._pieces = self.feed.batches(self._pass)
        return next(self._pieces, None)


def is_in_memory(x: Any) -> bool:
    """Whether data are arrays, or lists or dicts of them, not something that gives batches."""
    if x is None or is_frame(x) or isinstance(x, (list, tuple, range, Mapping, complex, float, int)):
        return True
    return any(hasattr(x, name) for name in ("shape", "__dlpack__", "to_numpy", "__array__", "__lamina_tensor__"))


def _are_batches(x: Any) -> bool:
    """Whether a list is one of batches: tuples of arrays."""
    return (
        isinstance(x, list)
        and bool(x)
        and all(isinstance(batch, tuple) and batch and hasattr(batch[0], "shape") for batch in x)
    )


def make_feed(
    x: Any, y: Any = None, sample_weight: Any = None, *, batch_size: int = 32, shuffle: Any = False, dtype: str
) -> Feed:
    """The feed of data as users give them. Raises DataError or ArgumentTypeError for what gives no batches."""
    if is_lazy(x):
        as_array(x)  # which says what to do
    if is_in_memory(x) and not (y is None and _are_batches(x)):
        return ArrayFeed(ArrayData(x, y, sample_weight, dtype=dtype), batch_size, shuffle)
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ArgumentError(
                f"{name} was given beside x that gives batches ({type(x).__name__}).",
                expected="batches (x, y) or (x, y, sample_weight) from x itself.",
            )
    if hasattr(x, "__len__") and hasattr(x, "__getitem__") and not hasattr(x, "epoch"):
        return IndexedFeed(x, dtype)
    if hasattr(x, "__iter__"):
        return StreamFeed(x, dtype)
    raise ArgumentTypeError(
        f"x is a {type(x).__name__}.",
        expected="arrays, a generator or iterable of batches, or an object with __len__ and __getitem__.",
        fix="call the function." if callable(x) else None,
    )


def as_batch(element: Any, dtype: str) -> ArrayData:
    """One batch of data: (x,), (x, y), (x, y, sample_weight), {"xs": x, "ys": y}, or x alone."""
    if isinstance(element, Mapping) and "xs" in element and set(element) <= set(_JAVASCRIPT):
        return ArrayData(*(element.get(key) for key in _JAVASCRIPT), dtype=dtype)
    if isinstance(element, (tuple, list)):
        if not 1 <= len(element) <= 3:
            raise DataError(
                f"a batch is a {type(element).__name__} of {len(element)} parts.",
                expected="(x,), (x, y) or (x, y, sample_weight).",
                fix="put several inputs together: ((x1, x2), y).",
            )
        return ArrayData(*element, dtype=dtype)
    return ArrayData(element, dtype=dtype)


def _length(source: Any) -> int | None:
    """The number of batches of a pass, if the source knows it."""
    try:
        return len(source)
    except TypeError:  # no length, an unknown one, or none at all
        return None


def _batch_count(source: Any) -> int | None:
    count = getattr(source, "num_batches", None)
    return int(count) if count is not None else _length(source)


def _call_if_there(source: Any, name: str) -> None:
    method = getattr(source, name, None)
    if callable(method):
        method()

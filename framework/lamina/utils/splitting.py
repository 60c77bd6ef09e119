"""Data in two parts, such as for training and for testing."""

from __future__ import annotations

from typing import Any

from lamina.data import Dataset, from_arrays, from_list, is_frame
from lamina.data.frames import is_list_of_numbers
from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.shapes import as_float, as_int


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Dataset, Dataset]:
    """Two datasets out of one: the first elements, and the last.

    ``dataset`` is a ``Dataset``, an array or a frame, a tuple, list or dict of arrays of equal length (elements are
    then tuples or dicts of their entries), or anything with a length and entries by number, such as a dataset of torch.
    A size, ``left_size`` or ``right_size``, is a fraction between 0 and 1 or a number of elements; one of them may be
    None, which takes the rest. ``shuffle`` brings the elements in a random order before, the same each time; ``seed``
    makes it reproducible. A dataset of unknown length is brought into memory. ``preferred_backend`` is there for
    scripts of Keras and changes nothing: the results are datasets of lamina.

    Raises ArgumentError for sizes that do not fit or leave a side empty.

    >>> left, right = split_dataset(list(range(5)), left_size=0.6)
    >>> [int(n) for n in left], [int(n) for n in right]
    ([0, 1, 2], [3, 4])
    """
    whole = _as_dataset(dataset)
    if whole.size is None:
        whole = from_list(whole.to_list())
    total = len(whole)
    left, right = _sizes(left_size, right_size, total)
    if shuffle:
        whole = whole.shuffle(total, seed=seed, reshuffle_each_iteration=False)
    return whole.take(left), whole.skip(total - right)


def _as_dataset(given: Any) -> Dataset:
    if isinstance(given, Dataset):
        return given
    if isinstance(given, (list, tuple, dict)) or hasattr(given, "__array__") or is_frame(given):
        return from_arrays(tuple(given) if isinstance(given, list) and not is_list_of_numbers(given) else given)
    if hasattr(given, "__len__") and hasattr(given, "__getitem__") and not isinstance(given, (str, bytes)):
        return Dataset(lambda _: (given[i] for i in range(len(given))), len(given))
    raise ArgumentTypeError(f"a dataset of {type(given).__name__}.", expected="a Dataset, or arrays of equal length.")


def _sizes(left: Any, right: Any, total: int) -> tuple[int, int]:
    if left is None and right is None:
        raise ArgumentError("left_size and right_size are both None.", expected="at least one of them.")
    first = None if left is None else _size(left, "left_size", total)
    last = None if right is None else _size(right, "right_size", total)
    first = total - (last or 0) if first is None else first
    last = total - first if last is None else last
    if first + last > total or min(first, last) < 1:
        raise ArgumentError(
            f"left_size {left} and right_size {right} give {first} and {last} of {total} elements.",
            expected="at least one on each side, and together no more than there are.",
        )
    return first, last


def _size(given: Any, name: str, total: int) -> int:
    if isinstance(given, float):
        return round(as_float(given, name, minimum=0.0, below=1.0) * total)
    return as_int(given, name, minimum=1)

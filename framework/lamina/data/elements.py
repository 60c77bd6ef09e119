"""Elements of datasets: structures of arrays, numbers and strings; cut out of arrays, and stacked to batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from lamina.data.frames import as_array, as_matrix, is_frame, is_list_of_numbers
from lamina.errors import DataError
from lamina.notices import name_of, note
from lamina.runtime.convert import host_array
from lamina.structures import map_structure


def applied(function: Callable[..., Any], element: Any) -> Any:
    """The result of a function for an element; the parts of a tuple are arguments of their own."""
    return function(*element) if isinstance(element, tuple) else function(element)


def each_applied(function: Callable[..., Any], elements: Iterable[Any], step: str) -> Iterator[tuple[Any, Any]]:
    """Each element with a function's result for it; an error says in which step and at which element."""
    for number, element in enumerate(elements):
        try:
            found = applied(function, element)
        except Exception as error:
            note(error, f"In the function {name_of(function)!r} of {step}, at element {number} (counted from 0).")
            raise
        yield element, found


def as_arrays(structure: Any, name: str = "arrays") -> Any:
    """A structure of arrays out of one of anything that is an array; lists of numbers are arrays too."""
    if is_list_of_numbers(structure) and isinstance(structure, list):
        return as_array(structure, name)
    if isinstance(structure, dict):
        return {key: as_arrays(value, f"{name}[{key!r}]") for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return map_parts(structure, [as_arrays(value, f"{name}[{i}]") for i, value in enumerate(structure)])
    return as_matrix(structure, name) if is_frame(structure) else as_array(structure, name)


def map_parts(structure: Any, parts: list[Any]) -> Any:
    """A list, tuple or named tuple like ``structure`` of other parts."""
    if isinstance(structure, list):
        return parts
    return type(structure)(*parts) if hasattr(structure, "_fields") else tuple(parts)


def entries(structure: Any, place: Any) -> Any:
    """A copy of the entry, or for a slice or several numbers of the entries, of each array of a structure."""

    def entry(array: np.ndarray[Any, Any]) -> Any:
        found = array[place]
        return found.copy() if isinstance(found, (np.ndarray, np.generic)) else found

    return map_structure(entry, structure)


def stacked(elements: Sequence[Any], path: str = "") -> Any:
    """Elements of one structure as one structure of arrays with a new first axis.

    Lists of numbers are arrays, as are numbers; Python's floats become float32 and its ints int32.

    Raises DataError, saying in which part, for elements of different structures or shapes, and for missing values.

    >>> stacked([{"x": [1.0, 2.0], "y": 0}, {"x": [3.0, 4.0], "y": 1}])["x"].tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    first = elements[0]
    if isinstance(first, dict):
        _check_alike(elements, path, lambda e: isinstance(e, dict) and e.keys() == first.keys())
        return {key: stacked([e[key] for e in elements], f"{path}[{key!r}]") for key in first}
    if isinstance(first, tuple) or (isinstance(first, list) and not is_list_of_numbers(first)):
        _check_alike(elements, path, lambda e: isinstance(e, type(first)) and len(e) == len(first))
        columns = [stacked([e[i] for e in elements], f"{path}[{i}]") for i in range(len(first))]
        return map_parts(first, columns)
    return _stacked_leaves(elements, path)


def _check_alike(elements: Sequence[Any], path: str, alike: Callable[[Any], bool]) -> None:
    for element in elements:
        if not alike(element):
            raise DataError(
                f"the elements of a batch differ in their form{_where(path)}: {_described(elements[0])} and "
                f"{_described(element)}.",
                expected="one structure in all elements.",
                fix="bring them into one form with map, or leave some out with filter.",
            )


def _described(element: Any) -> str:
    if isinstance(element, dict):
        return f"a dict with {', '.join(map(repr, element))}"
    if isinstance(element, (list, tuple)):
        return f"a {type(element).__name__} of {len(element)}"
    return f"a {type(element).__name__}"


def _stacked_leaves(values: Sequence[Any], path: str) -> np.ndarray[Any, Any]:
    for value in values:
        if value is None or isinstance(value, dict) or is_frame(value):
            raise DataError(
                f"an element of a batch holds {'None' if value is None else _described(value)}{_where(path)}.",
                expected="numbers, strings or arrays, as in the other elements.",
                fix="fill it with map, or leave the element out with filter." if value is None else None,
            )
    if all(isinstance(v, (bool, int, float, complex, str)) and not isinstance(v, np.generic) for v in values):
        return host_array(list(values))
    arrays = [as_array(v, f"an element{_where(path)}") for v in values]
    for array in arrays:
        if array.shape != arrays[0].shape:
            raise DataError(
                f"the elements of a batch have different shapes{_where(path)}: {arrays[0].shape} and {array.shape}.",
                expected="one shape in all elements.",
                fix="bring them to one shape with map, such as with lamina.utils.pad_sequences, or batch one by one.",
            )
    return np.stack(arrays)


def _where(path: str) -> str:
    return f" in {path}" if path else ""

"""Whether what lamina gave is what was recorded."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np


class Tolerance(NamedTuple):
    """How near floats have to be: relative to each entry, and to the largest one or 1."""

    rtol: float
    atol: float


VALUES: Final = Tolerance(1e-4, 1e-5)
"""One call: both compute in float32, or store float32."""
GRADIENTS: Final = Tolerance(1e-3, 1e-5)
"""Gradients of layers, through recurrences of some steps."""
TRAINED: Final = Tolerance(1e-3, 1e-5)
"""After several steps of training."""


def assert_result(found: Any, recorded: Any, where: str = "result", near: Tolerance = VALUES) -> None:
    """Equal structure, dtypes, shapes, integers, bools and strings; near floats."""
    if isinstance(recorded, np.ndarray):
        _assert_array(as_array(found), recorded, where, near)
    elif isinstance(recorded, dict):
        assert isinstance(found, dict), f"{where}: {type(found).__name__}, recorded an object with {list(recorded)}"
        for key, value in recorded.items():
            assert key in found, f"{where}: no {key!r}"
            assert_result(found[key], value, f"{where}.{key}", near)
    elif isinstance(recorded, list):
        items = list(found)
        assert len(items) == len(recorded), f"{where}: {len(items)} results, recorded {len(recorded)}"
        for i, (item, value) in enumerate(zip(items, recorded, strict=True)):
            assert_result(item, value, f"{where}[{i}]", near)
    elif isinstance(recorded, float):
        assert_near(np.asarray(found), np.asarray(recorded), where, near)
    else:
        assert found == recorded, f"{where}: {found!r}, recorded {recorded!r}"


def as_array(found: Any) -> np.ndarray[Any, Any]:
    """A tensor, a Variable or a number as an array."""
    return np.asarray(found.numpy() if hasattr(found, "numpy") else found)


def _assert_array(found: np.ndarray[Any, Any], recorded: np.ndarray[Any, Any], where: str, near: Tolerance) -> None:
    assert found.shape == recorded.shape, f"{where}: shape {found.shape}, recorded {recorded.shape}"
    assert found.dtype == recorded.dtype, f"{where}: dtype {found.dtype}, recorded {recorded.dtype}"
    if recorded.dtype.kind in "fc":
        assert_near(found, recorded, where, near)
    else:
        wrong = found != recorded
        assert not np.any(wrong), f"{where}: {found[wrong][:4]}, recorded {recorded[wrong][:4]}"


def assert_near(
    found: np.ndarray[Any, Any], recorded: np.ndarray[Any, Any], where: str, tolerance: Tolerance = VALUES
) -> None:
    """Near in float32, relative to each entry or to the largest one."""
    rtol, atol = tolerance
    largest = float(np.max(np.abs(recorded), initial=0.0, where=np.isfinite(recorded)))
    found, recorded = np.atleast_1d(found), np.atleast_1d(recorded)
    near = np.isclose(found, recorded, rtol=rtol, atol=max(atol, atol * largest), equal_nan=True)
    assert np.all(near), f"{where}: {found[~near][:4]}, recorded {recorded[~near][:4]}"


def assert_plausible(found: Any, recorded: dict[str, Any], stats: dict[str, float]) -> None:
    """Random numbers: the recorded dtype and shape, and a mean that the recorded spread allows."""
    array = as_array(found)
    assert list(array.shape) == list(recorded["shape"]), f"shape {array.shape}, recorded {recorded['shape']}"
    assert str(array.dtype) == recorded["dtype"], f"dtype {array.dtype}, recorded {recorded['dtype']}"
    count, spread = stats["n"], float(stats["max"]) - float(stats["min"])  # "-0" is a string
    if count < 30:
        return
    room = 6.0 * spread / math.sqrt(count) + 1e-6
    difference = abs(float(np.mean(array.astype(np.float64))) - float(stats["mean"]))
    assert difference <= room, f"the mean differs by {difference}, at most {room} is plausible"


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every leaf of nested lists and dicts with the path to it."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from leaves(item, (*path, i))
    else:
        yield path, value


def at(value: Any, path: Sequence[Any]) -> Any:
    """What lies at a path of list indices and keys."""
    for part in path:
        value = value[part]
    return value


def replaced(value: Any, path: Sequence[Any], new: Any) -> Any:
    """A copy with another leaf at a path."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy

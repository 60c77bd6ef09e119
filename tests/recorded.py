"""Recorded calls of TensorFlow.js and Keras, where their folders are at hand: what tests compare with."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lamina import ops
from vectors.records import default_folder, loader

RTOL, ATOL = 1e-4, 1e-5


def folder(of: str) -> Path:
    """The folder of the recordings of "tensorflow.js" (LAMINA_VECTORS names it) or "keras", which lies beside it."""
    found = default_folder()
    return found if of == "tensorflow.js" else found.parent / "keras_vectors"


@functools.lru_cache(maxsize=16)
def _records(of: str, name: str) -> tuple[dict[str, Any], ...] | None:
    path = folder(of)
    if not (path / name).exists():
        return None
    return tuple(loader(path).records(str(path / name)))


def records(of: str, name: str, /, **wanted: Any) -> list[dict[str, Any]]:
    """The records of a file whose fields are as wanted; skips the test if the folder is absent."""
    found = _records(of, name)
    if found is None:
        pytest.skip(f"the recordings of {of} are not at {folder(of)}; LAMINA_VECTORS names their folder")
    chosen = [r for r in found if all(r.get(key) == value for key, value in wanted.items())]
    assert chosen, f"no record of {name} has {wanted}"
    return chosen


def assert_near(found: Any, expected: Any, what: str, *, rtol: float = RTOL, atol: float = ATOL) -> None:
    """Equal shapes and near values, relative to each or to the largest entry."""
    array = np.asarray(found.numpy() if hasattr(found, "numpy") else found)
    expected = np.asarray(expected)
    assert array.shape == expected.shape, f"{what}: shape {array.shape}, recorded {expected.shape}"
    largest = float(np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected)))
    np.testing.assert_allclose(array, expected, rtol=rtol, atol=max(atol, atol * largest), err_msg=what)


def gradient_of(f: Any, x: np.ndarray[Any, Any], cotangent: Any) -> np.ndarray[Any, Any]:
    """The gradient of ``sum(f(x) * cotangent)`` with respect to x."""
    from lamina import grad

    result: np.ndarray[Any, Any] = grad(lambda t: ops.sum(ops.multiply(f(t), cotangent)))(x).numpy()
    return result

"""Each kernel of NumPy made wrong in each of seven ways: a case of its op finds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lamina.contract import Backend
from lamina.ops import OPS
from lamina.runtime.backends import on_backend
from lamina.testing import Case, all_cases, check_value
from unit.testing.broken_backends import SOUND, broken

Kernel = Callable[..., Any]
SEEN: dict[str, list[Case]] = {}
for row in all_cases():
    if row.raises is None:
        SEEN.setdefault(row.op, []).append(row)


def _each(change: Callable[[Any], Any], found: Any) -> Any:
    return tuple(map(change, found)) if isinstance(found, (tuple, list)) else change(found)


def off(kernel: Kernel) -> Kernel:
    """Floats are a little too large, integers by one; truths are turned round."""

    def change(array: Any) -> Any:
        array = np.asarray(array)
        if array.dtype.kind in "fcV":
            return (array * 1.001 + 1e-3).astype(array.dtype)
        return ~array if array.dtype.kind == "b" else array + np.ones((), array.dtype)

    return lambda *arrays, **settings: _each(change, kernel(*arrays, **settings))


def retyped(kernel: Kernel) -> Kernel:
    """Results are of another width, and truths are numbers."""
    other = {"float32": "float64", "float64": "float32", "complex64": "complex128", "complex128": "complex64"}

    def change(array: Any) -> Any:
        array = np.asarray(array)
        return array.astype(other.get(array.dtype.name, "int16" if array.dtype.kind in "iub" else "float32"))

    return lambda *arrays, **settings: _each(change, kernel(*arrays, **settings))


def reshaped(kernel: Kernel) -> Kernel:
    """Results have an axis more."""
    return lambda *arrays, **settings: _each(lambda array: np.asarray(array)[None], kernel(*arrays, **settings))


def pooled(kernel: Kernel) -> Kernel:
    """Results of one shape and dtype lie in one array."""
    buffers: dict[Any, Any] = {}

    def wrong(*arrays: Any, **settings: Any) -> Any:
        found = kernel(*arrays, **settings)
        places = iter(range(len(found) if isinstance(found, (tuple, list)) else 1))

        def change(array: Any) -> Any:
            array = np.asarray(array)
            buffer = buffers.setdefault((next(places), array.shape, array.dtype), np.empty_like(array))
            np.copyto(buffer, array)
            return buffer

        return _each(change, found)

    return wrong


def spoiling(kernel: Kernel) -> Kernel:
    """What a kernel was given is overwritten."""

    def wrong(*arrays: Any, **settings: Any) -> Any:
        found = _each(np.array, kernel(*arrays, **settings))
        for array in arrays:
            if isinstance(array, np.ndarray) and array.flags.writeable and array.dtype.kind != "O":
                array[...] = np.zeros((), array.dtype) if array.any() else np.ones((), array.dtype)
        return found

    return wrong


def _is_found(op: str, backend: Backend) -> bool:
    with on_backend(backend), np.errstate(all="ignore"):
        for row in SEEN[op]:
            try:
                check_value(row, backend)
            except Exception:  # however it shows
                return True
    return False


@pytest.mark.parametrize("breaking", [off, retyped, reshaped, pooled, spoiling], ids=lambda f: f.__name__)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_kernel(breaking: Callable[[Kernel], Kernel]) -> None:
    kernels = {op: kernel for op, kernel in SOUND.items() if breaking is not spoiling or OPS[op].inputs}
    missed = [op for op, kernel in kernels.items() if not _is_found(op, broken({op: breaking(kernel)}))]
    assert missed == [], missed
    assert len(kernels) > 100


NEVER_EMPTY = {
    "random_uniform": "seeds are two numbers",
    "random_normal": "seeds are two numbers",
    "random_integers": "seeds are two numbers",
    "bias_correction": "the number of steps is one number",
    "window_max_gradient": "its y are the maxima of its x; window_max_pick has cases without elements",
}
REFUSED = {
    "gaps in memory": (lambda array: array.ndim and not array.flags.c_contiguous, {}),
    "no elements": (lambda array: not array.size, NEVER_EMPTY),
}


def refusing(kernel: Kernel, refused: Callable[[Any], bool]) -> Kernel:
    """Some arrays are not taken."""

    def wrong(*arrays: Any, **settings: Any) -> Any:
        if any(isinstance(array, (np.ndarray, np.generic)) and refused(array) for array in arrays):
            raise ValueError("not these")
        return kernel(*arrays, **settings)

    return wrong


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_kernel_that_refuses_some_arrays(what: str) -> None:
    refused, spared = REFUSED[what]
    kernels = {op: kernel for op, kernel in SOUND.items() if OPS[op].inputs}
    missed = {op for op, kernel in kernels.items() if not _is_found(op, broken({op: refusing(kernel, refused)}))}
    assert sorted(missed - set(spared)) == []


def test_every_kernel_has_a_case() -> None:
    assert sorted(set(SOUND) - set(SEEN)) == []
    assert set(SOUND) <= set(OPS)

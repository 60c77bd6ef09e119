"""From anything that looks like an array to a tensor, and from one backend to another."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from lamina.contract import Backend
from lamina.dtypes import canonical_dtype
from lamina.errors import ArgumentTypeError, BackendError, DTypeError, LaminaError, ShapeError
from lamina.runtime.backends import HOLDS_STRINGS, find_backend, get_backend
from lamina.runtime.exhaustion import check_memory, memory_checked
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec

SCALARS: Final = (bool, int, float, complex)
_CACHED_SCALARS: Final = 1024
_WIDE: Final = {
    "i": ("int64", "float32", "float64", "complex64", "complex128"),
    "f": ("float64", "complex64", "complex128"),
    "c": ("complex128",),
}
"""Dtypes in which numbers out of Python lists keep digits that the default would lose, by NumPy's kind."""

REFUSALS: Final = (AttributeError, TypeError, BufferError, RuntimeError, ValueError)
"""How libraries say that they cannot take over an array of another one."""

_scalars: OrderedDict[Any, Tensor] = OrderedDict()


def to_tensor(value: Any, dtype: str | None = None, backend: Backend | None = None) -> Tensor:
    """A tensor of a tensor-like value: a Tensor, a Variable, a NumPy array, nested lists, or what speaks DLPack.

    Python floats become float32 and Python ints int32; NumPy arrays keep their dtype.
    """
    if type(value) is Tensor:
        return value
    if isinstance(value, SCALARS) and not isinstance(value, np.generic):
        return scalar(value, dtype or canonical_dtype(type(value)), backend or get_backend())
    if hasattr(value, "__lamina_tensor__"):
        found: Tensor = value.__lamina_tensor__()
        return found
    if hasattr(value, "__dlpack__") and not isinstance(value, np.ndarray):
        return _from_dlpack(value, backend or get_backend())
    return from_numpy(host_array(value, dtype), backend or get_backend())


def from_numpy(array: np.ndarray[Any, Any], backend: Backend, *, owned: bool = False) -> Tensor:
    """A tensor with the values of a NumPy array, sharing no memory with it.

    ``owned`` gives the array away: its memory becomes the tensor's where it can, so nobody else may keep it. A
    read-only array is somebody's, and is copied.
    Strings go to the host where the backend has none.
    """
    dtype = "string" if array.dtype.kind in "UOT" else canonical_dtype(array.dtype)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    missing = backend.supports(dtype)
    if missing is not None and dtype == "string":
        backend = find_backend(HOLDS_STRINGS)
    elif missing is not None:
        raise DTypeError(f"the backend {backend.name!r} has no dtype {dtype}: {missing}")
    spec, given = Spec(array.shape, dtype), owned and array.flags.writeable and array.flags.aligned
    try:
        return Tensor((backend.adopt_host if given else backend.from_host)(array), spec, backend)
    except Exception as error:
        check_memory(error, backend, "a copy of an array", spec)
        raise


def host_view(tensor: Tensor) -> np.ndarray[Any, Any]:
    """The values of a tensor as a NumPy array that may be the tensor's own memory: to be read at once, never written.

    Raises HostReadError inside a recorded step.
    """
    found = tensor.backend.to_host(tensor.array).view()
    found.flags.writeable = False
    return found


def scalar(value: Any, dtype: str, backend: Backend) -> Tensor:
    """A tensor without axes for a Python scalar; the most recent ones are kept and shared."""
    key = (type(value), value, dtype, id(backend), math.copysign(1, value) if isinstance(value, float) else 1)
    found = _scalars.get(key)
    if found is None:
        found = from_numpy(_checked_scalar(value, dtype), backend)
        _scalars[key] = found
        if len(_scalars) > _CACHED_SCALARS:
            _scalars.popitem(last=False)
    return found


def shared_scalars() -> list[Tensor]:
    """The tensors of Python scalars that are kept at present."""
    return list(_scalars.values())


def meet(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Tensors of several backends on one: the one that holds strings if there are any, else the active one.

    They move through DLPack where both sides can, else through host memory.
    """
    strings = next((t._backend for t in tensors if t.dtype == "string" and t._backend is not None), None)
    home = strings or get_backend()
    return tuple(t if t._backend is home or t._backend is None else move(t, home) for t in tensors)


def move(tensor: Tensor, backend: Backend) -> Tensor:
    """The tensor on another backend. Raises BackendError if there is no way across."""
    if tensor.backend is backend:
        return tensor
    missing = backend.supports(tensor.dtype)
    if missing is not None:
        raise BackendError(
            f"a {tensor.dtype} tensor cannot go from {tensor.backend.name!r} to {backend.name!r}: {missing}",
            fix="cast it first, or keep the computation on one backend.",
        )
    with memory_checked(backend, f"a tensor of the backend {tensor.backend.name!r}", tensor.spec):
        try:
            array = backend.from_dlpack(tensor.array)
        except REFUSALS:
            array = backend.from_host(tensor.backend.to_host(tensor.array))
    return Tensor(array, tensor.spec, backend)


def from_dlpack(x: Any) -> Tensor:
    """A tensor of the active backend in the memory of another library's array that speaks DLPack.

    Nothing is copied where that array lies on the backend's device; else its values are. Tensors do not change, so
    write to that memory only when the tensor is no longer used; ``lamina.tensor`` copies. Only values are taken over:
    what the array's library knows of its gradient stays behind. The other way, libraries take a tensor as it is, for
    instance ``torch.from_dlpack(tensor)``. Raises ArgumentTypeError for what does not speak DLPack, DTypeError for a
    dtype that lamina does not have.

    >>> import numpy as np
    >>> array = np.arange(3.0)
    >>> x = from_dlpack(array)
    >>> np.shares_memory(x.array, array)
    True
    """
    if isinstance(x, Tensor):
        return x
    if not hasattr(x, "__dlpack__") or hasattr(x, "__lamina_tensor__"):
        raise ArgumentTypeError(
            f"a {type(x).__name__} does not speak DLPack.",
            expected="an array of NumPy, PyTorch, CuPy, JAX or the like.",
            fix="use lamina.tensor, which copies.",
        )
    return _from_dlpack(x, get_backend(), shared=True)


def _from_dlpack(value: Any, backend: Backend, shared: bool = False) -> Tensor:
    if getattr(value, "requires_grad", False):  # a tensor of torch then gives no values away by itself
        value = value.detach()
    try:
        array = backend.share_dlpack(value) if shared else backend.from_dlpack(value)
        dtype = canonical_dtype(value.dtype)
    except REFUSALS as error:
        if isinstance(error, LaminaError):
            raise
        return from_numpy(host_array(value, None), backend)
    return Tensor(array, Spec(tuple(value.shape), dtype), backend)


def host_array(value: Any, dtype: str | None = None) -> np.ndarray[Any, Any]:
    """A NumPy array of what is one, has ``__array__``, or is a number or nested lists of them.

    Python numbers are float32 and int32, or of the wider ``dtype`` that is asked for.
    """
    if isinstance(value, np.ndarray):
        return _without_objects(value)
    if isinstance(value, (list, tuple)) and _holds_tensors(value):
        value = _without_tensors(value)
    elif not isinstance(value, (list, tuple, str, np.generic, range)) and not hasattr(value, "__array__"):
        raise ArgumentTypeError(
            f"a {type(value).__name__} is not a tensor.",
            expected="a Tensor, a NumPy array, a number, or nested lists of numbers.",
            fix=getattr(type(value), "__lamina_hint__", None),
        )
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ShapeError(
            "nested lists of unequal lengths are not a tensor.", expected="lists of equal length at each level."
        ) from error
    return _python_default(_without_objects(array), value, dtype)


def _without_objects(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array itself; refused if its elements are Python objects other than strings."""
    if array.dtype.kind == "O":
        for element in array.flat:
            if not isinstance(element, (str, bytes)):
                raise ArgumentTypeError(
                    f"an array with a {type(element).__name__} in it is not a tensor.",
                    expected="numbers, or strings only.",
                )
    return array


def _python_default(array: np.ndarray[Any, Any], value: Any, dtype: str | None) -> np.ndarray[Any, Any]:
    """Numbers out of Python lists are float32, int32 or complex64, or of the wider dtype that is asked for.

    NumPy's own scalars keep their dtype.
    """
    if hasattr(value, "__array__") or _has_numpy_leaf(value):
        return array
    kind = array.dtype.kind
    if dtype in _WIDE.get(kind, ()):
        return array.astype(dtype)
    if kind == "f" or (array.size == 0 and kind != "U"):
        return array.astype(np.float32)
    if kind in "iu":
        return _checked_int32(array)
    return array.astype(np.complex64) if kind == "c" else array


def _has_numpy_leaf(value: Any) -> bool:
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return isinstance(value, (np.generic, np.ndarray))


def _holds_tensors(value: Any) -> bool:
    return any(hasattr(v, "numpy") or (isinstance(v, (list, tuple)) and _holds_tensors(v)) for v in value)


def _without_tensors(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_without_tensors(v) for v in value]
    return value.numpy() if hasattr(value, "numpy") else value


def _checked_int32(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    bounds = np.iinfo(np.int32)
    if array.size and (array.max() > bounds.max or array.min() < bounds.min):
        raise DTypeError(
            f"an integer between {array.min()} and {array.max()} does not fit into int32, the dtype of Python ints.",
            fix="give dtype='int64', or a NumPy array of that dtype.",
        )
    return array.astype(np.int32)


def _checked_scalar(value: Any, dtype: str) -> np.ndarray[Any, Any]:
    try:
        return np.asarray(value, dtype=numpy_dtype(dtype))
    except (OverflowError, TypeError) as error:
        raise DTypeError(f"the number {value!r} does not fit into {dtype}.") from error


def numpy_dtype(dtype: str) -> np.dtype[Any]:
    """NumPy's dtype object for a dtype of lamina; strings are objects.

    Raises DTypeError for bfloat16 if the package ml_dtypes is missing.
    """
    if dtype == "bfloat16":
        try:
            import ml_dtypes
        except ImportError as error:
            raise DTypeError(
                "NumPy has no bfloat16 of its own.",
                expected="the package ml_dtypes to be installed.",
                fix="pip install 'lamina[bfloat16]', or use float16 or float32.",
            ) from error
        found: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return found
    return np.dtype(object if dtype == "string" else dtype)

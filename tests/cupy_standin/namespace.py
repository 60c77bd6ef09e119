"""The functions of CuPy that the backend calls, with CuPy's parameters. Each is a function of NumPy behind a door."""

from __future__ import annotations

import math
import types
from typing import Any

import numpy as np

from cupy_standin import cuda, ledger, raw
from cupy_standin.array import POOL, compute, ndarray, unwrap

UFUNCS = (
    "abs", "acos", "acosh", "add", "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and", "ceil", "conj", "cos",
    "cosh", "divide", "equal", "exp", "expm1", "floor", "floor_divide", "greater", "greater_equal", "isfinite", "isinf",
    "isnan", "less", "less_equal", "log", "log1p", "log2", "logical_and", "logical_not", "logical_or", "logical_xor",
    "matmul", "maximum", "minimum", "multiply", "negative", "not_equal", "pow", "remainder", "sign", "sin", "sinh",
    "sqrt", "square", "subtract", "tan", "tanh",
)  # fmt: skip
TYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
    "complex64", "complex128",
)  # fmt: skip
BEFORE_2_1 = {"acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan",
              "atan2": "arctan2", "atanh": "arctanh", "pow": "power"}  # fmt: skip


def array(obj, dtype=None, copy=True, order="K", subok=False, ndmin=0, *, blocking=False):
    if isinstance(obj, ndarray):
        same = dtype is None or np.dtype(dtype) == obj.dtype
        if not copy and same and order in (None, "K", "A"):
            return obj
        return compute(lambda host: np.array(host, dtype, order=order or "K"), obj)
    if isinstance(obj, (tuple, list)):
        unwrap(obj)
    ledger.upload(f"array of {type(obj).__name__}")
    return ndarray(np.array(obj, dtype, order="C" if order in (None, "K", "A") else order))


def asarray(a, dtype=None, order=None, *, copy=None, blocking=False):
    return array(a, dtype, bool(copy), order or "K")


def ascontiguousarray(a, dtype=None):
    return compute(lambda host: np.ascontiguousarray(host, dtype).reshape(host.shape), a)


def asnumpy(a, stream=None, order="C", out=None, *, blocking=True):
    return a.get() if isinstance(a, ndarray) else np.asarray(a)


def astype(x, dtype, /, *, copy=True):
    if not isinstance(x, ndarray):
        raise TypeError(f"Input should be a CuPy array. It is a {type(x)} instead.")
    return x.astype(dtype, copy=copy)


def from_dlpack(array, *, device=None, copy=None):
    if isinstance(array, ndarray):
        return ndarray(array.host)
    raise BufferError("CPU arrays cannot be directly imported to CuPy.")


def empty(shape, dtype=float, order="C"):
    made = compute(np.empty, shape, dtype)
    made.host.view(np.uint8).fill(0xFE) if made.host.ndim and made.host.size else None  # so that nobody counts on zeros
    return made


def zeros(shape, dtype=float, order="C"):
    return compute(np.zeros, shape, dtype)


def ones(shape, dtype=float, order="C"):
    return compute(np.ones, shape, dtype)


def full(shape, fill_value, dtype=None, order="C"):
    return compute(np.full, shape, fill_value, dtype)


def zeros_like(a, dtype=None, order="K", subok=None, shape=None):
    return compute(np.zeros_like, a, dtype)


def ones_like(a, dtype=None, order="K", subok=None, shape=None):
    return compute(np.ones_like, a, dtype)


def full_like(a, fill_value, dtype=None, order="K", subok=None, shape=None):
    return compute(np.full_like, a, fill_value, dtype)


def empty_like(prototype, dtype=None, order="K", subok=None, shape=None):
    return compute(np.empty_like, prototype, dtype)


def arange(start, stop=None, step=1, dtype=None):
    return compute(np.arange, *((start, stop) if stop is not None else (0, start)), step, dtype)


def eye(N, M=None, k=0, dtype=float, order="C"):
    return compute(np.eye, N, M, k, dtype)


def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    return compute(np.linspace, start, stop, num, dtype=dtype)


def triu(m, k=0):
    return compute(np.triu, m, k)


def reshape(a, newshape, order="C", *, copy=None):
    return compute(np.reshape, a, newshape)


def permute_dims(a, axes=None):
    return compute(np.transpose, a, axes)


def matrix_transpose(x, /):
    return compute(np.swapaxes, x, -1, -2)


def broadcast_to(array, shape):
    return compute(np.broadcast_to, array, shape)


def broadcast_shapes(*shapes):
    return np.broadcast_shapes(*shapes)


def concat(tup, axis=0, out=None, *, dtype=None, casting="same_kind"):
    return compute(np.concatenate, list(tup), axis)


def stack(tup, axis=0, out=None, *, dtype=None, casting="same_kind"):
    return compute(np.stack, list(tup), axis)


def flip(a, axis=None):
    return compute(np.flip, a, axis)


def take(a, indices, axis=None, out=None):
    return compute(lambda a, i, axis: np.take(a, i, axis, mode="wrap"), a, indices, axis)


def where(condition, x=None, y=None):
    if x is None:
        return nonzero(condition)
    return compute(np.where, condition, x, y)


def nonzero(a):
    ledger.wait("nonzero")
    return compute(np.nonzero, a)


def clip(a, a_min, a_max, out=None):
    return compute(np.clip, a, a_min, a_max)


def argsort(a, axis=-1, kind=None):
    if kind not in (None, "stable"):
        raise ValueError("kind can only be None or 'stable'")
    return compute(np.argsort, a, axis, "stable")


def sum(a, axis=None, dtype=None, out=None, keepdims=False):
    found = compute(np.sum, a, axis, dtype, out=out, keepdims=keepdims)
    return found if out is None else out


def prod(a, axis=None, dtype=None, out=None, keepdims=False):
    return compute(np.prod, a, axis, dtype, keepdims=keepdims)


def max(a, axis=None, out=None, keepdims=False):
    return compute(np.max, a, axis, keepdims=keepdims)


def min(a, axis=None, out=None, keepdims=False):
    return compute(np.min, a, axis, keepdims=keepdims)


def any(a, axis=None, out=None, keepdims=False):
    return compute(np.any, a, axis, keepdims=keepdims)


def all(a, axis=None, out=None, keepdims=False):
    return compute(np.all, a, axis, keepdims=keepdims)


def argmax(a, axis=None, dtype=None, out=None, keepdims=False):
    return compute(np.argmax, a, axis)


def argmin(a, axis=None, dtype=None, out=None, keepdims=False):
    return compute(np.argmin, a, axis)


def round(a, decimals=0, out=None):
    return compute(np.round, a, decimals)


def cumulative_sum(x, /, *, axis=None, dtype=None, out=None, include_initial=False):
    return compute(np.cumsum, x, axis, dtype)


def cumulative_prod(x, /, *, axis=None, dtype=None, out=None, include_initial=False):
    return compute(np.cumprod, x, axis, dtype)


def copyto(dst, src, casting="same_kind", where=None):
    compute(np.copyto, dst, src)


def real(val):
    return val.real


def imag(val):
    return val.imag


def isdtype(dtype, kind):
    return np.isdtype(np.dtype(dtype), kind)


def result_type(*arrays_and_dtypes):
    return np.result_type(*map(unwrap, arrays_and_dtypes))


def get_default_memory_pool():
    return POOL


def solve(a, b):
    if a.shape[:-1] != b.shape[:-1]:
        raise ValueError("a must have (..., M, M) shape and b must have (..., M, K) for multidimensional b")
    return compute(np.linalg.solve, a, b)


def scatter_add(a, slices, value):
    if a.dtype.name not in ("int32", "uint32", "uint64", "float32", "float64"):
        raise TypeError(
            f"scatter_add only supports int32, uint32, uint64, float32 and float64 as data type, not {a.dtype}"
        )
    compute(lambda host, key, value: np.add.at(host, _wrapped(host, key), value), a, slices, value)


def scatter_max(a, slices, value):
    compute(lambda host, key, value: np.maximum.at(host, _wrapped(host, key), value), a, slices, value)


def _wrapped(host, key):
    """Positions outside an axis wrap around, as a kernel that cannot raise lets them."""
    keys = key if isinstance(key, tuple) else (key,)
    return tuple(k % host.shape[i] if isinstance(k, np.ndarray) else k for i, k in enumerate(keys))


def erf(x):
    return compute(lambda host: np.vectorize(math.erf, otypes=[host.dtype])(host) if host.size else host.copy(), x)


def _fourier(name):
    def transform(a, n=None, axis=-1, norm=None):
        return compute(getattr(np.fft, name), a, n, axis, norm)

    return transform


def _ufunc(name):
    function = getattr(np, name, None) or getattr(np, BEFORE_2_1[name])

    def ufunc(*args, **kwargs):
        if not args or (not isinstance(args[0], ndarray) and not isinstance(args[-1], ndarray)):
            raise TypeError(f"{name} of numbers alone stays on the host")
        return compute(function, *args, **kwargs)

    return ufunc


def _module(name: str, **members: Any) -> types.ModuleType:
    found = types.ModuleType(name)
    found.__dict__.update(members)
    return found


FUNCTIONS = {
    f.__name__: f for f in (
        all, any, arange, argmax, argmin, argsort, array, asarray, ascontiguousarray, asnumpy, astype, broadcast_shapes,
        broadcast_to, clip, concat, copyto, cumulative_prod, cumulative_sum, empty, empty_like, eye, flip, from_dlpack,
        full, full_like, get_default_memory_pool, imag, isdtype, linspace, matrix_transpose, max, min, nonzero, ones,
        ones_like, permute_dims, prod, real, reshape, result_type, round, stack, sum, take, triu, where, zeros,
        zeros_like,
    )
}  # fmt: skip
"""Those whose parameters are held against CuPy's own where CuPy is installed."""


def modules() -> dict[str, types.ModuleType]:
    """The modules ``cupy`` and ``cupyx`` and what they hold."""
    fft = _module("cupy.fft", **{name: _fourier(name) for name in ("fft", "ifft", "rfft", "irfft")})
    linalg = _module("cupy.linalg", solve=solve)
    types_ = {name: getattr(np, name) for name in TYPES}
    cupy = _module(
        "cupy", __version__="14.2.0", ndarray=ndarray, iinfo=np.iinfo, dtype=np.dtype, fft=fft, linalg=linalg,
        cuda=cuda.module(), RawModule=raw.RawModule, **FUNCTIONS, **{n: _ufunc(n) for n in UFUNCS}, **types_,
    )  # fmt: skip
    special = _module("cupyx.scipy.special", erf=erf)
    scipy = _module("cupyx.scipy", special=special)
    cupyx = _module("cupyx", scatter_add=scatter_add, scatter_max=scatter_max, scipy=scipy)
    return {
        "cupy": cupy, "cupy.cuda": cupy.cuda, "cupy.fft": fft, "cupy.linalg": linalg, "cupyx": cupyx,
        "cupyx.scipy": scipy, "cupyx.scipy.special": special,
    }  # fmt: skip

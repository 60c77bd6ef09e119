"""Ufuncs, which can write into a buffer, with NumPy's warnings turned off: infinities and NaN are results."""

from __future__ import annotations

import contextvars
import functools
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lamina.contract import KernelTable
from lamina.shapes import Spec
from lamina_numpy.calls import Arrays, Binding, Call
from lamina_numpy.dtypes import numpy_dtype

kernels = KernelTable()

_FEW = 8192  # elements up to which starting a loop costs as much as running it
_MANY, _LONG = 32768, 8192  # elements: what is worth the trouble, and how long rows should be

QUIET = {
    "add": np.add, "multiply": np.multiply, "negative": np.negative, "maximum": np.maximum, "minimum": np.minimum,
    "abs": np.absolute, "floor": np.floor, "ceil": np.ceil, "round": np.rint, "square": np.square, "sin": np.sin,
    "cos": np.cos, "equal": np.equal, "not_equal": np.not_equal, "less": np.less, "less_equal": np.less_equal,
    "greater": np.greater, "greater_equal": np.greater_equal, "logical_and": np.logical_and,
    "logical_or": np.logical_or, "logical_xor": np.logical_xor, "logical_not": np.logical_not, "isnan": np.isnan,
    "isinf": np.isinf, "isfinite": np.isfinite, "sign": np.sign, "complex_conjugate": np.conjugate,
    "subtract": np.subtract, "exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "sqrt": np.sqrt,
    "divide": np.divide, "mod": np.remainder, "floor_divide": np.floor_divide,
    "reciprocal": np.reciprocal, "tan": np.tan, "arcsin": np.arcsin, "arccos": np.arccos, "arctan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "arcsinh": np.arcsinh, "arccosh": np.arccosh, "arctanh": np.arctanh,
    "arctan2": np.arctan2, "bitwise_and": np.bitwise_and,
}  # fmt: skip


def quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function without NumPy's floating-point warnings."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return wrapped


class Silence(threading.local):
    """Runs a function without NumPy's warnings, at a fifth of what ``np.errstate`` costs.

    NumPy keeps its settings in the current context, so a context of its own for each thread is told once.
    """

    def __init__(self) -> None:
        context = contextvars.Context()
        context.run(np.seterr, all="ignore")
        self.run = context.run


_silence = Silence()


def _quiet_ufunc(ufunc: np.ufunc) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return _silence.run(ufunc, *args, **kwargs)
        except RuntimeError:  # a finalizer or signal handler that computes, while a ufunc of this thread runs
            return quiet(ufunc)(*args, **kwargs)

    return wrapped


def _positional(ufunc: np.ufunc) -> Callable[[Sequence[Spec], Sequence[Spec], Mapping[str, Any]], Any]:
    """In a replayed step the executable turns warnings off once, so the bare ufunc will do, its buffer last."""

    def specialize(inputs: Sequence[Spec], outputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Any:
        if ufunc in (np.maximum, np.minimum):  # a positional buffer is deprecated for these two
            return lambda a, b, out: ufunc(a, b, out=out)
        if ufunc in (np.add, np.subtract, np.multiply):
            return _with_repeated_row(ufunc, inputs, outputs[0]) or ufunc
        return ufunc

    return specialize


def _with_repeated_row(ufunc: np.ufunc, inputs: Sequence[Spec], y: Spec) -> Callable[..., None] | None:
    """The ufunc of many rows and a single one that each of them meets; None for other shapes.

    NumPy starts anew at each row. So the single one is repeated, and there are fewer and longer rows.
    """
    shapes = [spec.shape for spec in inputs]
    if y.shape not in shapes or y.size < _MANY or any(spec.dtype != y.dtype for spec in inputs):
        return None
    first = shapes[1] == y.shape  # the position of the single row
    row, length = shapes[not first], y.shape[-1]
    repeats = _divisor(y.size // length, _LONG // length) if length else 0
    if math.prod(row) != length or row[-1:] != (length,) or len(row) > y.ndim or repeats < 4:
        return None
    repeated = np.empty((repeats, length), numpy_dtype(y.dtype))
    flat, shape = repeated.reshape(-1), (y.size // (repeats * length), repeats * length)

    def kernel(a: Any, b: Any, out: Any) -> None:
        rows, single = (b, a) if first else (a, b)
        if not (rows.flags.c_contiguous and out.flags.c_contiguous):
            ufunc(a, b, out)
            return
        np.copyto(repeated, single.reshape(length))
        many = rows.reshape(shape)
        ufunc(*((flat, many) if first else (many, flat)), out.reshape(shape))

    return kernel


def repeated_calls(ufunc: np.ufunc) -> Binding:
    """A ufunc of few numbers, one argument being repeated along axes: NumPy is faster if that is written out first.

    Its loop over arguments of different shapes costs more to start than a copy and a loop over ones of equal shapes.
    """

    def bind(inputs: Arrays, outputs: Arrays, attrs: Mapping[str, Any]) -> list[Call] | None:
        (y,) = outputs
        whole = [a.shape == y.shape for a in inputs]
        if whole.count(True) != 1 or y.size > _FEW or any(a.dtype != y.dtype for a in inputs):
            return None
        small = inputs[whole.index(False)]
        if small.size < 2:
            return None
        repeated = np.empty(y.shape, y.dtype)
        a, b = (repeated if a is small else a for a in inputs)
        return [Call(np.copyto, (repeated, small)), Call(ufunc, (a, b, y))]

    return bind


def _divisor(number: int, limit: int) -> int:
    """The largest divisor up to a limit; 0 if there is none."""
    return next((d for d in range(min(number, limit), 0, -1) if number % d == 0), 0)


for _name, _ufunc in QUIET.items():
    kernels.add(_name, _quiet_ufunc(_ufunc), out=True, specialize=_positional(_ufunc))


@kernels("rsqrt", out=True)
@quiet
def rsqrt(x: Any, out: Any = None) -> Any:
    return np.reciprocal(np.sqrt(x, out=out), out=out)


@kernels.specialized("rsqrt")
def _(inputs: Sequence[Spec], outputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Any:
    sqrt, reciprocal = np.sqrt, np.reciprocal

    def kernel(x: Any, out: Any) -> None:
        sqrt(x, out)
        reciprocal(out, out)

    return kernel


@kernels("power", out=True)
@quiet
def power(a: Any, b: Any, out: Any = None) -> Any:
    """Also of integers to negative powers, which are truncated: 0, or for 1 and -1 what they are."""
    if b.dtype.kind != "i":
        return np.power(a, b, out=out)
    below = b < 0
    units = np.where(b % 2, a, a * a) * (np.abs(a) == 1)
    result = np.where(below, units, np.power(a, np.where(below, 0, b))).astype(a.dtype)
    if out is None:
        return result
    np.copyto(out, result)
    return out


@kernels.specialized("power")
def _(inputs: Sequence[Spec], outputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Any:
    return np.power if numpy_dtype(inputs[1].dtype).kind != "i" else None


def _part(name: str) -> Callable[..., Any]:
    """A copy of one part: a view would need its argument's memory after the last use that is known of."""

    def kernel(x: Any, out: Any = None) -> Any:
        if out is None:
            return getattr(x, name).copy()
        out[...] = getattr(x, name)
        return out

    return kernel


kernels.add("real", _part("real"), out=True)
kernels.add("imag", _part("imag"), out=True)


@kernels("complex", out=True)
def complex_(real: Any, imag: Any, out: Any = None) -> Any:
    if out is None:
        out = np.empty(real.shape, np.result_type(real.dtype, np.complex64))
    out.real, out.imag = real, imag
    return out


@kernels("cast", out=True)
@quiet
def cast(x: Any, dtype: str, out: Any = None) -> Any:
    wanted = numpy_dtype(dtype)
    if x.dtype.kind == "c" and wanted.kind not in "cb":
        x = x.real
    if x.dtype.kind == "f" and wanted.kind in "iu":
        x = np.nan_to_num(np.trunc(x), nan=0.0, posinf=None, neginf=None).astype(np.int64)
    if out is None:
        return x.astype(wanted)
    np.copyto(out, x, casting="unsafe")
    return out


@kernels.specialized("cast")
def _(inputs: Sequence[Spec], outputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Any:
    kinds = [numpy_dtype(s.dtype).kind for s in (inputs[0], outputs[0])]
    if kinds[0] == "c" or (kinds[0] not in "bui" and kinds[1] in "ui"):
        return None
    return lambda x, out: np.copyto(out, x, casting="unsafe")


@kernels("where")
def where(condition: Any, a: Any, b: Any) -> Any:
    return np.where(condition, a, b)

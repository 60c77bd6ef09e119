"""The dtypes and how they combine. Pure rules, no arrays.

A dtype is its name, a plain string: ``"float32"``, as in Keras; it compares equal to NumPy's own dtype object.
"""

from __future__ import annotations

from typing import Any, Final

from lamina.errors import DTypeError

BOOL: Final = ("bool",)
INTEGER: Final = ("uint8", "int8", "int16", "int32", "int64")
FLOATING: Final = ("float16", "bfloat16", "float32", "float64")
COMPLEX: Final = ("complex64", "complex128")
STRING: Final = ("string",)

INEXACT: Final = FLOATING + COMPLEX
REAL: Final = BOOL + INTEGER + FLOATING
NUMERIC: Final = INTEGER + FLOATING + COMPLEX
ARITHMETIC: Final = BOOL + NUMERIC
ALL: Final = ARITHMETIC + STRING

ITEMSIZE: Final = {
    "bool": 1, "uint8": 1, "int8": 1, "int16": 2, "int32": 4, "int64": 8,
    "float16": 2, "bfloat16": 2, "float32": 4, "float64": 8, "complex64": 8, "complex128": 16,
}  # fmt: skip

LARGEST: Final = {
    "float16": 65504.0, "bfloat16": 3.3895313892515355e38, "float32": 3.4028234663852886e38,
    "float64": 1.7976931348623157e308,
}  # fmt: skip
"""The largest finite number of each floating dtype."""

_PYTHON: Final[dict[Any, str]] = {bool: "bool", int: "int32", float: "float32", complex: "complex64", str: "string"}

# Each dtype's direct successors; the promotion of two dtypes is their least common successor.
_SUCCESSORS: Final[dict[str, tuple[str, ...]]] = {
    "bool": ("uint8", "int8"), "uint8": ("int16",), "int8": ("int16",), "int16": ("int32",), "int32": ("int64",),
    "int64": ("float16", "bfloat16"), "float16": ("float32",), "bfloat16": ("float32",),
    "float32": ("float64", "complex64"), "float64": ("complex128",), "complex64": ("complex128",), "complex128": (),
    "string": (),
}  # fmt: skip


def _closure(name: str) -> tuple[str, ...]:
    """The dtype and everything it can be promoted to, nearest first."""
    found: list[str] = [name]
    for current in found:
        found.extend(s for s in _SUCCESSORS[current] if s not in found)
    return tuple(found)


_REACHABLE: Final = {name: _closure(name) for name in ALL}


def _least_common(a: str, b: str) -> str | None:
    common = [d for d in _REACHABLE[a] if d in _REACHABLE[b]]
    for candidate in common:
        if all(other in _REACHABLE[candidate] for other in common):
            return candidate
    return None


_PROMOTED: Final = {(a, b): _least_common(a, b) for a in ALL for b in ALL}


def canonical_dtype(dtype: Any) -> str:
    """The name of a dtype given as a name, a Python type, or the dtype object of an array library.

    Raises DTypeError if there is no such dtype in lamina.

    >>> canonical_dtype(float), canonical_dtype("int64")
    ('float32', 'int64')
    """
    if isinstance(dtype, str) and dtype in _REACHABLE:
        return dtype
    if isinstance(dtype, type) and dtype in _PYTHON:
        return _PYTHON[dtype]
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
    name = str(name).rpartition(".")[2]
    if name in _REACHABLE:
        return name
    raise DTypeError(
        f"{dtype!r} is not a dtype of lamina.",
        expected=f"one of {', '.join(ALL)}.",
        fix="convert the array first, for example with array.astype('float32').",
    )


def promote_dtypes(a: str, b: str) -> str:
    """The dtype that an op on ``a`` and ``b`` computes in: the least one that both convert to.

    Integers and floats meet in the float's own width (as in PyTorch and JAX), so that float32 stays float32.
    Raises DTypeError for strings with numbers.

    >>> promote_dtypes("int32", "float32"), promote_dtypes("uint8", "int8")
    ('float32', 'int16')
    """
    if a == b:
        return a
    promoted = _PROMOTED[a, b]
    if promoted is None:
        raise DTypeError(
            f"cannot combine dtypes {a} and {b}.",
            expected="both numeric or both string.",
            fix="convert one of them before the call.",
        )
    return promoted


def weak_dtype(kind: type, dtype: str) -> str:
    """The dtype a Python scalar takes beside a tensor of ``dtype``: weak, it changes the kind but not the width.

    >>> weak_dtype(float, "float16"), weak_dtype(float, "int32"), weak_dtype(int, "bool")
    ('float16', 'float32', 'int32')
    """
    if kind is bool:
        return dtype
    if kind is int:
        return "int32" if dtype == "bool" else dtype
    if kind is float:
        return dtype if dtype in INEXACT else "float32"
    if kind is complex:
        return {"float64": "complex128", "complex128": "complex128"}.get(dtype, "complex64")
    return "string"


def real_dtype(dtype: str) -> str:
    """The dtype of a real or imaginary part: complex64 gives float32, complex128 gives float64."""
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)

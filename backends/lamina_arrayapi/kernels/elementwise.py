"""Arithmetic, mathematics, comparisons and logic."""

from __future__ import annotations

from typing import Any

from lamina.contract import KernelTable

SAME_NAME = (
    "add", "subtract", "multiply", "divide", "floor_divide", "maximum", "minimum", "negative", "abs", "sign", "floor",
    "ceil", "round", "exp", "expm1", "log", "log1p", "sqrt", "square", "sin", "cos", "equal", "not_equal", "less",
    "less_equal", "greater", "greater_equal", "logical_and", "logical_or", "logical_xor", "logical_not", "isnan",
    "isinf", "isfinite", "where", "bitwise_and",
)  # fmt: skip

LOGICAL_ON_BOOL = {"add": "logical_or", "maximum": "logical_or", "multiply": "logical_and", "minimum": "logical_and"}
"""The standard has no arithmetic on bool; NumPy's meaning is a logical op."""

ORDER = ("less", "less_equal", "greater", "greater_equal")
"""The standard does not order bool; false is less than true."""

OTHER_NAME = {
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
    "arctan2": "atan2", "tan": "tan", "sinh": "sinh", "cosh": "cosh",
}  # fmt: skip


def make(xp: Any) -> KernelTable:
    kernels = KernelTable()
    for name in SAME_NAME:
        numeric = getattr(xp, name)
        if name in LOGICAL_ON_BOOL:
            numeric = _with_bool(xp, numeric, getattr(xp, LOGICAL_ON_BOOL[name]))
        kernels.add(name, _with_order(xp, numeric) if name in ORDER else numeric)
    for name, standard in OTHER_NAME.items():
        kernels.add(name, getattr(xp, standard))
    kernels.add("mod", xp.remainder)
    kernels.add("power", _with_negative_powers(xp, xp.pow))

    @kernels("rsqrt")
    def rsqrt(x: Any) -> Any:
        return 1.0 / xp.sqrt(x)

    @kernels("reciprocal")
    def reciprocal(x: Any) -> Any:
        return 1.0 / x

    @kernels("erf")
    def erf(x: Any) -> Any:
        x = xp.asarray(x)  # NumPy's results without axes are scalars, which NumPy 2.0 does not cast
        return xp.astype(xp.asarray(_erf(xp, xp.astype(x, xp.float64))), x.dtype)

    @kernels("cast")
    def cast(x: Any, dtype: str) -> Any:
        if xp.isdtype(x.dtype, "complex floating") and not dtype.startswith("complex"):
            x = (x != 0) if dtype == "bool" else xp.real(x)
        return xp.astype(x, getattr(xp, dtype))

    @kernels("identity")
    def identity(x: Any) -> Any:
        return x

    @kernels("real")
    def real(x: Any) -> Any:
        return xp.real(x) if xp.isdtype(x.dtype, "complex floating") else x

    @kernels("imag")
    def imag(x: Any) -> Any:
        return xp.imag(x) if xp.isdtype(x.dtype, "complex floating") else xp.zeros_like(x)

    @kernels("complex")
    def complex_(real: Any, imag: Any) -> Any:
        """The standard does not put parts together: an infinite one makes the other NaN."""
        wanted = xp.complex64 if real.dtype == xp.float32 else xp.complex128
        return xp.astype(real, wanted) + xp.astype(imag, wanted) * 1j

    kernels.add("complex_conjugate", xp.conj)
    return kernels


def _with_bool(xp: Any, numeric: Any, logical: Any) -> Any:
    def kernel(a: Any, b: Any) -> Any:
        return logical(a, b) if a.dtype == xp.bool else numeric(a, b)

    return kernel


def _with_negative_powers(xp: Any, numeric: Any) -> Any:
    """Powers also of integers to negative ones, which are truncated: 0, or for 1 and -1 what they are."""

    def kernel(a: Any, b: Any) -> Any:
        if not xp.isdtype(b.dtype, "signed integer"):
            return numeric(a, b)
        below = b < 0
        units = xp.where(b % 2 == 0, a * a, a) * xp.astype(xp.abs(a) == 1, a.dtype)
        return xp.where(below, units, numeric(a, xp.where(below, xp.zeros_like(b), b)))

    return kernel


def _with_order(xp: Any, numeric: Any) -> Any:
    def kernel(a: Any, b: Any) -> Any:
        if a.dtype == xp.bool:
            a, b = xp.astype(a, xp.int8), xp.astype(b, xp.int8)
        return numeric(a, b)

    return kernel


# Coefficients of W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969).
_SMALL_TOP = (
    1.85777706184603153e-1,
    3.16112374387056560e0,
    1.13864154151050156e2,
    3.77485237685302021e2,
    3.20937758913846947e3,
)
_SMALL_BOTTOM = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
_MIDDLE_TOP = (
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1, 2.98635138197400131e2,
    8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3,
)  # fmt: skip
_MIDDLE_BOTTOM = (
    1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
    3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
)  # fmt: skip


def _erf(xp: Any, x: Any) -> Any:
    """The error function in float64, within 1e-15; beyond 5.9 it is 1 to the last bit."""
    near = xp.clip(x, -6.0, 6.0)
    size = xp.abs(near)
    square = size * size
    small = near * _horner(square, _SMALL_TOP) / _horner(square, _SMALL_BOTTOM)
    tail = xp.exp(-square) * _horner(size, _MIDDLE_TOP) / _horner(size, _MIDDLE_BOTTOM)
    return xp.where(size <= 0.46875, small, xp.where(xp.isnan(x), x, xp.sign(x) * (1.0 - tail)))


def _horner(x: Any, coefficients: tuple[float, ...]) -> Any:
    result = x * 0.0 + coefficients[0]
    for coefficient in coefficients[1:]:
        result = result * x + coefficient
    return result

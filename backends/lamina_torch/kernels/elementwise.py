"""Arithmetic, mathematics, comparisons and logic: mostly torch's own functions under other names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from lamina.contract import KernelTable
from lamina_torch.dtypes import TORCH_DTYPES

kernels = KernelTable()

ROWS: dict[str, Callable[..., Any]] = {
    "add": torch.add, "subtract": torch.sub, "multiply": torch.mul, "divide": torch.div, "power": torch.pow,
    "maximum": torch.maximum, "minimum": torch.minimum, "negative": torch.neg, "abs": torch.abs, "floor": torch.floor,
    "ceil": torch.ceil, "round": torch.round, "exp": torch.exp, "expm1": torch.expm1, "log": torch.log,
    "log1p": torch.log1p, "sqrt": torch.sqrt, "rsqrt": torch.rsqrt, "square": torch.square,
    "reciprocal": torch.reciprocal, "sin": torch.sin, "cos": torch.cos, "erf": torch.erf, "equal": torch.eq,
    "not_equal": torch.ne, "less": torch.lt, "less_equal": torch.le, "greater": torch.gt, "greater_equal": torch.ge,
    "logical_and": torch.logical_and, "logical_or": torch.logical_or, "logical_xor": torch.logical_xor,
    "logical_not": torch.logical_not, "where": torch.where,
    "tan": torch.tan, "arcsin": torch.asin, "arccos": torch.acos, "arctan": torch.atan, "sinh": torch.sinh,
    "cosh": torch.cosh, "arcsinh": torch.asinh, "arccosh": torch.acosh, "arctanh": torch.atanh,
    "arctan2": torch.atan2, "complex": torch.complex, "bitwise_and": torch.bitwise_and,
}  # fmt: skip

for _name, _function in ROWS.items():
    kernels.add(_name, _function, out=True)

kernels.add("isnan", torch.isnan)
kernels.add("isinf", torch.isinf)
kernels.add("isfinite", torch.isfinite)
kernels.add("clip", torch.clamp, out=True)


@kernels("sign")
def sign(x: Any) -> Any:
    """Torch's gives 0 for NaN."""
    return torch.where(torch.isnan(x), x, torch.sign(x)) if x.is_floating_point() else torch.sign(x)


@kernels("floor_divide")
def floor_divide(a: Any, b: Any) -> Any:
    """As NumPy also for integers, where the processor traps: x // 0 is 0, and the least integer // -1 is itself."""
    if a.is_floating_point():
        return torch.floor_divide(a, b)
    traps = _trapping(b)
    quotient = torch.floor_divide(a, torch.where(traps, 1, b))
    return torch.where(traps, -a * (b != 0), quotient)


@kernels("mod")
def mod(a: Any, b: Any) -> Any:
    """As NumPy also for integers: what is left of a division by 0 or -1 is 0."""
    if a.is_floating_point():
        return torch.remainder(a, b)
    traps = _trapping(b)
    return torch.remainder(a, torch.where(traps, 1, b)) * ~traps


def _trapping(b: Any) -> Any:
    """Where an integer divisor is 0 or -1, which for an unsigned one would be its largest value."""
    return (b == 0) | (b == -1) if b.dtype.is_signed else b == 0


@kernels("cast")
def cast(x: Any, dtype: str) -> Any:
    wanted = TORCH_DTYPES[dtype]
    if x.is_complex() and not wanted.is_complex:
        x = (x != 0) if wanted is torch.bool else torch.real(x)
    if x.is_floating_point() and wanted is not torch.bool and not wanted.is_floating_point and not wanted.is_complex:
        x = torch.nan_to_num(x, 0.0).to(torch.int64)
    return x.to(wanted, copy=True)


@kernels("identity")
def identity(x: Any) -> Any:
    return x


@kernels("real")
def real(x: Any) -> Any:
    return (torch.real(x) if x.is_complex() else x).clone()


@kernels("imag")
def imag(x: Any) -> Any:
    return torch.imag(x).clone() if x.is_complex() else torch.zeros_like(x)


@kernels("complex_conjugate")
def complex_conjugate(x: Any) -> Any:
    return torch.conj_physical(x) if x.is_complex() else x.clone()

"""Sums and products of all elements up to each one, along an axis."""

from __future__ import annotations

from typing import Any

from lamina.dtypes import NUMERIC
from lamina.ops.elementwise import multiply
from lamina.ops.shaping import flip, pad, split
from lamina.runtime.op import TensorLike, composite_op, op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, normalize_axis


def _scanned(x: Any, axis: int, exclusive: bool, reverse: bool) -> Spec:
    return Spec(x.shape, x.dtype)


def _settings(x: Tensor, axis: Any, exclusive: Any, reverse: Any) -> dict[str, Any]:
    return {"axis": normalize_axis(axis, x.ndim), "exclusive": bool(exclusive), "reverse": bool(reverse)}


@op(result=_scanned, dtypes=NUMERIC)
def cumsum(x: TensorLike, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Tensor:
    """Sums of the elements up to each one along an axis: y[i] = x[0] + ... + x[i].

    ``exclusive`` leaves x[i] itself out, ``reverse`` adds from the end. The axis defaults to 0, as in TensorFlow;
    otherwise as ``numpy.cumsum``, but the dtype stays. Raises OutOfRangeError if there is no such axis.

    >>> cumsum([1.0, 2.0, 3.0]).tolist(), cumsum([1.0, 2.0, 3.0], exclusive=True, reverse=True).tolist()
    ([1.0, 3.0, 6.0], [5.0, 3.0, 0.0])
    """


cumsum.settings(_settings)


@cumsum.gradient
def _(dy: Tensor, *, axis: int, exclusive: bool, reverse: bool) -> Tensor:
    return cumsum(dy, axis, exclusive, not reverse)


@composite_op(result=_scanned, dtypes=NUMERIC)
def cumprod(x: TensorLike, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Tensor:
    """Products of the elements up to each one along an axis: y[i] = x[0] * ... * x[i].

    ``exclusive`` leaves x[i] itself out, ``reverse`` multiplies from the end. The axis defaults to 0, as in
    TensorFlow; otherwise as ``numpy.cumprod``, but the dtype stays. The gradient is right where elements are 0, for it
    divides by none. Raises OutOfRangeError if there is no such axis.

    >>> cumprod([2.0, 3.0, 4.0]).tolist(), cumprod([2.0, 3.0, 4.0], exclusive=True).tolist()
    ([2.0, 6.0, 24.0], [1.0, 2.0, 6.0])
    """
    if reverse:
        return flip(cumprod.__wrapped__(flip(x, axis), axis, exclusive), axis)
    products, reach = _shifted(x, axis, 1) if exclusive else x, 1
    while reach < x.shape[axis]:  # of so many elements each product is made already
        products = multiply(products, _shifted(products, axis, reach))
        reach *= 2
    return products


cumprod.settings(_settings)


def _shifted(x: Tensor, axis: int, by: int) -> Tensor:
    """The elements moved towards the end of an axis, with ones in front."""
    count = x.shape[axis]
    padded = pad(x, [(by if a == axis else 0, 0) for a in range(x.ndim)], constant_value=1)
    return split(padded, (count, by), axis)[0]

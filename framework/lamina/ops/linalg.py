"""Linear algebra: bands of matrices, orthonormal rows, QR, equations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from lamina.dtypes import ARITHMETIC
from lamina.errors import ArgumentError, ShapeError
from lamina.ops.creation import arange as _arange
from lamina.ops.creation import eye as _eye
from lamina.ops.elementwise import add as _add
from lamina.ops.elementwise import cast as _cast
from lamina.ops.elementwise import conjugate as _conjugate
from lamina.ops.elementwise import divide as _divide
from lamina.ops.elementwise import divide_no_nan as _divide_no_nan
from lamina.ops.elementwise import equal as _equal
from lamina.ops.elementwise import greater as _greater
from lamina.ops.elementwise import greater_equal as _greater_equal
from lamina.ops.elementwise import less_equal as _less_equal
from lamina.ops.elementwise import logical_and as _logical_and
from lamina.ops.elementwise import multiply as _multiply
from lamina.ops.elementwise import negative as _negative
from lamina.ops.elementwise import subtract as _subtract
from lamina.ops.elementwise import where as _where
from lamina.ops.indexing import getitem as _getitem
from lamina.ops.matmul import matmul as _matmul
from lamina.ops.norms import euclidean_norm as _euclidean_norm
from lamina.ops.reduction import sum as _sum
from lamina.ops.shaping import broadcast_to as _broadcast_to
from lamina.ops.shaping import concatenate as _concatenate
from lamina.ops.shaping import split as _split
from lamina.ops.shaping import stack as _stack
from lamina.ops.shaping import transpose as _transpose
from lamina.ops.shaping import unstack as _unstack
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike, composite_op, op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, as_int, broadcast_shapes

__all__ = ["band_part", "gram_schmidt", "qr", "solve"]

_PRECISE: Final = ("float32", "float64")
_SOLVED: Final = (*_PRECISE, "complex64", "complex128")


def _matrices(name: str, x: Any) -> Any:
    if x.ndim < 2:
        raise ShapeError(f"{name}: x is {x.shape}.", expected="at least two axes.")
    return x.shape[-2:]


@composite_op(result=lambda x, num_lower, num_upper: Spec(x.shape, x.dtype), dtypes=ARITHMETIC, public=False)
def band_part(x: TensorLike, num_lower: int, num_upper: int) -> Tensor:
    """Matrices with 0 outside a band around the diagonal: num_lower diagonals below it and num_upper above it stay.

    A negative number keeps them all. As TensorFlow. Raises ShapeError for less than two axes, ArgumentError for more
    diagonals than the last two axes have rows or columns.

    >>> band_part([[1.0, 2.0], [3.0, 4.0]], 0, -1).tolist()
    [[1.0, 2.0], [0.0, 4.0]]
    """
    rows, columns = x.shape[-2:]
    distance = _subtract(_arange(rows, dtype="int32")[:, None], _arange(columns, dtype="int32"))
    below = _less_equal(distance, rows if num_lower < 0 else num_lower)
    above = _greater_equal(distance, -columns if num_upper < 0 else -num_upper)
    return _where(_logical_and(below, above), x, False if x.dtype == "bool" else 0)


@band_part.settings
def _(x: Tensor, num_lower: Any, num_upper: Any) -> dict[str, Any]:
    sizes = _matrices("band_part", x)
    counts = {"num_lower": as_int(num_lower, "num_lower"), "num_upper": as_int(num_upper, "num_upper")}
    for (name, count), size in zip(counts.items(), sizes, strict=True):
        if count > size:
            raise ArgumentError(f"band_part: {name} is {count} and x is {x.shape}.", expected=f"at most {size}.")
    return counts


def gram_schmidt(xs: Any) -> Any:
    """Orthonormal vectors that span what the given ones do: each minus its parts along those before, then scaled.

    ``xs`` is a matrix of rows, which gives a matrix, or a list of vectors, which gives a list. Raises ShapeError for
    other shapes, ArgumentError for no vectors or more than they have elements. As TensorFlow.js.

    >>> gram_schmidt([[3.0, 4.0], [1.0, 0.0]])[0].tolist()
    [0.6000000238418579, 0.800000011920929]
    """
    listed = isinstance(xs, (list, tuple))
    vectors = [to_tensor(x) for x in xs] if listed else list(_rows(to_tensor(xs)))
    if not vectors:
        raise ArgumentError("gram_schmidt of no vectors.", expected="at least one.")
    for i, x in enumerate(vectors):
        if x.ndim != 1 or x.shape != vectors[0].shape:
            raise ShapeError(f"gram_schmidt: xs[{i}] is {x.shape}.", expected=f"vectors, as xs[0] {vectors[0].shape}.")
    if len(vectors) > vectors[0].shape[0]:
        raise ArgumentError(
            f"gram_schmidt: {len(vectors)} vectors of {vectors[0].shape[0]} elements.",
            expected="no more vectors than elements.",
        )
    found: list[Tensor] = []
    for x in vectors:
        for y in found:
            x = _subtract(x, _multiply(_sum(_multiply(y, x)), y))
        found.append(_divide(x, _euclidean_norm(x)))
    return found if listed else _stack(found)


def _rows(x: Tensor) -> Sequence[Tensor]:
    if x.ndim != 2:
        raise ShapeError(f"gram_schmidt: xs is {x.shape}.", expected="a matrix, or a list of vectors.")
    return _unstack(x)


def _solved(a: Any, b: Any) -> Spec:
    rows, columns = _matrices("solve", a)
    if rows != columns or b.ndim < 2 or b.shape[-2] != rows:
        raise ShapeError(
            f"solve(a, b): a is {a.shape} and b is {b.shape}.", expected="a (..., n, n) and b (..., n, columns)."
        )
    batch = broadcast_shapes("solve", ("a", "b"), (a.shape[:-2], b.shape[:-2]))
    return Spec((*batch, rows, b.shape[-1]), a.dtype)


@op(result=_solved, dtypes=_SOLVED, public=False)
def solve(a: TensorLike, b: TensorLike) -> Tensor:
    """The x of matmul(a, x) = b, for square matrices a of full rank and matrices b, the other axes broadcast.

    As ``numpy.linalg.solve`` for two axes or more. Raises ShapeError if shapes do not fit, ArgumentError for a singular
    matrix on NumPy and on a CPU; on a device that would have to wait, it gives infinities or NaN.

    >>> solve([[2.0, 0.0], [0.0, 4.0]], [[2.0], [2.0]]).tolist()
    [[1.0], [0.5]]
    """


@solve.gradient("b")
def _(dy: Tensor, *, a: Tensor) -> Tensor:
    return solve(_adjoint(a), dy)


@solve.gradient("a")
def _(dy: Tensor, *, a: Tensor, y: Tensor) -> Tensor:
    return _negative(_matmul(solve(_adjoint(a), dy), _conjugate(y), transpose_b=True))


def _adjoint(x: Tensor) -> Tensor:
    return _transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2), conjugate=True)


def _factors(x: Any, full_matrices: bool = False) -> tuple[Spec, Spec]:
    rows, columns = _matrices("qr", x)
    inner = rows if full_matrices else min(rows, columns)
    return Spec((*x.shape[:-1], inner), x.dtype), Spec((*x.shape[:-2], inner, columns), x.dtype)


@composite_op(result=_factors, dtypes=_PRECISE, integers="float32", outputs=("q", "r"), public=False)
def qr(x: TensorLike, full_matrices: bool = False) -> tuple[Tensor, Tensor]:
    """The factors of matrices: x = matmul(q, r), the columns of q orthonormal, r zero below its diagonal.

    q has shape (..., m, k) and r (..., k, n) with k = min(m, n), or m if ``full_matrices``. The signs are those of
    Householder's reflections, as in TensorFlow.js: the sign of each diagonal element of r is opposite to that of the
    element it comes from. The gradient is that of matrices of full rank. Raises ShapeError for less than two axes.

    >>> [t.tolist() for t in qr([[2.0]])]
    [[[-1.0]], [[-2.0]]]
    """
    rows, columns = x.shape[-2:]
    if full_matrices and rows > columns:
        return _reflected(x)
    if rows >= columns:
        return reduced_qr(x)
    square, rest = _split(x, (rows, columns - rows), -1)
    q, r = reduced_qr(square)
    return q, _concatenate([r, _matmul(q, rest, transpose_a=True)], -1)


@qr.settings
def _(x: Tensor, full_matrices: Any) -> dict[str, Any]:
    return {"full_matrices": bool(full_matrices)}


@composite_op(result=_factors, dtypes=_PRECISE, outputs=("q", "r"), public=False)
def reduced_qr(x: TensorLike) -> tuple[Tensor, Tensor]:
    """The reduced factors of matrices with at least as many rows as columns; what ``linalg.qr`` is made of.

    >>> [t.tolist() for t in reduced_qr([[2.0], [0.0]])]
    [[[-1.0], [0.0]], [[-2.0]]]
    """
    q, r = _reflected(x)
    columns = x.shape[-1]
    return _getitem(q, (..., slice(columns))), _getitem(r, (..., slice(columns), slice(None)))


@reduced_qr.gradient
def _(dys: Any, *, q: Tensor, r: Tensor) -> Tensor:
    """(dq + q copy(m)) r^-T with m = r dr^T - dq^T q, whose lower triangle is copied above (arXiv:1710.08717)."""
    dq, dr = dys
    m = _subtract(_matmul(r, dr, transpose_b=True), _matmul(dq, q, transpose_a=True))
    lower = band_part(m, -1, 0)
    copied = _add(lower, _adjoint(_subtract(lower, band_part(m, 0, 0))))
    return _adjoint(solve(r, _adjoint(_add(dq, _matmul(q, copied)))))


def _reflected(x: Tensor) -> tuple[Tensor, Tensor]:
    """Householder's reflections, one for each column, on all matrices at once; the full factors."""
    rows, columns = x.shape[-2:]
    places = _arange(rows, dtype="int32")[:, None]
    q, r = _broadcast_to(_eye(rows, dtype=x.dtype), (*x.shape[:-2], rows, rows)), x
    for j in range(min(rows, columns)):
        column = _where(_greater_equal(places, j), _getitem(r, (..., slice(j, j + 1))), 0.0)
        length = _euclidean_norm(column, (-2, -1), keepdims=True)
        head = _getitem(r, (..., slice(j, j + 1), slice(j, j + 1)))
        turned = _where(_greater(head, 0.0), _negative(length), length)
        pivot = _subtract(head, turned)
        normal = _where(_greater(places, j), _divide_no_nan(column, pivot), _cast(_equal(places, j), x.dtype))
        weighted = _multiply(_divide_no_nan(_negative(pivot), turned), normal)
        r = _subtract(r, _matmul(weighted, _matmul(normal, r, transpose_a=True)))
        q = _subtract(q, _matmul(_matmul(q, weighted), normal, transpose_b=True))
    return q, band_part(r, 0, -1)

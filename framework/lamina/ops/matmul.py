"""Matrix products."""

from __future__ import annotations

from typing import Any

from lamina.dtypes import NUMERIC
from lamina.errors import ShapeError
from lamina.ops.elementwise import conjugate, multiply
from lamina.ops.shaping import reshape
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike, op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, broadcast_shapes


def _product(a: Any, b: Any, transpose_a: bool, transpose_b: bool) -> Spec:
    left, right = a.shape, b.shape
    if len(left) < 2 or len(right) < 2:
        raise ShapeError(
            f"matmul(a, b): a is {a.shape} and b is {b.shape}.",
            expected="both to have at least two axes.",
            fix="use dot for vectors, or add an axis with expand_dims.",
        )
    rows, inner_a = (left[-1], left[-2]) if transpose_a else (left[-2], left[-1])
    inner_b, columns = (right[-1], right[-2]) if transpose_b else (right[-2], right[-1])
    if inner_a != inner_b:
        side = (
            {False: "last", True: "second to last"}[transpose_a],
            {False: "second to last", True: "last"}[transpose_b],
        )
        raise ShapeError(
            f"matmul(a, b): a is {a.shape} and b is {b.shape}.",
            expected=f"the {side[0]} axis of a ({inner_a}) to equal the {side[1]} axis of b ({inner_b}).",
            fix=f"check the shapes before, or pass transpose_b={not transpose_b} if b is stored transposed.",
        )
    if len(left) == len(right) == 2:
        return Spec((rows, columns), a.dtype)
    batch = left[:-2]
    if right[:-2] != batch:
        batch = broadcast_shapes("matmul", ("a", "b"), (batch, right[:-2]))
    return Spec((*batch, rows, columns), a.dtype)


@op(result=_product, dtypes=NUMERIC)
def matmul(a: TensorLike, b: TensorLike, transpose_a: bool = False, transpose_b: bool = False) -> Tensor:
    """Matrix product over the last two axes, the others broadcast: y[i, j] = sum over k of a[i, k] * b[k, j].

    ``transpose_a`` and ``transpose_b`` take a matrix as stored transposed. As NumPy for two axes or more; raises
    ShapeError for fewer, or if the inner sizes differ.

    >>> matmul([[1.0, 2.0]], [[3.0], [4.0]]).tolist()
    [[11.0]]
    """


@matmul.settings
def _(a: Tensor, b: Tensor, transpose_a: Any, transpose_b: Any) -> dict[str, Any]:
    return {"transpose_a": bool(transpose_a), "transpose_b": bool(transpose_b)}


@matmul.gradient("a")
def _(dy: Tensor, *, b: Tensor, transpose_a: bool, transpose_b: bool) -> Tensor:
    b = conjugate(b)
    if transpose_a:
        return matmul(b, dy, transpose_a=transpose_b, transpose_b=True)
    return matmul(dy, b, transpose_b=not transpose_b)


@matmul.gradient("b")
def _(dy: Tensor, *, a: Tensor, transpose_a: bool, transpose_b: bool) -> Tensor:
    a = conjugate(a)
    if transpose_b:
        return matmul(dy, a, transpose_a=True, transpose_b=transpose_a)
    return matmul(a, dy, transpose_a=not transpose_a)


def dot(a: TensorLike, b: TensorLike) -> Tensor:
    """Product of vectors and matrices in any combination, as NumPy for one and two axes.

    Raises ShapeError for more axes, or if the inner sizes differ.

    >>> dot([1.0, 2.0], [3.0, 4.0]).item()
    11.0
    """
    a, b = to_tensor(a), to_tensor(b)
    if not 1 <= a.ndim <= 2 or not 1 <= b.ndim <= 2:
        raise ShapeError(f"dot(a, b): a is {a.shape} and b is {b.shape}.", expected="one or two axes each.")
    if a.shape[-1] != b.shape[0]:
        raise ShapeError(
            f"dot(a, b): a is {a.shape} and b is {b.shape}.",
            expected=f"the last axis of a ({a.shape[-1]}) to equal the first axis of b ({b.shape[0]}).",
        )
    product = matmul(reshape(a, (-1, a.shape[-1])) if a.ndim == 1 else a, reshape(b, (-1, 1)) if b.ndim == 1 else b)
    return reshape(product, a.shape[:-1] + b.shape[1:])


def outer(a: TensorLike, b: TensorLike) -> Tensor:
    """Product of each element of one vector with each of another: y[i, j] = a[i] * b[j]. As NumPy, for vectors only.

    Raises ShapeError if a or b has other than one axis.

    >>> outer([1.0, 2.0], [3.0, 4.0]).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    a, b = to_tensor(a), to_tensor(b)
    if a.ndim != 1 or b.ndim != 1:
        raise ShapeError(f"outer(a, b): a is {a.shape} and b is {b.shape}.", expected="one axis each.")
    return multiply(reshape(a, (-1, 1)), b)

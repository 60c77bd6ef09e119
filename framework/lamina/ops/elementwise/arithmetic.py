"""The four operations, signs, dtypes and complex parts, element by element."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from lamina.dtypes import ALL, ARITHMETIC, FLOATING, INEXACT, NUMERIC, canonical_dtype
from lamina.errors import ArgumentError, DTypeError, ShapeError
from lamina.ops.elementwise.rules import broadcast
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike, composite_op, op, same_as
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec


@op(result=broadcast("add"), dtypes=ARITHMETIC)
def add(a: TensorLike, b: TensorLike) -> Tensor:
    """Sum: y = a + b, broadcast. As NumPy; bool with bool is logical or.

    >>> add([1.0, 2.0], 3.0).tolist()
    [4.0, 5.0]
    """


@add.gradient("a")
def _(dy: Tensor) -> Tensor:
    return dy


@add.gradient("b")
def _(dy: Tensor) -> Tensor:
    return dy


@op(result=broadcast("subtract"), dtypes=NUMERIC)
def subtract(a: TensorLike, b: TensorLike) -> Tensor:
    """Difference: y = a - b, broadcast. As NumPy.

    >>> subtract([1.0, 2.0], 3.0).tolist()
    [-2.0, -1.0]
    """


@subtract.gradient("a")
def _(dy: Tensor) -> Tensor:
    return dy


@subtract.gradient("b")
def _(dy: Tensor) -> Tensor:
    return negative(dy)


@op(result=broadcast("multiply"), dtypes=ARITHMETIC)
def multiply(a: TensorLike, b: TensorLike) -> Tensor:
    """Product: y = a * b, broadcast. As NumPy; bool with bool is logical and.

    >>> multiply([1.0, 2.0], 3.0).tolist()
    [3.0, 6.0]
    """


@multiply.gradient("a")
def _(dy: Tensor, *, b: Tensor) -> Tensor:
    return multiply(dy, conjugate(b))


@multiply.gradient("b")
def _(dy: Tensor, *, a: Tensor) -> Tensor:
    return multiply(dy, conjugate(a))


@op(result=broadcast("divide"), dtypes=INEXACT, integers="float32")
def divide(a: TensorLike, b: TensorLike) -> Tensor:
    """Quotient: y = a / b, broadcast. As NumPy: never rounds; integers are divided as float32.

    >>> divide([1, 2], 4).tolist()
    [0.25, 0.5]
    """


@divide.gradient("a")
def _(dy: Tensor, *, b: Tensor) -> Tensor:
    return divide(dy, conjugate(b))


@divide.gradient("b")
def _(dy: Tensor, *, b: Tensor, y: Tensor) -> Tensor:
    return negative(multiply(dy, conjugate(divide(y, b))))


@composite_op(result=broadcast("squared_difference"), dtypes=NUMERIC)
def squared_difference(a: TensorLike, b: TensorLike) -> Tensor:
    """Squared difference: y = (a - b)^2, broadcast.

    >>> squared_difference([1.0, 5.0], 3.0).tolist()
    [4.0, 4.0]
    """
    difference = subtract(a, b)
    return multiply(difference, difference)


def add_n(tensors: Sequence[TensorLike]) -> Tensor:
    """Sum of several tensors of one shape and dtype: y = tensors[0] + tensors[1] + ...

    Raises ArgumentError if there is none, ShapeError or DTypeError if they differ.

    >>> add_n([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).tolist()
    [9.0, 12.0]
    """
    if not isinstance(tensors, (list, tuple)) or not tensors:
        raise ArgumentError(f"add_n: tensors is {tensors!r}.", expected="a list of at least one tensor.")
    found = [to_tensor(t) for t in tensors]
    for i, tensor in enumerate(found):
        if tensor.shape != found[0].shape:
            raise ShapeError(f"add_n: tensors[0] is {found[0].shape} and tensors[{i}] is {tensor.shape}.",
                             expected="equal shapes.", fix="use add, which broadcasts.")  # fmt: skip
        if tensor.dtype != found[0].dtype:
            raise DTypeError(f"add_n: tensors[0] has dtype {found[0].dtype} and tensors[{i}] {tensor.dtype}.",
                             expected="equal dtypes.", fix="use add, which promotes.")  # fmt: skip
    return functools.reduce(add, found[1:], identity(found[0]))


@op(result=same_as(), dtypes=NUMERIC)
def negative(x: TensorLike) -> Tensor:
    """Negation: y = -x. As NumPy.

    >>> negative([1.0, -2.0]).tolist()
    [-1.0, 2.0]
    """


@negative.gradient
def _(dy: Tensor) -> Tensor:
    return negative(dy)


@op(result=lambda x, dtype: Spec(x.shape, dtype), dtypes=ALL)
def cast(x: TensorLike, dtype: Any) -> Tensor:
    """x in another dtype. Floats are truncated towards zero to integers; a complex number keeps its real part.

    The gradient is cast back; there is none through integers. Raises DTypeError between strings and numbers.

    >>> cast([1.7, -1.7], "int32").tolist()
    [1, -1]
    """


@cast.settings
def _(x: Tensor, dtype: Any) -> dict[str, Any]:
    wanted = canonical_dtype(dtype)
    if (x.dtype == "string") != (wanted == "string"):
        raise DTypeError(
            f"cast(x, {wanted!r}): x has dtype {x.dtype}.",
            expected="no cast between strings and numbers.",
            fix="convert the values with NumPy before making a tensor of them.",
        )
    missing = None if x._backend is None else x._backend.supports(wanted)
    if missing is not None:
        raise DTypeError(f"cast(x, {wanted!r}): the backend {x.backend.name!r} has no such dtype: {missing}")
    return {"dtype": wanted}


@cast.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return cast(dy, x.dtype)


@op(result=same_as(), dtypes=ALL, effect="view")
def identity(x: TensorLike) -> Tensor:
    """x itself, as a new tensor.

    >>> identity([1.0]).tolist()
    [1.0]
    """


@identity.gradient
def _(dy: Tensor) -> Tensor:
    return dy


@composite_op(result=same_as(), dtypes=ALL, promote=False, without_gradient="to have none is what it is for")
def stop_gradient(x: TensorLike) -> Tensor:
    """x itself, through which no gradient flows. As TensorFlow.

    >>> stop_gradient([1.0]).tolist()
    [1.0]
    """
    return identity(x)


@stop_gradient.gradient
def _(dy: Tensor) -> None:
    return None


def _composed(real: Any, imag: Any) -> Spec:
    if real.shape != imag.shape:
        raise ShapeError(
            f"complex(real, imag): real is {real.shape} and imag is {imag.shape}.", expected="equal shapes."
        )
    return Spec(real.shape, {"float32": "complex64", "float64": "complex128"}[real.dtype])


@op(result=_composed, dtypes=("float32", "float64"), integers="float32")
def complex(real: TensorLike, imag: TensorLike) -> Tensor:
    """The complex number with these parts: y = real + i * imag. The shapes are equal; nothing is broadcast.

    float32 and integers give complex64, float64 complex128. Raises ShapeError if the shapes differ, DTypeError for
    other dtypes.

    >>> complex([1.0, 2.0], [3.0, 4.0]).tolist()
    [(1+3j), (2+4j)]
    """


@complex.gradient("real")
def _(dy: Tensor) -> Tensor:
    return real(dy)


@complex.gradient("imag")
def _(dy: Tensor) -> Tensor:
    return imag(dy)


@op(
    result=lambda x: Spec(x.shape, {"complex64": "float32", "complex128": "float64"}.get(x.dtype, x.dtype)),
    dtypes=ARITHMETIC,
)
def real(x: TensorLike) -> Tensor:
    """The real part. As NumPy.

    >>> real([1 + 2j]).tolist()
    [1.0]
    """


@real.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    return cast(dy, x.dtype)


@op(
    result=lambda x: Spec(x.shape, {"complex64": "float32", "complex128": "float64"}.get(x.dtype, x.dtype)),
    dtypes=ARITHMETIC,
)
def imag(x: TensorLike) -> Tensor:
    """The imaginary part; 0 of a real number. As NumPy.

    >>> imag([1 + 2j]).tolist()
    [2.0]
    """


@imag.gradient
def _(dy: Tensor, *, x: Tensor) -> Tensor:
    if x.dtype in FLOATING:
        return multiply(dy, 0.0)
    return multiply(cast(dy, x.dtype), 1j)


@op(result=same_as(), dtypes=INEXACT, public=False)
def complex_conjugate(x: TensorLike) -> Tensor:
    """The complex conjugate of a complex tensor.

    >>> complex_conjugate([1 + 2j]).tolist()
    [(1-2j)]
    """


@complex_conjugate.gradient
def _(dy: Tensor) -> Tensor:
    return conjugate(dy)


def conjugate(x: Tensor) -> Tensor:
    """The complex conjugate; a real tensor is returned as it is."""
    return complex_conjugate(x) if x.dtype.startswith("complex") else x

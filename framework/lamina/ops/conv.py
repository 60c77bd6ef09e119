"""Convolution of images, channels last, and its two gradients, each the gradient of the others."""

from __future__ import annotations

from typing import Any

from lamina.dtypes import FLOATING
from lamina.errors import ArgumentError, ShapeError
from lamina.runtime.op import TensorLike, op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, as_int, as_pair, window_padding

Pair = tuple[int, int]
Pads = tuple[Pair, Pair]


def _output_size(size: int, window: int, stride: int, pads: Pair, dilation: int) -> int:
    return max(0, (size + sum(pads) - (dilation * (window - 1) + 1)) // stride + 1)


def _convolved(x: Any, kernel: Any, strides: Pair, pads: Pads, dilations: Pair) -> Spec:
    sizes = (_output_size(x.shape[1 + i], kernel.shape[i], strides[i], pads[i], dilations[i]) for i in range(2))
    return Spec((x.shape[0], *sizes, kernel.shape[3]), x.dtype)


@op(result=_convolved, dtypes=FLOATING)
def conv2d(x: TensorLike, kernel: TensorLike, strides: Any = 1, padding: Any = "valid", dilations: Any = 1) -> Tensor:
    """Two-dimensional convolution: y[n, i, j, o] = sum over a, b, c of x[n, i*s+a*d, j*s+b*d, c] * kernel[a, b, c, o].

    ``x`` has shape (batch, height, width, channels), ``kernel`` (height, width, channels, filters). ``padding`` is
    'valid' (none), 'same' (zeros so that the size divides by the strides only) or ((top, bottom), (left, right)).
    As TensorFlow. Raises ShapeError if the axes or the channels do not fit.

    >>> conv2d([[[[1.0], [2.0]]]], [[[[3.0]]]]).tolist()
    [[[[3.0], [6.0]]]]
    """


@conv2d.settings
def _(x: Tensor, kernel: Tensor, strides: Any, padding: Any, dilations: Any) -> dict[str, Any]:
    if x.ndim != 4 or kernel.ndim != 4 or x.shape[3] != kernel.shape[2]:
        raise ShapeError(
            f"conv2d(x, kernel): x is {x.shape} and kernel is {kernel.shape}.",
            expected="x (batch, height, width, channels) and kernel (height, width, channels, filters).",
        )
    steps, spread = as_pair(strides, "strides"), as_pair(dilations, "dilations")
    return {"strides": steps, "pads": pads_of(x, kernel.shape[:2], steps, padding, spread), "dilations": spread}


def pads_of(x: Tensor, window: tuple[int, ...], strides: Pair, padding: Any, dilations: Pair) -> Pads:
    """The zeros before and after height and width that a padding setting asks for."""
    if isinstance(padding, str):
        if padding not in ("valid", "same"):
            raise ArgumentError(f"padding is {padding!r}.", expected="'valid', 'same', or a pair for each axis.")
        first, second = (window_padding(x.shape[1 + i], window[i], strides[i], padding, dilations[i]) for i in range(2))
        return (first, second)
    (top, bottom), (left, right) = padding
    return (
        (as_int(top, "padding", minimum=0), as_int(bottom, "padding", minimum=0)),
        (as_int(left, "padding", minimum=0), as_int(right, "padding", minimum=0)),
    )


@conv2d.gradient("x")
def _(dy: Tensor, *, x: Tensor, kernel: Tensor, strides: Pair, pads: Pads, dilations: Pair) -> Tensor:
    return conv2d_input_gradient(dy, kernel, x.shape[1:3], strides, pads, dilations)


@conv2d.gradient("kernel")
def _(dy: Tensor, *, x: Tensor, kernel: Tensor, strides: Pair, pads: Pads, dilations: Pair) -> Tensor:
    return conv2d_kernel_gradient(x, dy, kernel.shape[:2], strides, pads, dilations)


@op(
    result=lambda dy, kernel, size, strides, pads, dilations: Spec((dy.shape[0], *size, kernel.shape[2]), dy.dtype),
    dtypes=FLOATING,
    public=False,
)
def conv2d_input_gradient(
    dy: TensorLike, kernel: TensorLike, size: Any, strides: Any, pads: Any, dilations: Any
) -> Tensor:
    """The gradient of ``conv2d`` with respect to x, an image of the given (height, width).

    >>> conv2d_input_gradient([[[[1.0]]]], [[[[3.0]]]], (1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1)).tolist()
    [[[[3.0]]]]
    """


@conv2d_input_gradient.gradient("dy")
def _(dy: Tensor, *, kernel: Tensor, strides: Pair, pads: Pads, dilations: Pair) -> Tensor:
    return conv2d(dy, kernel, strides, pads, dilations)


@conv2d_input_gradient.gradient("kernel")
def _(g: Tensor, *, dy: Tensor, kernel: Tensor, strides: Pair, pads: Pads, dilations: Pair) -> Tensor:
    return conv2d_kernel_gradient(g, dy, kernel.shape[:2], strides, pads, dilations)


@op(
    result=lambda x, dy, size, strides, pads, dilations: Spec((*size, x.shape[3], dy.shape[3]), x.dtype),
    dtypes=FLOATING,
    public=False,
)
def conv2d_kernel_gradient(x: TensorLike, dy: TensorLike, size: Any, strides: Any, pads: Any, dilations: Any) -> Tensor:
    """The gradient of ``conv2d`` with respect to its kernel of the given (height, width).

    >>> conv2d_kernel_gradient([[[[2.0]]]], [[[[3.0]]]], (1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1)).tolist()
    [[[[6.0]]]]
    """


@conv2d_kernel_gradient.gradient("x")
def _(g: Tensor, *, x: Tensor, dy: Tensor, strides: Pair, pads: Pads, dilations: Pair) -> Tensor:
    return conv2d_input_gradient(dy, g, x.shape[1:3], strides, pads, dilations)


@conv2d_kernel_gradient.gradient("dy")
def _(g: Tensor, *, x: Tensor, strides: Pair, pads: Pads, dilations: Pair) -> Tensor:
    return conv2d(x, g, strides, pads, dilations)

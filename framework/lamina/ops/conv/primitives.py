"""Convolution along any number of axes, channels last, and its two gradients, each the gradient of the others.

All take settings in their one form, as the public ops hand them on: a number for each spatial axis for strides and
dilations, a pair for each for pads, and the number of groups that channels and filters fall into.
"""

from __future__ import annotations

from typing import Any

from lamina.dtypes import FLOATING
from lamina.ops.windows import Pads, Sizes, positions
from lamina.runtime.op import TensorLike, op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec


def _convolved(x: Any, kernel: Any, strides: Sizes, pads: Pads, dilations: Sizes, groups: int) -> Spec:
    sizes = positions(x.shape[1:-1], kernel.shape[:-2], strides, pads, dilations)
    return Spec((x.shape[0], *sizes, kernel.shape[-1]), x.dtype)


@op(result=_convolved, dtypes=FLOATING, public=False)
def convolution(x: TensorLike, kernel: TensorLike, strides: Any, pads: Any, dilations: Any, groups: int = 1) -> Tensor:
    """Convolution: y[n, i, o] = sum over a, c of x[n, i*s+a*d, c] * kernel[a, c, o], with i and a for all axes.

    ``x`` has shape (batch, axes..., channels), ``kernel`` (axes..., channels / groups, filters).

    >>> convolution([[[1.0], [2.0]]], [[[3.0]]], (1,), ((0, 0),), (1,)).tolist()
    [[[3.0], [6.0]]]
    """


@convolution.gradient("x")
def _(dy: Tensor, *, x: Tensor, kernel: Tensor, strides: Sizes, pads: Pads, dilations: Sizes, groups: int) -> Tensor:
    return convolution_input_gradient(dy, kernel, x.shape[1:-1], strides, pads, dilations, groups)


@convolution.gradient("kernel")
def _(dy: Tensor, *, x: Tensor, kernel: Tensor, strides: Sizes, pads: Pads, dilations: Sizes, groups: int) -> Tensor:
    return convolution_kernel_gradient(x, dy, kernel.shape[:-2], strides, pads, dilations, groups)


def _image(dy: Any, kernel: Any, size: Sizes, strides: Any, pads: Any, dilations: Any, groups: int) -> Spec:
    return Spec((dy.shape[0], *size, kernel.shape[-2] * groups), dy.dtype)


@op(result=_image, dtypes=FLOATING, public=False)
def convolution_input_gradient(
    dy: TensorLike, kernel: TensorLike, size: Any, strides: Any, pads: Any, dilations: Any, groups: int = 1
) -> Tensor:
    """The gradient of ``convolution`` with respect to x, an image of the given spatial size.

    >>> convolution_input_gradient([[[1.0]]], [[[3.0]], [[4.0]]], (2,), (1,), ((0, 0),), (1,)).tolist()
    [[[3.0], [4.0]]]
    """


@convolution_input_gradient.gradient("dy")
def _(dy: Tensor, *, kernel: Tensor, strides: Sizes, pads: Pads, dilations: Sizes, groups: int) -> Tensor:
    return convolution(dy, kernel, strides, pads, dilations, groups)


@convolution_input_gradient.gradient("kernel")
def _(g: Tensor, *, dy: Tensor, kernel: Tensor, strides: Sizes, pads: Pads, dilations: Sizes, groups: int) -> Tensor:
    return convolution_kernel_gradient(g, dy, kernel.shape[:-2], strides, pads, dilations, groups)


def _kernel(x: Any, dy: Any, size: Sizes, strides: Any, pads: Any, dilations: Any, groups: int) -> Spec:
    return Spec((*size, x.shape[-1] // groups, dy.shape[-1]), x.dtype)


@op(result=_kernel, dtypes=FLOATING, public=False)
def convolution_kernel_gradient(
    x: TensorLike, dy: TensorLike, size: Any, strides: Any, pads: Any, dilations: Any, groups: int = 1
) -> Tensor:
    """The gradient of ``convolution`` with respect to its kernel of the given spatial size.

    >>> convolution_kernel_gradient([[[2.0], [5.0]]], [[[3.0]]], (2,), (1,), ((0, 0),), (1,)).tolist()
    [[[6.0]], [[15.0]]]
    """


@convolution_kernel_gradient.gradient("x")
def _(g: Tensor, *, x: Tensor, dy: Tensor, strides: Sizes, pads: Pads, dilations: Sizes, groups: int) -> Tensor:
    return convolution_input_gradient(dy, g, x.shape[1:-1], strides, pads, dilations, groups)


@convolution_kernel_gradient.gradient("dy")
def _(g: Tensor, *, x: Tensor, strides: Sizes, pads: Pads, dilations: Sizes, groups: int) -> Tensor:
    return convolution(x, g, strides, pads, dilations, groups)

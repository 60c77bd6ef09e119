"""What has kernels: extremes and averages of the windows of images (batch, spatial axes, channels), and gradients."""

from __future__ import annotations

from typing import Any

from lamina.dtypes import FLOATING, REAL
from lamina.ops.pooling.windows import pooled
from lamina.ops.windows import Pads, Sizes
from lamina.runtime.op import TensorLike, op, same_as
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec


@op(result=pooled, dtypes=REAL[1:], public=False)
def window_max(x: TensorLike, window: Any, strides: Any, pads: Any, dilations: Any) -> Tensor:
    """The largest element of each window; padded elements never win. The first of equal ones takes the gradient.

    >>> window_max([[[1.0], [2.0]]], (2,), (2,), ((0, 0),), (1,)).tolist()
    [[[2.0]]]
    """


@window_max.gradient
def _(dy: Tensor, *, x: Tensor, y: Tensor, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Tensor:
    return window_max_gradient(dy, x, y, window, strides, pads, dilations)


@op(result=same_as(1), dtypes=FLOATING, public=False, outputs=("dx",))
def window_max_gradient(
    dy: TensorLike, x: TensorLike, y: TensorLike, window: Any, strides: Any, pads: Any, dilations: Any
) -> Tensor:
    """dy at the first largest element of each window of x, added up, and 0 elsewhere. y are the maxima.

    >>> x, y = [[[1.0], [2.0]]], [[[2.0]]]
    >>> window_max_gradient([[[5.0]]], x, y, (2,), (2,), ((0, 0),), (1,)).tolist()
    [[[0.0], [5.0]]]
    """


@window_max_gradient.gradient("dy")
def _(g: Tensor, *, x: Tensor, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Tensor:
    return window_max_pick(g, x, window, strides, pads, dilations)


@window_max_gradient.gradient("x", "y")
def _(g: Tensor) -> tuple[None, None]:
    return None, None


@op(
    result=lambda v, x, window, strides, pads, dilations: pooled(
        Spec(x.shape, v.dtype), window, strides, pads, dilations
    ),
    dtypes=REAL[1:],
    promote=False,
    public=False,
)
def window_max_pick(v: TensorLike, x: TensorLike, window: Any, strides: Any, pads: Any, dilations: Any) -> Tensor:
    """The element of v where each window of x has its first largest element.

    >>> window_max_pick([[[7.0], [8.0]]], [[[1.0], [2.0]]], (2,), (2,), ((0, 0),), (1,)).tolist()
    [[[8.0]]]
    """


@window_max_pick.gradient("v")
def _(g: Tensor, *, x: Tensor, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Tensor:
    y = window_max(x, window, strides, pads, dilations)
    return window_max_gradient(g, x, y, window, strides, pads, dilations)


@window_max_pick.gradient("x")
def _(g: Tensor) -> None:
    return None


@op(result=pooled, dtypes=FLOATING, public=False)
def window_mean(x: TensorLike, window: Any, strides: Any, pads: Any, dilations: Any) -> Tensor:
    """The average of each window over the elements that are not padding; NaN if there are none.

    >>> window_mean([[[1.0], [2.0]]], (2,), (2,), ((0, 0),), (1,)).tolist()
    [[[1.5]]]
    """


@window_mean.gradient
def _(dy: Tensor, *, x: Tensor, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Tensor:
    return window_mean_gradient(dy, x.shape[1:-1], window, strides, pads, dilations)


@op(
    result=lambda dy, size, window, strides, pads, dilations: Spec((dy.shape[0], *size, dy.shape[-1]), dy.dtype),
    dtypes=FLOATING,
    public=False,
)
def window_mean_gradient(dy: TensorLike, size: Any, window: Any, strides: Any, pads: Any, dilations: Any) -> Tensor:
    """dy shared evenly among the elements of each window of an image of the given size.

    >>> window_mean_gradient([[[3.0]]], (2,), (2,), (2,), ((0, 0),), (1,)).tolist()
    [[[1.5], [1.5]]]
    """


@window_mean_gradient.gradient("dy")
def _(g: Tensor, *, window: Sizes, strides: Sizes, pads: Pads, dilations: Sizes) -> Tensor:
    return window_mean(g, window, strides, pads, dilations)

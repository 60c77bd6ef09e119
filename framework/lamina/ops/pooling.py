"""Pooling of images, channels last."""

from __future__ import annotations

from typing import Any

from lamina.dtypes import FLOATING
from lamina.errors import ShapeError
from lamina.ops.conv import Pads, Pair, pads_of
from lamina.runtime.op import TensorLike, op, same_as
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, as_pair


def _pooled(x: Any, window: Pair, strides: Pair, pads: Pads) -> Spec:
    sizes = (max(0, (x.shape[1 + i] + sum(pads[i]) - window[i]) // strides[i] + 1) for i in range(2))
    return Spec((x.shape[0], *sizes, x.shape[3]), x.dtype)


@op(result=_pooled, dtypes=FLOATING)
def max_pool2d(x: TensorLike, window: Any = 2, strides: Any = None, padding: Any = "valid") -> Tensor:
    """The largest element of each window: y[n, i, j, c] = max over a, b of x[n, i*s+a, j*s+b, c].

    ``x`` has shape (batch, height, width, channels); ``strides`` None means the window's size. ``padding`` as for
    ``conv2d``; padded elements never win. As TensorFlow; the first of equal elements takes the gradient.

    >>> max_pool2d([[[[1.0], [2.0]], [[3.0], [0.0]]]]).tolist()
    [[[[3.0]]]]
    """


@max_pool2d.settings
def _(x: Tensor, window: Any, strides: Any, padding: Any) -> dict[str, Any]:
    if x.ndim != 4:
        raise ShapeError(f"max_pool2d(x): x is {x.shape}.", expected="x (batch, height, width, channels).")
    size = as_pair(window, "window")
    steps = size if strides is None else as_pair(strides, "strides")
    return {"window": size, "strides": steps, "pads": pads_of(x, size, steps, padding, (1, 1))}


@max_pool2d.gradient
def _(dy: Tensor, *, x: Tensor, window: Pair, strides: Pair, pads: Pads) -> Tensor:
    return max_pool2d_gradient(dy, x, window, strides, pads)


@op(result=same_as(1), dtypes=FLOATING, public=False)
def max_pool2d_gradient(dy: TensorLike, x: TensorLike, window: Any, strides: Any, pads: Any) -> Tensor:
    """dy at the first largest element of each window of x, added up, and 0 elsewhere.

    >>> x = [[[[1.0], [2.0]]]]
    >>> max_pool2d_gradient([[[[5.0]]]], x, (1, 2), (1, 2), ((0, 0), (0, 0))).tolist()
    [[[[0.0], [5.0]]]]
    """


@max_pool2d_gradient.gradient("dy")
def _(g: Tensor, *, x: Tensor, window: Pair, strides: Pair, pads: Pads) -> Tensor:
    return max_pool2d_pick(g, x, window, strides, pads)


@max_pool2d_gradient.gradient("x")
def _(g: Tensor) -> None:
    return None


@op(result=lambda v, x, window, strides, pads: _pooled(x, window, strides, pads), dtypes=FLOATING, public=False)
def max_pool2d_pick(v: TensorLike, x: TensorLike, window: Any, strides: Any, pads: Any) -> Tensor:
    """The element of v where each window of x has its first largest element.

    >>> max_pool2d_pick([[[[7.0], [8.0]]]], [[[[1.0], [2.0]]]], (1, 2), (1, 2), ((0, 0), (0, 0))).tolist()
    [[[[8.0]]]]
    """


@max_pool2d_pick.gradient("v")
def _(g: Tensor, *, x: Tensor, window: Pair, strides: Pair, pads: Pads) -> Tensor:
    return max_pool2d_gradient(g, x, window, strides, pads)


@max_pool2d_pick.gradient("x")
def _(g: Tensor) -> None:
    return None

"""Resizing with the kernels that Keras knows: each axis is a product with a small matrix of weights."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from lamina.dtypes import FLOATING
from lamina.errors import ShapeError
from lamina.ops.creation import tensor
from lamina.ops.image.checking import check_choice, new_size
from lamina.ops.indexing import gather
from lamina.ops.mixing import mixed
from lamina.ops.windows import checked_format
from lamina.runtime.convert import to_tensor
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec

Array = np.ndarray[Any, Any]


def _triangle(x: Array) -> Array:
    return np.maximum(0.0, 1.0 - x)


def _cubic(x: Array) -> Array:
    """Keys's cubic with a = -1/2 (Keys 1981)."""
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    result: Array = np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))
    return result


def _lanczos(lobes: int) -> Callable[[Array], Array]:
    def kernel(x: Array) -> Array:
        result: Array = np.where(x < lobes, np.sinc(x) * np.sinc(x / lobes), 0.0)
        return result

    return kernel


_KERNELS: Final = {"bilinear": _triangle, "bicubic": _cubic, "lanczos3": _lanczos(3), "lanczos5": _lanczos(5)}
INTERPOLATIONS: Final = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")


def _resized(images: Any, size: tuple[int, int], interpolation: str, antialias: bool, data_format: str) -> Spec:
    rows, columns = _spatial(images.ndim, data_format)
    if images.ndim not in (3, 4) or 0 in (images.shape[rows], images.shape[columns]):
        raise ShapeError(
            f"resize(images): images is {images.shape}.",
            expected="(batch, height, width, channels), or that without the batch, with at least one pixel; with "
            "data_format='channels_first' the channels come before the height.",
        )
    shape = list(images.shape)
    shape[rows], shape[columns] = size
    return Spec(tuple(shape), images.dtype)


def _spatial(ndim: int, data_format: str) -> tuple[int, int]:
    return (ndim - 3, ndim - 2) if data_format == "channels_last" else (ndim - 2, ndim - 1)


@composite_op(result=_resized, dtypes=FLOATING, integers="float32")
def resize(
    images: TensorLike,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    data_format: str = "channels_last",
) -> Tensor:
    """Images of another height and width: each new pixel a weighted sum of the old ones around its place.

    images is (batch, height, width, channels) or (height, width, channels), with data_format='channels_first' the
    channels before the height; size is (height, width). Integers give float32. Row i of the result lies at
    (i + 1/2) * height / new height - 1/2. ``interpolation`` is 'bilinear', 'bicubic' (Keys 1981, a = -1/2),
    'lanczos3', 'lanczos5', or 'nearest', which takes the pixel at (i + 1/2) * height / new height, rounded down; at
    the border the weights are those of the pixels there are, scaled to the sum 1. ``antialias`` widens the kernel
    when the image shrinks, except for 'nearest'. As Keras on JAX. Raises ShapeError for other images or images
    without pixels, ArgumentError for another interpolation.

    >>> resize([[[0.0], [2.0]]], (1, 4)).tolist()
    [[[0.0], [0.5], [1.5], [2.0]]]
    """
    y = to_tensor(images)
    for axis, new in zip(_spatial(y.ndim, data_format), size, strict=True):
        old = y.shape[axis]
        if interpolation == "nearest":
            y = gather(y, tensor(_nearest(old, new)), axis=axis)
        else:
            y = mixed(y, _weights(old, new, interpolation, antialias), axis)
    return y


@resize.settings
def _(images: Tensor, size: Any, interpolation: Any, antialias: Any, data_format: Any) -> dict[str, Any]:
    return {
        "size": new_size("size", size),
        "interpolation": check_choice("resize", "interpolation", interpolation, INTERPOLATIONS),
        "antialias": bool(antialias),
        "data_format": checked_format(data_format),
    }


@functools.lru_cache(maxsize=256)
def _nearest(old: int, new: int) -> Array:
    """The old position of each new one."""
    places: Array = ((2 * np.arange(new) + 1) * old // (2 * new)).astype(np.int32)
    return places


@functools.lru_cache(maxsize=256)
def _weights(old: int, new: int, interpolation: str, antialias: bool) -> Array:
    """What each old position weighs in each new one: (new, old)."""
    scale = old / new
    places = (np.arange(new) + 0.5) * scale - 0.5
    distances = np.abs(places[:, None] - np.arange(old)) / (max(scale, 1.0) if antialias else 1.0)
    found = _KERNELS[interpolation](distances)
    total = found.sum(1, keepdims=True)
    weights: Array = found / np.where(total == 0.0, 1.0, total)
    return weights

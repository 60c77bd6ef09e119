"""Resizing: each axis is a product with a small matrix, or a choice of rows."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from lamina.dtypes import ARITHMETIC, FLOATING
from lamina.errors import ArgumentError
from lamina.ops.creation import tensor
from lamina.ops.image.checking import check_image, new_size
from lamina.ops.indexing import gather
from lamina.ops.matmul import matmul
from lamina.ops.mixing import mixed
from lamina.ops.shaping import reshape
from lamina.runtime.convert import numpy_dtype, to_tensor
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec

Array = np.ndarray[Any, Any]


def _resized(name: str) -> Any:
    def rule(images: Any, size: tuple[int, int], align_corners: bool, half_pixel_centers: bool) -> Spec:
        check_image(name, images, (3, 4), "images")
        return Spec((*images.shape[:-3], *size, images.shape[-1]), images.dtype)

    return rule


def _settings(images: Tensor, size: Any, align_corners: Any, half_pixel_centers: Any) -> dict[str, Any]:
    if align_corners and half_pixel_centers:
        raise ArgumentError(
            "resize: align_corners and half_pixel_centers are both True.", expected="at most one of them."
        )
    return {
        "size": new_size("size", size),
        "align_corners": bool(align_corners),
        "half_pixel_centers": bool(half_pixel_centers),
    }


@composite_op(result=_resized("resize_bilinear"), dtypes=FLOATING, integers="float32")
def resize_bilinear(
    images: TensorLike, size: Any, align_corners: bool = False, half_pixel_centers: bool = False
) -> Tensor:
    """Images of another height and width, by linear interpolation along both axes.

    images is (batch, height, width, channels) or (height, width, channels), size is (height, width). Integers give
    float32. Row i of the result lies at i * height / new height, at (i + 1/2) * height / new height - 1/2 with
    ``half_pixel_centers`` (as Keras and Pillow), or at i * (height - 1) / (new height - 1) with ``align_corners``.
    As TensorFlow. Raises ShapeError for other images or images without pixels, ArgumentError for both at once.

    >>> resize_bilinear([[[0.0], [2.0]]], (1, 4)).tolist()
    [[[0.0], [1.0], [2.0], [2.0]]]
    """
    y = to_tensor(images)
    for axis, new in zip((-3, -2), size, strict=True):
        y = mixed(y, _matrix(y.shape[axis], new, align_corners, half_pixel_centers), axis)
    return y


resize_bilinear.settings(_settings)


@composite_op(result=_resized("resize_nearest_neighbor"), dtypes=ARITHMETIC)
def resize_nearest_neighbor(
    images: TensorLike, size: Any, align_corners: bool = False, half_pixel_centers: bool = False
) -> Tensor:
    """Images of another height and width, each pixel that of the nearest place; any numeric dtype.

    Arguments are those of ``resize_bilinear``, and so are the places, which are rounded down; to the nearest, halves
    up, with ``align_corners``. With ``half_pixel_centers`` row i lies at (i + 1/2) * height / new height. As
    TensorFlow. Raises ShapeError for other images or images without pixels, ArgumentError for both at once.

    >>> resize_nearest_neighbor([[[1], [2]]], (1, 4)).tolist()
    [[[1], [1], [2], [2]]]
    """
    (height, width), (rows, columns) = images.shape[-3:-1], size
    down = gather(images, tensor(_nearest(height, rows, align_corners, half_pixel_centers)), axis=-3)
    return gather(down, tensor(_nearest(width, columns, align_corners, half_pixel_centers)), axis=-2)


resize_nearest_neighbor.settings(_settings)


@resize_nearest_neighbor.gradient
def _(dy: Tensor, *, images: Tensor, size: tuple[int, int], align_corners: bool, half_pixel_centers: bool) -> Tensor:
    """By products with matrices of ones and zeros, which are faster than additions at indices."""
    (height, width, channels), (rows, columns) = images.shape[-3:], size
    batch = images.shape[:-3]
    across = _one_hot(_nearest(width, columns, align_corners, half_pixel_centers), width)
    down = _one_hot(_nearest(height, rows, align_corners, half_pixel_centers), height)
    flat = matmul(_constant(across, dy.dtype), dy, transpose_a=True)
    rows_of = reshape(flat, (*batch, rows, width * channels))
    return reshape(matmul(_constant(down, dy.dtype), rows_of, transpose_a=True), images.shape)


def _constant(matrix: Array, dtype: str) -> Tensor:
    return tensor(matrix.astype(numpy_dtype(dtype)))


def _scale(size: int, new: int, align_corners: bool) -> float:
    return (size - 1) / (new - 1) if align_corners and new > 1 else size / new


@functools.lru_cache(maxsize=256)
def _nearest(size: int, new: int, align_corners: bool, half_pixel_centers: bool) -> Array:
    """The old position of each new one."""
    places = _scale(size, new, align_corners) * (np.arange(new) + (0.5 if half_pixel_centers else 0.0))
    chosen: Array = np.minimum(size - 1, np.floor(places + 0.5 if align_corners else places)).astype(np.int32)
    return chosen


@functools.lru_cache(maxsize=256)
def _matrix(size: int, new: int, align_corners: bool, half_pixel_centers: bool) -> Array:
    """What each old position weighs in each new one: (new, size)."""
    shift = 0.5 if half_pixel_centers else 0.0
    places = np.clip(_scale(size, new, align_corners) * (np.arange(new) + shift) - shift, 0.0, size - 1)
    before = np.floor(places).astype(np.int64)
    part = (places - before)[:, None]
    weights: Array = (1.0 - part) * _one_hot(before, size) + part * _one_hot(np.minimum(before + 1, size - 1), size)
    return weights


def _one_hot(places: Array, size: int) -> Array:
    return np.asarray(places[:, None] == np.arange(size), np.float64)

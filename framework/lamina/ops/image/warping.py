"""Images turned and seen from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.dtypes import FLOATING
from lamina.errors import ArgumentError, ShapeError
from lamina.ops.creation import arange, tensor
from lamina.ops.elementwise import (
    add,
    cast,
    clip,
    divide,
    equal,
    floor,
    greater,
    greater_equal,
    less,
    mod,
    multiply,
    negative,
    stop_gradient,
    subtract,
    where,
)
from lamina.ops.image.checking import check_choice, check_image, new_size
from lamina.ops.image.sampling import sample_bilinear, sample_nearest, wide
from lamina.ops.shaping import expand_dims, reshape, unstack
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, as_float


def _warped(image: Any, transforms: Any, output_shape: tuple[int, int] | None, **settings: Any) -> Spec:
    check_image("transform", image, (4,))
    if transforms.ndim != 2 or transforms.shape[1] != 8 or transforms.shape[0] not in (1, image.shape[0]):
        raise ShapeError(
            f"transform: image is {image.shape} and transforms is {transforms.shape}.",
            expected="transforms to be (1, 8) or (batch, 8).",
        )
    return Spec((image.shape[0], *(output_shape or image.shape[1:3]), image.shape[3]), image.dtype)


@composite_op(result=_warped, dtypes=FLOATING, integers="float32")
def transform(
    image: TensorLike,
    transforms: TensorLike,
    interpolation: str = "nearest",
    fill_mode: str = "constant",
    fill_value: float = 0,
    output_shape: Any = None,
) -> Tensor:
    """Images under projective maps: each pixel of the result is that of the place it is mapped to.

    image is (batch, height, width, channels); each row (a0, a1, a2, b0, b1, b2, c0, c1) of transforms, (batch, 8) or
    (1, 8), takes a place (x, y) of the result to ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k) of the image with
    k = c0 x + c1 y + 1. There the nearest pixel is read, or four are blended (``interpolation`` 'bilinear'). Beyond
    the image lies ``fill_value`` ('constant'), the image again mirrored ('reflect') or not ('wrap'), or its border
    ('nearest'). ``output_shape`` is (height, width), the image's own if None. The gradient reaches the image and, for
    'bilinear', the transforms. As TensorFlow. Raises ShapeError, ArgumentError for other modes.

    >>> transform([[[[1.0], [2.0], [3.0]]]], [[1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]]).tolist()
    [[[[2.0], [3.0], [0.0]]]]
    """
    height, width = output_shape or image.shape[1:3]
    rows, columns, nowhere = _mapped(transforms, height, width)
    rows = _returned(rows, image.shape[1], fill_mode)
    columns = _returned(columns, image.shape[2], fill_mode)
    batch = reshape(arange(image.shape[0]), (image.shape[0], 1, 1))
    if interpolation == "bilinear":
        fill = fill_value if fill_mode == "constant" else None
        found = sample_bilinear(image, batch, rows, columns, fill=fill)
    else:
        found = sample_nearest(image, batch, rows, columns, fill_value)
    return where(expand_dims(nowhere, -1), fill_value, found)


@transform.settings
def _(
    image: Tensor, transforms: Tensor, interpolation: Any, fill_mode: Any, fill_value: Any, output_shape: Any
) -> dict[str, Any]:
    return {
        "interpolation": check_choice("transform", "interpolation", interpolation, ("nearest", "bilinear")),
        "fill_mode": check_choice("transform", "fill_mode", fill_mode, ("constant", "reflect", "wrap", "nearest")),
        "fill_value": as_float(fill_value, "fill_value"),
        "output_shape": None if output_shape is None else new_size("output_shape", output_shape),
    }


def _mapped(transforms: Tensor, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """The row and the column in the image of each pixel of the result, and where the map has none."""
    places = wide(transforms)
    x, y = arange(width, dtype=places), expand_dims(arange(height, dtype=places), -1)
    a0, a1, a2, b0, b1, b2, c0, c1 = (reshape(cast(t, places), (-1, 1, 1)) for t in unstack(transforms, axis=-1))
    below = add(add(multiply(c0, x), multiply(c1, y)), 1.0)
    nowhere = equal(below, 0.0)
    below = where(nowhere, 1.0, below)
    columns = divide(add(add(multiply(a0, x), multiply(a1, y)), a2), below)
    rows = divide(add(add(multiply(b0, x), multiply(b1, y)), b2), below)
    return rows, columns, nowhere


def _returned(places: Tensor, size: int, fill_mode: str) -> Tensor:
    """Places beyond the image brought back into it as a mode says."""
    if fill_mode == "constant":
        return places
    if fill_mode == "reflect":
        around = mod(places, 2.0 * size)
        places = where(greater_equal(around, float(size)), subtract(2.0 * size - 1.0, around), around)
    elif fill_mode == "wrap" and size > 1:
        places = add(places, multiply(_rounds(stop_gradient(places), size), size))
    return clip(places, 0.0, float(size - 1))


def _rounds(places: Tensor, size: int) -> Tensor:
    """How many sizes a place lies away from the image; rounds are counted by TensorFlow in steps of size - 1."""
    before = add(floor(divide(negative(places), size - 1.0)), 1.0)
    behind = negative(floor(divide(places, size - 1.0)))
    return where(less(places, 0.0), before, where(greater(places, size - 1.0), behind, 0.0))


def _turned(image: Any, **settings: Any) -> Spec:
    check_image("rotate_with_offset", image, (4,))
    return Spec(image.shape, image.dtype)


@composite_op(result=_turned, dtypes=FLOATING, integers="float32")
def rotate_with_offset(image: TensorLike, radians: float, fill_value: Any = 0, center: Any = 0.5) -> Tensor:
    """Images turned counterclockwise by an angle about a point; each pixel is the nearest one of the image.

    image is (batch, height, width, channels). ``center`` is a part of the width and the height, or a pair of parts
    (x, y). Beyond the image lies ``fill_value``: a number, or one for each channel; of three numbers for four
    channels the fourth is 255, opaque. As TensorFlow.js. Raises ShapeError, ArgumentError for a wrong number of fill
    values.

    >>> import math
    >>> rotate_with_offset([[[[1.0], [2.0]], [[3.0], [4.0]]]], math.pi).tolist()
    [[[[0.0], [0.0]], [[0.0], [4.0]]]]
    """
    height, width = image.shape[1:3]
    x_center, y_center = width * center[0], height * center[1]
    x, y = np.arange(width) - x_center, np.arange(height)[:, None] - y_center
    columns = x * math.cos(radians) - y * math.sin(radians) + x_center
    rows = x * math.sin(radians) + y * math.cos(radians) + y_center
    rows, columns = (tensor(places.astype(wide(image))) for places in (rows, columns))
    batch = reshape(arange(image.shape[0]), (image.shape[0], 1, 1))
    fill = tensor(list(fill_value), dtype=image.dtype)
    return sample_nearest(image, batch, rows, columns, fill)


@rotate_with_offset.settings
def _(image: Tensor, radians: Any, fill_value: Any, center: Any) -> dict[str, Any]:
    pair = center if isinstance(center, Sequence) else (center, center)
    if len(pair) != 2:
        raise ArgumentError(f"rotate_with_offset: center is {center!r}.", expected="a number or a pair (x, y).")
    return {
        "radians": as_float(radians, "radians"),
        "fill_value": _fill_values(fill_value, image.shape[-1] if image.ndim else 0),
        "center": tuple(as_float(part, "center") for part in pair),
    }


def _fill_values(fill_value: Any, channels: int) -> tuple[float, ...]:
    if not isinstance(fill_value, Sequence):
        return (as_float(fill_value, "fill_value"),) * channels
    values = tuple(as_float(value, "fill_value") for value in fill_value)
    if channels == 4 and len(values) == 3:
        return (*values, 255.0)
    if len(values) != channels:
        raise ArgumentError(
            f"rotate_with_offset: fill_value has {len(values)} numbers and image {channels} channels.",
            expected="one for each channel.",
        )
    return values

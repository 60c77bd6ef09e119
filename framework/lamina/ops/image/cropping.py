"""Crops of images."""

from __future__ import annotations

from typing import Any, Final

from lamina.dtypes import FLOATING
from lamina.errors import ShapeError
from lamina.ops.creation import arange
from lamina.ops.elementwise import add, cast, greater_equal, less_equal, logical_and, multiply, subtract, where
from lamina.ops.image.checking import check_choice, check_image, new_size
from lamina.ops.image.sampling import sample_bilinear, sample_nearest, wide
from lamina.ops.shaping import expand_dims, reshape, unstack
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, as_float

_INDICES: Final = ("int32", "int64", "int16", "int8", "uint8")


def _cropped(image: Any, boxes: Any, box_indices: Any, crop_size: tuple[int, int], **settings: Any) -> Spec:
    check_image("crop_and_resize", image, (4,))
    if boxes.ndim != 2 or boxes.shape[1] != 4 or box_indices.shape != boxes.shape[:1]:
        raise ShapeError(
            f"crop_and_resize: boxes is {boxes.shape} and box_indices is {box_indices.shape}.",
            expected="boxes to be (count, 4) and box_indices to be (count,).",
        )
    return Spec((boxes.shape[0], *crop_size, image.shape[3]), image.dtype)


@composite_op(
    result=_cropped,
    dtypes={"image": FLOATING, "boxes": FLOATING, "box_indices": _INDICES},
    promote=("image", "boxes"),
    integers="float32",
)
def crop_and_resize(
    image: TensorLike,
    boxes: TensorLike,
    box_indices: TensorLike,
    crop_size: Any,
    method: str = "bilinear",
    extrapolation_value: float = 0,
) -> Tensor:
    """Boxes cut out of images and brought to one size: (count, crop height, crop width, channels).

    image is (batch, height, width, channels), boxes is (count, 4) with rows (y1, x1, y2, x2) in which 0 is the centre
    of the first pixel and 1 that of the last one, box_indices (count,) says which image each box is cut out of. Row i
    of a crop lies at y1 + i * (y2 - y1) / (crop height - 1), the one row of a crop of height 1 in the middle. Places
    between pixels are interpolated ('bilinear'), or take the nearest pixel ('nearest'); beyond the image lies
    ``extrapolation_value``. The gradient reaches the image and, for 'bilinear', the boxes. As TensorFlow. Raises
    ShapeError, ArgumentError for another method.

    >>> crop_and_resize([[[[1.0], [2.0]], [[3.0], [4.0]]]], [[0.0, 0.0, 1.0, 1.0]], [0], (1, 3)).tolist()
    [[[[2.0], [2.5], [3.0]]]]
    """
    places = wide(boxes)
    y1, x1, y2, x2 = (expand_dims(cast(edge, places), -1) for edge in unstack(boxes, axis=-1))
    rows = expand_dims(_line(y1, y2, image.shape[1], crop_size[0]), -1)
    columns = expand_dims(_line(x1, x2, image.shape[2], crop_size[1]), 1)
    inside = logical_and(_inside(rows, image.shape[1]), _inside(columns, image.shape[2]))
    rows = where(_inside(rows, image.shape[1]), rows, 0.0)
    columns = where(_inside(columns, image.shape[2]), columns, 0.0)
    batch = reshape(cast(box_indices, "int32"), (boxes.shape[0], 1, 1))
    if method == "bilinear":
        found = sample_bilinear(image, batch, rows, columns)
    else:
        found = sample_nearest(image, batch, rows, columns, 0.0)
    return where(expand_dims(inside, -1), found, extrapolation_value)


@crop_and_resize.settings
def _(
    image: Tensor, boxes: Tensor, box_indices: Tensor, crop_size: Any, method: Any, extrapolation_value: Any
) -> dict[str, Any]:
    return {
        "crop_size": new_size("crop_size", crop_size),
        "method": check_choice("crop_and_resize", "method", method, ("bilinear", "nearest")),
        "extrapolation_value": as_float(extrapolation_value, "extrapolation_value"),
    }


def _line(start: Tensor, end: Tensor, size: int, count: int) -> Tensor:
    """The places along one axis of each box: (boxes, count)."""
    if count == 1:
        return multiply(multiply(add(start, end), 0.5), size - 1)
    step = multiply(subtract(end, start), (size - 1) / (count - 1))
    return add(multiply(start, size - 1), multiply(arange(count, dtype=start.dtype), step))


def _inside(places: Tensor, size: int) -> Tensor:
    return logical_and(greater_equal(places, 0.0), less_equal(places, float(size - 1)))

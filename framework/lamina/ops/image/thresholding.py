"""Black and white by a threshold."""

from __future__ import annotations

from typing import Any

from lamina.dtypes import INTEGER, REAL
from lamina.errors import ShapeError
from lamina.ops.creation import arange, ones, scalar
from lamina.ops.elementwise import (
    add,
    cast,
    clip,
    divide,
    greater,
    less_equal,
    maximum,
    multiply,
    round,
    square,
    subtract,
    where,
)
from lamina.ops.image.checking import check_choice, check_image
from lamina.ops.image.colors import LUMA
from lamina.ops.image.sampling import wide
from lamina.ops.indexing import getitem, scatter_add
from lamina.ops.reduction import argmax, max, sum
from lamina.ops.scans import cumsum
from lamina.ops.shaping import flatten, split
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, as_float


def _black_and_white(image: Any, **settings: Any) -> Spec:
    check_image("threshold", image, (3,))
    if image.shape[2] not in (1, 3):
        raise ShapeError(f"threshold(image): image is {image.shape}.", expected="1 or 3 channels.")
    return Spec((*image.shape[:2], 1), "int32")


@composite_op(result=_black_and_white, dtypes=REAL)
def threshold(image: TensorLike, method: str = "binary", inverted: bool = False, thresh_value: float = 0.5) -> Tensor:
    """255 where an image is brighter than a threshold, else 0: (height, width, 1) of int32.

    image is (height, width, channels) with values from 0 to 255; of 3 channels the brightness is taken
    (ITU-R BT.601). ``method`` 'binary' takes 255 * ``thresh_value``; 'otsu' the threshold between the two classes
    that differ most (Otsu 1979, doi:10.1109/TSMC.1979.4310076). ``inverted`` exchanges 255 and 0. There is no
    gradient. Raises ShapeError for other shapes, ArgumentError for another method.

    >>> threshold([[[10.0], [200.0]]]).tolist()
    [[[0], [255]]]
    """
    grey = _brightness(image)
    level = _otsu(grey) if method == "otsu" else multiply(scalar(thresh_value, "float32"), 255.0)
    chosen = less_equal(grey, level) if inverted else greater(grey, level)
    return multiply(cast(chosen, "int32"), 255)


@threshold.settings
def _(image: Tensor, method: Any, inverted: Any, thresh_value: Any) -> dict[str, Any]:
    return {
        "method": check_choice("threshold", "method", method, ("binary", "otsu")),
        "inverted": bool(inverted),
        "thresh_value": as_float(thresh_value, "thresh_value"),
    }


def _brightness(image: Tensor) -> Tensor:
    if image.dtype in (*INTEGER, "bool"):
        image = cast(image, "float32")
    if image.shape[2] == 1:
        return image
    red, green, blue = (multiply(part, weight) for part, weight in zip(split(image, 3, axis=-1), LUMA, strict=True))
    return add(add(red, green), blue)


def _otsu(grey: Tensor) -> Tensor:
    """The last level of the darker class, or -1 for an image of one level: the variance between classes is largest."""
    counts = _histogram(grey)
    weighed = multiply(counts, arange(256, dtype=counts.dtype))
    darker, dark_sum = cumsum(counts), cumsum(weighed)
    lighter, light_sum = subtract(sum(counts), darker), subtract(sum(weighed), dark_sum)
    apart = subtract(divide(dark_sum, maximum(darker, 1.0)), divide(light_sum, maximum(lighter, 1.0)))
    between = multiply(multiply(darker, lighter), square(apart))
    return where(greater(max(between), 0.0), cast(argmax(between), "float32"), -1.0)


def _histogram(grey: Tensor) -> Tensor:
    """How many pixels there are of each level from 0 to 255; what lies beyond is not counted."""
    level = cast(clip(round(flatten(cast(grey, "float32"))), -1.0, 256.0), "int32")
    counted = scatter_add(ones(level.shape, wide(grey)), add(level, 1), 0, 258)
    return getitem(counted, slice(1, 257))

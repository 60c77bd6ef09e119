"""Colours and mirrors."""

from __future__ import annotations

from typing import Any, Final

from lamina.dtypes import ALL, INTEGER, REAL
from lamina.errors import ShapeError
from lamina.ops.creation import tensor
from lamina.ops.elementwise import cast
from lamina.ops.image.checking import check_image
from lamina.ops.matmul import matmul
from lamina.ops.shaping import broadcast_to, flip
from lamina.runtime.op import TensorLike, composite_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec

LUMA: Final = (0.2989, 0.587, 0.114)
"""How bright red, green and blue are to the eye (ITU-R BT.601)."""


def _mirrored(image: Any) -> Spec:
    check_image("flip_left_right", image, (3, 4))
    return Spec(image.shape, image.dtype)


@composite_op(result=_mirrored, dtypes=ALL)
def flip_left_right(image: TensorLike) -> Tensor:
    """The image mirrored: y[..., i, j, c] = image[..., i, width - 1 - j, c].

    image is (..., height, width, channels) of any dtype, with or without a batch axis. Raises ShapeError otherwise.

    >>> flip_left_right([[[1], [2], [3]]]).tolist()
    [[[3], [2], [1]]]
    """
    return flip(image, axis=-2)


def _with_channels(name: str, wanted: int, given: int) -> Any:
    def rule(image: Any) -> Spec:
        if image.ndim < 2 or image.shape[-1] != given:
            raise ShapeError(
                f"{name}(image): image is {image.shape}.", expected=f"two axes or more, the last one of size {given}."
            )
        return Spec((*image.shape[:-1], wanted), image.dtype)

    return rule


@composite_op(result=_with_channels("grayscale_to_rgb", 3, 1), dtypes=ALL)
def grayscale_to_rgb(image: TensorLike) -> Tensor:
    """The one channel of a grey image three times: (..., 1) gives (..., 3).

    Raises ShapeError for fewer than two axes, or a last axis of another size than 1.

    >>> grayscale_to_rgb([[7], [8]]).tolist()
    [[7, 7, 7], [8, 8, 8]]
    """
    return broadcast_to(image, (*image.shape[:-1], 3))


@composite_op(result=_with_channels("rgb_to_grayscale", 1, 3), dtypes=REAL)
def rgb_to_grayscale(image: TensorLike) -> Tensor:
    """Brightness of colours: y = 0.2989 * red + 0.587 * green + 0.114 * blue (ITU-R BT.601). (..., 3) gives (..., 1).

    Integers are computed in float32 and cut off. Raises ShapeError for fewer than two axes, or a last axis of another
    size than 3.

    >>> rgb_to_grayscale([[10, 20, 30]]).tolist()
    [[18]]
    """
    if image.dtype in (*INTEGER, "bool"):
        return cast(rgb_to_grayscale(cast(image, "float32")), image.dtype)
    return matmul(image, tensor([[weight] for weight in LUMA], dtype=image.dtype))

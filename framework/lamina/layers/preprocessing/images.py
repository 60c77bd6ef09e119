"""Images brought to a size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from lamina import ops
from lamina.errors import ArgumentError, ArgumentTypeError, ShapeError
from lamina.layers.arguments import choice, flag, number, positive
from lamina.layers.integers import in_floats
from lamina.layers.layer import Layer
from lamina.layers.probing import Output
from lamina.layers.reshaping.upsampling import INTERPOLATIONS
from lamina.layers.spatial import as_format, image_form
from lamina.layers.weights import random_stream
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_int

Box = tuple[tuple[int, int], tuple[int, int]]


class ImageLayer(Layer):
    """Base of layers on (batch, height, width, channels), or that without the batch, or with the channels first."""

    data_format: str = "channels_last"

    @property
    def rows(self) -> int:
        """The axis of the height, counted from the end; that of the width is behind it."""
        return -3 if self.data_format == "channels_last" else -2

    def check_input(self, input_shape: Any) -> None:
        if len(input_shape) not in (3, 4):
            raise ShapeError(
                f"{type(self).__name__} got an input of shape {input_shape}.",
                expected=f"{image_form(2, self.data_format)}, or that without the batch.",
            )

    def size_of(self, x: Tensor) -> tuple[int, int]:
        """Height and width."""
        return x.shape[self.rows], x.shape[self.rows + 1]

    def resized(self, x: Tensor, size: tuple[int, int], interpolation: str, antialias: bool = False) -> Tensor:
        """x with another height and width, in its dtype."""
        if x.shape[self.rows] == size[0] and x.shape[self.rows + 1] == size[1]:
            return x
        return in_floats(x, lambda y: ops.image.resize(y, size, interpolation, antialias, self.data_format))

    def cut(self, x: Tensor, box: Box) -> Tensor:
        """The part of x that lies (from, size) along its height and width."""
        kept: list[Any] = [slice(None)] * x.ndim
        for axis, (start, size) in zip((self.rows, self.rows + 1), box, strict=True):
            kept[axis] = slice(start, start + size)
        return x if (x.shape[self.rows], x.shape[self.rows + 1]) == (box[0][1], box[1][1]) else x[tuple(kept)]


def _middle(size: int, part: int) -> tuple[int, int]:
    """(from, size) of a part in the middle."""
    return ((size - part) // 2, part)


def box_like(size: tuple[int, int], target: tuple[int, int]) -> Box:
    """The largest box in the middle of an image that has the target's ratio of width to height, rounded down.

    >>> box_like((4, 8), (2, 2))
    ((0, 4), (2, 4))
    """
    height = max(1, min(size[0], size[1] * target[0] // target[1]))
    width = max(1, min(size[1], size[0] * target[1] // target[0]))
    return _middle(size[0], height), _middle(size[1], width)


class Resizing(ImageLayer):
    """Images of another ``height`` and ``width``.

    Input (batch, height, width, channels), with data_format='channels_first' (batch, channels, height, width), or
    either without the batch; output likewise, in the dtype of the input, integers rounded. ``interpolation`` is
    'bilinear', 'nearest', 'bicubic', 'lanczos3' or 'lanczos5', as ``lamina.image.resize`` has them, and ``antialias``
    its setting. With ``crop_to_aspect_ratio`` what the new ratio of width to height has no room for is cut off, with
    ``pad_to_aspect_ratio`` ``fill_value`` is put around instead (``fill_mode`` is 'constant'). As Keras, where
    TensorFlow.js aligns the corners and cuts nothing off. Raises ShapeError for another number of axes.

    >>> Resizing(2, 2, crop_to_aspect_ratio=True).compute_output_shape((1, 4, 6, 3))
    (1, 2, 2, 3)
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.height: int = positive(height, "height")
        self.width: int = positive(width, "width")
        lowered = interpolation.lower() if isinstance(interpolation, str) else interpolation
        self.interpolation: str = choice(lowered, "interpolation", INTERPOLATIONS)
        self.crop_to_aspect_ratio: bool = flag(crop_to_aspect_ratio, "crop_to_aspect_ratio")
        self.pad_to_aspect_ratio: bool = flag(pad_to_aspect_ratio, "pad_to_aspect_ratio")
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise ArgumentError(
                "crop_to_aspect_ratio and pad_to_aspect_ratio are both True.", expected="at most one of them."
            )
        self.fill_mode: str = choice(fill_mode, "fill_mode", ("constant",))
        self.fill_value: float = number(fill_value, "fill_value")
        self.antialias: bool = flag(antialias, "antialias")
        self.data_format: str = as_format(data_format)

    def call(self, x: Tensor) -> Tensor:
        target = (self.height, self.width)
        if self.crop_to_aspect_ratio:
            x = self.cut(x, box_like(self.size_of(x), target))
        elif self.pad_to_aspect_ratio:
            x = self._padded(x)
        return self.resized(x, target, self.interpolation, self.antialias)

    def _padded(self, x: Tensor) -> Tensor:
        """x in the middle of what has the new ratio; equal borders on both sides, so maybe a pixel less. As Keras."""
        height, width = self.size_of(x)
        whole = (max(height, width * self.height // self.width), max(width, height * self.width // self.height))
        around = [(0, 0)] * x.ndim
        for axis, size, wanted in zip((self.rows, self.rows + 1), (height, width), whole, strict=True):
            around[axis] = ((wanted - size) // 2,) * 2
        return ops.pad(x, around, self.fill_value) if any(map(any, around)) else x


class CenterCrop(ImageLayer):
    """The middle of images, ``height`` rows and ``width`` columns; smaller images are enlarged before.

    Input and output as for ``Resizing``. Of an image that is smaller along an axis, the largest part in the middle with
    the new ratio of width to height is resized by linear interpolation. As Keras, where TensorFlow.js cuts nothing off
    smaller images, and a single column in front. Raises ShapeError for another number of axes. ``data_format`` is
    'channels_last' or 'channels_first'.

    >>> CenterCrop(1, 2)(ops.tensor([[[1.0], [2.0], [3.0], [4.0]]])).tolist()
    [[[2.0], [3.0]]]
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **common: Any) -> None:
        super().__init__(**common)
        self.height: int = positive(height, "height")
        self.width: int = positive(width, "width")
        self.data_format: str = as_format(data_format)

    def call(self, x: Tensor) -> Tensor:
        height, width = self.size_of(x)
        target = (self.height, self.width)
        if height >= self.height and width >= self.width:
            return self.cut(x, (_middle(height, self.height), _middle(width, self.width)))
        return self.resized(self.cut(x, box_like((height, width), target)), target, "bilinear")


class RandomWidth(ImageLayer):
    """In training, images of a width drawn at random, one for the whole batch; else the images as they are.

    ``factor`` is (lower, upper), or a number f for (-f, f): the new width is 1 + factor times the old one, rounded.
    ``interpolation`` is one of those of ``Resizing``; ``seed`` makes the widths reproducible. Input and output as for
    ``Resizing``. As Keras 2, where TensorFlow.js also changes the width outside training. A step with this layer is not
    replayed, for its shapes differ. Raises ShapeError for another number of axes. ``data_format`` is 'channels_last' or
    'channels_first'.

    >>> RandomWidth((1.0, 1.0))(ops.zeros((1, 4, 4, 3)), training=True).shape
    (1, 4, 8, 3)
    """

    elsewhere: ClassVar[Mapping[str, tuple[Any, ...]]] = {"auto_vectorize": (False, True)}

    def __init__(
        self,
        factor: Any,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.factor: Any = factor if not isinstance(factor, (list, tuple)) else tuple(factor)
        self.bounds: tuple[float, float] = _bounds(factor)
        self.interpolation: str = choice(interpolation, "interpolation", INTERPOLATIONS)
        self.seed: int | None = None if seed is None else as_int(seed, "seed")
        self.data_format: str = as_format(data_format)
        self._generator = random_stream(self.seed, self.name)

    def compute_output_spec(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The width is not known before."""
        shape = list(x.shape)
        if self.bounds != (0.0, 0.0):
            shape[self.rows + 1] = None
        return Output(tuple(shape), x.dtype)

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        if not training:
            return x
        lower, upper = self.bounds
        factor = lower if lower == upper else ops.random.uniform((), lower, upper, seed=self._generator).item()
        height, width = self.size_of(x)
        return self.resized(x, (height, max(1, math.floor((1.0 + factor) * width + 0.5))), self.interpolation)


def _bounds(factor: Any) -> tuple[float, float]:
    """The smallest and largest relative change that a factor stands for."""
    if not isinstance(factor, (list, tuple)):
        most = number(factor, "factor", minimum=0.0)
        return (-min(most, 1.0), most)
    if len(factor) != 2:
        raise ArgumentTypeError(f"factor is {factor!r}.", expected="a number, or (lower, upper).")
    lower, upper = (number(bound, "factor", minimum=-1.0) for bound in factor)
    if lower > upper:
        raise ArgumentError(f"factor is {factor!r}.", expected="the lower bound first.")
    return (lower, upper)

"""lamina's images and kernels as cuDNN describes them. Imports neither cupy nor cudnn.

An image is (batch, *size, channels) here and (batch, channels, *size) there, by its strides in the same memory. A
kernel is (*window, channels, filters) here and (filters, channels, *window) there, in memory channels-last, as images.
cuDNN convolves along two or three axes; along one, a first axis of length 1 is added.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

Sizes = tuple[int, ...]

LONGEST: Final = 2**31 - 1
"""The most elements of a tensor that cuDNN's kernels can count."""


@dataclass(frozen=True)
class Tensor:
    """Sizes and strides in elements, in cuDNN's order of axes, of a dense array with channels last."""

    dim: Sizes
    stride: Sizes


@dataclass(frozen=True)
class Windows:
    """How windows lie on an image: one number for each of two or three axes."""

    before: Sizes
    after: Sizes
    strides: Sizes
    dilations: Sizes

    def settings(self) -> dict[str, list[int]]:
        """The keyword arguments of cuDNN's convolutions."""
        return {
            "pre_padding": list(self.before),
            "post_padding": list(self.after),
            "stride": list(self.strides),
            "dilation": list(self.dilations),
        }


def channels_last(shape: Sizes) -> Tensor:
    """The description of a dense array (batch, *size, channels), or (filters, *window, channels).

    >>> channels_last((8, 5, 4, 3))
    Tensor(dim=(8, 3, 5, 4), stride=(60, 1, 12, 3))
    >>> channels_last((8, 5, 3))
    Tensor(dim=(8, 3, 1, 5), stride=(15, 1, 15, 3))
    """
    if len(shape) == 3:
        shape = (shape[0], 1, *shape[1:])
    strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    return Tensor((shape[0], shape[-1], *shape[1:-1]), (strides[0], strides[-1], *strides[1:-1]))


def windows(strides: Sizes, pads: Any, dilations: Sizes) -> Windows:
    """The windows of a convolution of lamina's along one to three axes.

    >>> windows((2,), ((1, 0),), (3,))
    Windows(before=(0, 1), after=(0, 0), strides=(1, 2), dilations=(1, 3))
    """
    before, after = tuple(pad[0] for pad in pads), tuple(pad[1] for pad in pads)
    if len(strides) == 1:
        return Windows((0, *before), (0, *after), (1, *strides), (1, *dilations))
    return Windows(before, after, tuple(strides), tuple(dilations))


def suits(pads: Any, *shapes: Sizes) -> bool:
    """Whether cuDNN has words for it: one to three axes, nothing empty, cut off or too large to count."""
    axes = len(shapes[0]) - 2
    countable = all(0 < math.prod(shape) <= LONGEST for shape in shapes)
    return 1 <= axes <= 3 and countable and all(p >= 0 for pad in pads for p in pad)

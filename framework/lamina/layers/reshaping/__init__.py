"""Layers that change shapes: other axes, borders cut off or added, more elements along an axis."""

from lamina.layers.reshaping.borders import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from lamina.layers.reshaping.shapes import Flatten, Permute, RepeatVector, Reshape
from lamina.layers.reshaping.upsampling import UpSampling1D, UpSampling2D, UpSampling3D

__all__ = [
    "Cropping1D", "Cropping2D", "Cropping3D", "Flatten", "Permute", "RepeatVector", "Reshape", "UpSampling1D",
    "UpSampling2D", "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
]  # fmt: skip

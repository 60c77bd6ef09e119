"""Borders, repetitions and dropout along other axes than those of pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lamina.models.exporting.lowering import axes
from lamina.models.exporting.lowering.plans import Block, Plan, lowers


def _along_all(layer: Any, what: str, work: Callable[..., Any], amounts: Any) -> Plan:
    def build(block: Block, x: Any) -> Any:
        for axis, amount in zip(layer.spatial_axes, amounts, strict=True):
            x = work(block, x, axis, amount)
        return x

    return Plan(what, build)


def _pairs(layer: Any, given: Any) -> Any:
    return (given,) if layer.rank == 1 else given


@lowers("ZeroPadding1D", "ZeroPadding3D")
def padding(layer: Any, shape: Any) -> Plan:
    """Reshape, and ZeroPadding2D for each axis."""
    axes.check_known(shape)
    return _along_all(layer, "ZeroPadding2D", axes.padded, _pairs(layer, layer.padding))


@lowers("Cropping1D", "Cropping3D")
def cropping(layer: Any, shape: Any) -> Plan:
    """Reshape, and Cropping2D for each axis."""
    axes.check_known(shape)
    return _along_all(layer, "Cropping2D", axes.cropped, _pairs(layer, layer.cropping))


@lowers("UpSampling1D", "UpSampling3D")
def upsampling(layer: Any, shape: Any) -> Plan:
    """Reshape, and Concatenate of equal tensors for each axis."""
    axes.check_known(shape)
    size = layer.size if isinstance(layer.size, tuple) else (layer.size,)
    return _along_all(layer, "Concatenate, of equal tensors", axes.repeated, size)


@lowers("SpatialDropout2D", "SpatialDropout3D")
def spatial_dropout(layer: Any, shape: Any) -> Plan:
    """Reshape, and SpatialDropout1D."""
    axes.check_known(shape)
    first = layer.data_format == "channels_first"

    def build(block: Block, x: Any) -> Any:
        given = axes.sizes(x)
        inner, channels = (given[1:], given[0]) if first else (given[:-1], given[-1])
        joined = axes.product(inner)
        x = axes.reshaped(block, x, (channels, joined) if first else (joined, channels))
        x = axes.permuted(block, x, (2, 1)) if first else x
        x = block("SpatialDropout1D", x, **block.chosen("rate", "seed"))
        return axes.reshaped(block, axes.permuted(block, x, (2, 1)) if first else x, given)

    return Plan("SpatialDropout1D", build)

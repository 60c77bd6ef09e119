"""Pooling that TensorFlow.js lacks: of volumes, of channels that come first, to a given size."""

from __future__ import annotations

from typing import Any

from lamina.models.exporting.lowering import axes
from lamina.models.exporting.lowering.plans import Block, Plan, Refused, lowers


@lowers("AveragePooling1D", "MaxPooling1D")
def pooling(layer: Any, shape: Any) -> Plan | None:
    """With channels first: Permute around it."""
    if layer.data_format == "channels_last":
        return None

    def build(block: Block, x: Any) -> Any:
        settings = block.chosen("pool_size", "strides", "padding")
        return axes.channels_first(block, block(layer.class_name, axes.channels_last(block, x), **settings))

    return Plan(f"{layer.class_name} with the channels last", build)


@lowers("AveragePooling3D", "MaxPooling3D")
def volume_pooling(layer: Any, shape: Any) -> Plan | None:
    """With strides longer than the window: the windows within the volume, if there are no others."""
    pads = axes.pads_of_a_volume(layer, shape, layer.pool_size)
    if pads is None:
        return None
    if any(map(any, pads)):
        raise Refused(
            f"TensorFlow.js pads volumes otherwise for strides {layer.strides} and windows of {layer.pool_size}.",
            "use padding='valid', or windows as long as the strides.",
        )

    def build(block: Block, x: Any) -> Any:
        return block(layer.class_name, x, padding="valid", **block.chosen("pool_size", "strides", "data_format"))

    return Plan(f"{layer.class_name} without padding", build, single=True)


@lowers(
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "GlobalMaxPooling3D",
)  # fmt: skip
def global_pooling(layer: Any, shape: Any) -> Plan | None:
    """Of volumes, of sequences with channels first, or with keepdims: Reshape around that of sequences or images."""
    first = layer.data_format == "channels_first"
    if not layer.keepdims and (layer.rank == 2 or (layer.rank == 1 and not first)):
        return None
    axes.check_known(shape, [1 if first else -1])
    kind = layer.class_name[:-2] + ("2D" if layer.rank == 2 else "1D")

    def build(block: Block, x: Any) -> Any:
        channels = x.shape[1 if first else -1]
        ones = (1,) * layer.rank
        if layer.rank == 2:
            pooled = block(kind, x, data_format=layer.data_format)
        else:
            joined = axes.product(x.shape[2:] if first else x.shape[1:-1])
            x = axes.reshaped(block, x, (channels, joined) if first else (joined, channels))
            pooled = block(kind, axes.permuted(block, x, (2, 1)) if first else x)
        if not layer.keepdims:
            return pooled
        return axes.reshaped(block, pooled, (channels, *ones) if first else (*ones, channels))

    return Plan(kind, build)


@lowers(
    "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D", "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D",
)  # fmt: skip
def adaptive_pooling(layer: Any, shape: Any) -> Plan:
    """Pooling with windows of one size, where the sizes divide."""
    axes.check_known(shape, layer.spatial_axes)
    pairs = [(shape[axis], count) for axis, count in zip(layer.spatial_axes, layer.output_size, strict=True)]
    if any(size % count for size, count in pairs):
        raise Refused(
            f"its windows differ in size: {layer.output_size} of an input of {tuple(shape)}.",
            "choose an output_size that divides the size of the input.",
        )
    windows = tuple(size // count for size, count in pairs)
    kind = layer.class_name.removeprefix("Adaptive")
    first = layer.rank == 1 and layer.data_format == "channels_first"

    def build(block: Block, x: Any) -> Any:
        if layer.rank > 1:
            return block(kind, x, pool_size=windows, data_format=layer.data_format)
        pooled = block(kind, axes.channels_last(block, x) if first else x, pool_size=windows[0])
        return axes.channels_first(block, pooled) if first else pooled

    return Plan(kind, build)

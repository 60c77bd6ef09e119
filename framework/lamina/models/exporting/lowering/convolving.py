"""Convolutions that TensorFlow.js lacks: by one axis, in groups, causal, transposed with an output padding."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from lamina.layers.convolution.transposed import place
from lamina.models.exporting.lowering import axes
from lamina.models.exporting.lowering.activating import activated, is_known, name_of
from lamina.models.exporting.lowering.plans import Block, Change, Plan, Refused, Source, lowers
from lamina.models.exporting.words import ACTIVATIONS

_MOST_GROUPS: Final = 64
_BIAS: Final = ("use_bias", "bias_initializer", "bias_regularizer", "bias_constraint")
_KERNEL: Final = (*_BIAS, "kernel_initializer", "kernel_regularizer", "kernel_constraint")
_DEPTHWISE: Final = (
    *_BIAS, "depth_multiplier", "depthwise_initializer", "depthwise_regularizer", "depthwise_constraint",
)  # fmt: skip
_SEPARABLE: Final = (*_DEPTHWISE, "filters", "pointwise_initializer", "pointwise_regularizer", "pointwise_constraint")


def _weights(block: Block, change: Change | None, *labels: str) -> dict[str, Source]:
    """The kernels of the layer, rearranged, and its bias if it has one."""
    found = {label: block.own(label, change) for label in labels}
    return {**found, "bias": block.own("bias")} if block.layer.use_bias else found  # type: ignore[attr-defined]


def _moves_channels(layer: Any) -> bool:
    return bool(layer.data_format == "channels_first")


@lowers("Conv1D", "Conv2D", "Conv3D")
def convolution(layer: Any, shape: Any) -> Plan | None:
    """In groups: DepthwiseConv2D, or Cropping2D and Concatenate. Causal: zeros before. Channels first: Permute."""
    causal = layer.padding == "causal"
    moves = _moves_channels(layer) and (layer.rank == 1 or layer.groups > 1)
    skips = _skips(layer)
    pads = axes.pads_of_a_volume(layer, shape, layer.reach)
    if is_known(layer.activation) and layer.groups == 1 and not causal and not moves and not skips and pads is None:
        return None
    if layer.groups > _MOST_GROUPS and not _is_depthwise(layer):
        raise Refused(f"it has {layer.groups} groups, each of which would become a layer.", "use fewer groups.")
    if layer.groups > 1 or (causal and not moves):
        axes.check_known(shape, [-1] if layer.rank > 1 and not moves and _is_depthwise(layer) else None)

    def build(block: Block, x: Any) -> Any:
        x = axes.channels_last(block, x) if moves else x
        if causal:
            x = axes.padded(block, x, 1, (layer.reach[0] - 1, 0))
        for axis, pair in zip(layer.spatial_axes, pads or (), strict=False):
            x = axes.padded(block, x, axis - 1 if moves else axis, pair)
        settings = {
            **block.chosen(*_KERNEL, "kernel_size", "strides", "dilation_rate"),
            "padding": "valid" if causal or pads else layer.padding,
            "data_format": "channels_last" if moves else layer.data_format,
            **({"strides": 1} if skips else {}),
        }
        if layer.groups == 1:
            y = block(layer.class_name, x, _weights(block, None, "kernel"), filters=layer.filters, **settings)
        else:
            y = (_depthwise if _is_depthwise(layer) else _grouped)(block, x, settings)
        y = _skipped(block, y, settings["data_format"]) if skips else y
        y = activated(block, y, layer.activation)
        return axes.channels_first(block, y) if moves else y

    depthwise = layer.groups > 1 and _is_depthwise(layer)
    parts = [
        *(["Permute"] if moves else []),
        *(["zeros before"] if causal else ["zeros around"] if pads and any(map(any, pads)) else []),
        "DepthwiseConv2D"
        if depthwise
        else layer.class_name
        if layer.groups == 1
        else f"a {layer.class_name} per group",
        *(["pooling for the strides"] if skips else []),
        *(["layers for its activation"] if name_of(layer.activation) not in ACTIVATIONS else []),
    ]
    return Plan(", ".join(parts), build)


def _skips(layer: Any) -> bool:
    """Whether strides have to be taken afterwards: TensorFlow.js has them, or gaps in the window, but not both."""
    if max(layer.strides) == 1 or max(layer.dilation_rate) == 1:
        return False
    if layer.padding == "same":
        raise Refused("TensorFlow.js has strides or dilation, not both.", "use padding='valid', or one of the two.")
    return True


def _skipped(block: Block, y: Any, data_format: str) -> Any:
    """Every n-th element, as pooling with windows of one element gives them."""
    layer: Any = block.layer
    kind = f"AveragePooling{layer.rank}D"
    if layer.rank == 1:
        return block(kind, y, pool_size=1, strides=layer.strides[0])
    return block(kind, y, pool_size=1, strides=layer.strides, data_format=data_format)


def _grouped(block: Block, x: Any, settings: dict[str, Any]) -> Any:
    """A convolution of each group of the channels, which are last, one behind the other."""
    layer: Any = block.layer
    channels, filters = x.shape[-1] // layer.groups, layer.filters // layer.groups
    last = len(x.shape) - 1
    found = []
    for group in range(layer.groups):
        part = axes.cropped(block, x, last, (group * channels, (layer.groups - 1 - group) * channels))
        weights = {
            label: block.own(label, _part(group * filters, filters))
            for label in ("kernel", "bias")
            if label == "kernel" or layer.use_bias
        }
        found.append(block(layer.class_name, part, weights, filters=filters, **settings))
    return block("Concatenate", found, axis=-1)


def _is_depthwise(layer: Any) -> bool:
    """Whether each channel is a group of its own, and TensorFlow.js has a layer for that."""
    return bool(layer.rank < 3 and layer.groups == layer.channels and max(layer.dilation_rate) == 1)


def _depthwise(block: Block, x: Any, settings: dict[str, Any]) -> Any:
    """A convolution in groups of one channel: the filters of a channel follow each other, as those by depth do."""
    layer: Any = block.layer
    multiplier = layer.filters // layer.groups
    one = layer.rank == 1
    found = {key.replace("kernel_", "depthwise_") if key != "kernel_size" else key: v for key, v in settings.items()}
    if one:
        found.update(kernel_size=(1, *layer.kernel_size), strides=layer.strides * 2, dilation_rate=1)

    def change(array: Any) -> Any:
        by_channel = array.reshape(*layer.kernel_size, layer.groups, multiplier)
        return by_channel[None] if one else by_channel

    weights = {"depthwise_kernel": block.own("kernel", change)}
    if layer.use_bias:
        weights["bias"] = block.own("bias")
    picture = _as_picture(block, x) if one else x
    y = block("DepthwiseConv2D", picture, weights, depth_multiplier=multiplier, **found)
    return _as_sequence(block, y) if one else y


def _part(start: int, size: int) -> Change:
    return lambda array: array[..., start : start + size]


def _wide(array: Any) -> Any:
    """A kernel along one axis as one of pictures of one row."""
    return array[None]


def _before(layer: Any) -> tuple[int, int]:
    return (layer.reach[0] - 1 if layer.padding == "causal" else 0, 0)


def _as_picture(block: Block, x: Any) -> Any:
    """A sequence, with channels last, as a picture of one row."""
    return axes.reshaped(block, x, (1, *axes.sizes(x)))


def _as_sequence(block: Block, x: Any) -> Any:
    return axes.reshaped(block, x, axes.sizes(x)[1:])


@lowers("DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D")
def by_channel(layer: Any, shape: Any) -> Plan | None:
    """Of sequences: that of pictures of one row. With channels first: Permute. Dilated: SeparableConv2D."""
    separable = layer.class_name.startswith("Separable")
    dilated = not separable and max(layer.dilation_rate) > 1
    moves = _moves_channels(layer) and (layer.rank == 1 or separable or dilated)
    if layer.rank == 2 and is_known(layer.activation) and not dilated and not moves:
        return None
    is_known(layer.activation)
    if max(layer.strides) > 1 and max(layer.dilation_rate) > 1:
        raise Refused("TensorFlow.js has strides or dilation, not both.", "use one of the two.")
    axes.check_known(shape, [1 if _moves_channels(layer) else -1])

    def build(block: Block, x: Any) -> Any:
        x = axes.channels_last(block, x) if moves else x
        if layer.rank == 1:
            x = _as_picture(block, axes.padded(block, x, 1, _before(layer)))
        y = _pictured(block, x, separable, dilated, "channels_last" if moves else layer.data_format)
        y = _as_sequence(block, y) if layer.rank == 1 else y
        y = activated(block, y, layer.activation)
        return axes.channels_first(block, y) if moves else y

    return Plan("SeparableConv2D" if separable or dilated else "DepthwiseConv2D", build)


def _pictured(block: Block, x: Any, separable: bool, dilated: bool, data_format: str) -> Any:
    """The convolution of pictures; one by channel that is dilated is separable, mixing nothing."""
    layer: Any = block.layer
    one = layer.rank == 1
    window = {
        "kernel_size": (1, *layer.kernel_size) if one else layer.kernel_size,
        "strides": layer.strides * 2 if one else layer.strides,
        "dilation_rate": layer.dilation_rate * 2 if one else layer.dilation_rate,
        "padding": "valid" if layer.padding == "causal" else layer.padding,
        "data_format": data_format,
    }
    change = _wide if one else None
    if separable:
        weights = _weights(block, change, "depthwise_kernel", "pointwise_kernel")
        return block("SeparableConv2D", x, weights, **block.chosen(*_SEPARABLE), **window)
    weights = _weights(block, change, "depthwise_kernel")
    if not dilated:
        return block("DepthwiseConv2D", x, weights, **block.chosen(*_DEPTHWISE), **window)
    count = layer.channels * layer.depth_multiplier
    weights["pointwise_kernel"] = Source(None, None, np.eye(count).reshape(1, 1, count, count))
    settings = {**block.chosen(*_DEPTHWISE), "filters": count, "pointwise_initializer": "zeros"}
    return block("SeparableConv2D", x, weights, **settings, **window)


@lowers("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
def transposed(layer: Any, shape: Any) -> Plan | None:
    """Of sequences: that of pictures of one row. With an output padding: zeros behind its input, and Cropping2D.

    Of volumes with strides longer than the window: what lies between windows is not cut off, as TensorFlow.js does.
    """
    if max(layer.dilation_rate) > 1:
        raise Refused("TensorFlow.js's transposed convolutions know no dilation.", "use dilation_rate=1.")
    plain = layer.output_padding is None
    moves = _moves_channels(layer) and (layer.rank == 1 or not plain)
    cuts = _cuts_of_a_volume(layer) if plain else None
    if layer.rank > 1 and plain and cuts is None and is_known(layer.activation):
        return None
    is_known(layer.activation)
    axes.check_known(shape)

    def build(block: Block, x: Any) -> Any:
        x = axes.channels_last(block, x) if moves else x
        x = x if plain else _with_room(block, x)
        y = _transposed(block, x, "channels_last" if moves else layer.data_format, plain and cuts is None)
        y = y if plain else _without_room(block, y)
        for axis, pair in zip(layer.spatial_axes, cuts or (), strict=False):
            y = axes.cropped(block, y, axis, pair)
        y = activated(block, y, layer.activation)
        return axes.channels_first(block, y) if moves else y

    kind = "Conv3DTranspose" if layer.rank == 3 else "Conv2DTranspose"
    return Plan(kind, build)


def _cuts_of_a_volume(layer: Any) -> list[tuple[int, int]] | None:
    """What ``padding="same"`` cuts off along each axis, if TensorFlow.js must be told; None if it must not."""
    pairs = list(zip(layer.reach, layer.strides, strict=True))
    if layer.rank < 3 or layer.padding != "same" or all(reach >= stride for reach, stride in pairs):
        return None
    totals = [max(0, reach - stride) for reach, stride in pairs]
    return [(total // 2, total - total // 2) for total in totals]


def _transposed(block: Block, x: Any, data_format: str, as_given: bool) -> Any:
    layer: Any = block.layer
    one = layer.rank == 1
    window = {
        "kernel_size": (1, *layer.kernel_size) if one else layer.kernel_size,
        "strides": (1, *layer.strides) if one else layer.strides,
        "padding": layer.padding if as_given else "valid",
        "data_format": data_format,
    }
    weights = _weights(block, _wide if one else None, "kernel")
    if one:
        x = _as_picture(block, x)
    kind = "Conv2DTranspose" if one else layer.class_name
    y = block(kind, x, weights, filters=layer.filters, **block.chosen(*_KERNEL), **window)
    return _as_sequence(block, y) if one else y


def _room(layer: Any, i: int) -> tuple[int, int, int]:
    """How many zeros are put behind the input along an axis, and how much is cut off the output, before and behind."""
    reach, stride = layer.reach[i], layer.strides[i]
    wanted = place(1, reach, stride, layer.padding, layer.output_padding[i])
    size = wanted.size + wanted.beyond
    room = max(0, -(-(wanted.before + size - max(reach, stride)) // stride))
    return room, wanted.before, room * stride + max(reach, stride) - wanted.before - size


def _with_room(block: Block, x: Any) -> Any:
    for i in range(block.layer.rank):  # type: ignore[attr-defined]
        x = axes.padded(block, x, i + 1, (0, _room(block.layer, i)[0]))
    return x


def _without_room(block: Block, y: Any) -> Any:
    for i in range(block.layer.rank):  # type: ignore[attr-defined]
        y = axes.cropped(block, y, i + 1, _room(block.layer, i)[1:])
    return y

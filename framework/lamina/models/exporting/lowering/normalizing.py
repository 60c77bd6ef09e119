"""Normalization, and scales that differ by feature."""

from __future__ import annotations

from typing import Any, Final, cast

import numpy as np

from lamina.models.exporting.lowering import axes
from lamina.models.exporting.lowering.plans import Block, Plan, Refused, Source, constant, lowers

_LEAST_DEVIATION: Final = 1e-7
_BATCH_WEIGHTS: Final = ("gamma", "beta", "moving_mean", "moving_variance")
_SETTINGS: Final = (
    "epsilon", "center", "scale", "beta_initializer", "gamma_initializer", "beta_regularizer", "gamma_regularizer",
    "beta_constraint", "gamma_constraint",
)  # fmt: skip


@lowers("BatchNormalization")
def batch_normalization(layer: Any, shape: Any) -> Plan | None:
    """Along another axis than the last: Permute around it. Of more than four axes: Reshape. Without renormalization."""
    rank = len(shape)
    axis = layer.axis % rank
    renorm = layer.renorm
    if axis == rank - 1 and rank <= 4 and not renorm:
        return None
    if axis != rank - 1 or rank > 4:
        axes.check_known(shape)
    order = [a for a in range(1, rank) if a != axis] + [axis]
    back = [order.index(a) + 1 for a in range(1, rank)]

    def build(block: Block, x: Any) -> Any:
        moved = axes.permuted(block, x, order)
        inner = axes.sizes(moved)
        if rank > 4:
            moved = axes.reshaped(block, moved, (axes.product(inner[:-1]), inner[-1]))
        y = _batches(block, moved)
        return axes.permuted(block, axes.reshaped(block, y, inner), back)

    notes = ("it trains without renormalization there",) if renorm else ()
    return Plan("BatchNormalization of the last axis", build, notes)


def _batches(block: Block, x: Any) -> Any:
    """The normalization along the last axis, with the weights that TensorFlow.js has too."""
    kept = (*_SETTINGS, "momentum", "moving_mean_initializer", "moving_variance_initializer")
    found = [v.name.rpartition("/")[2] for v in block.layer.weights]
    weights: dict[str, Source] = {label: block.own(label) for label in _BATCH_WEIGHTS if label in found}
    return block("BatchNormalization", x, weights, axis=-1, **block.chosen(*kept))


@lowers("LayerNormalization")
def layer_normalization(layer: Any, shape: Any) -> Plan | None:
    """With axes in another order: in order. With rms_scaling, or more than four axes: a class in JavaScript."""
    if layer.rms_scaling:
        raise Refused("TensorFlow.js knows no rms_scaling.", "use LayerNormalization without it.")
    if len(shape) > 4:
        raise Refused("TensorFlow.js normalizes at most four axes.", "reshape its input to four axes.")
    given = list(layer.axis) if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    found = sorted(axis % len(shape) for axis in given)
    if len(given) == 1 or [axis % len(shape) for axis in given] == found:
        return None
    labels = [v.name.rpartition("/")[2] for v in layer.weights]

    def build(block: Block, x: Any) -> Any:
        weights = {label: block.own(label) for label in labels}
        return block("LayerNormalization", x, weights, axis=found, **block.chosen(*_SETTINGS))

    return Plan("LayerNormalization with its axes in order", build, single=True)


def _by_feature(block: Block, x: Any, factor: Any = None, offset: Any = None) -> Any:
    """x * factor + offset with values for each entry of the last axis, by a convolution that is never trained."""
    given = axes.sizes(x)
    picture = axes.reshaped(block, x, (axes.product(given[:-1]), 1, given[-1]))
    count = cast("int", given[-1])
    ones = np.ones(count) if factor is None else np.broadcast_to(factor, (count,))
    weights = {"depthwise_kernel": constant(ones.reshape(1, 1, -1, 1))}
    if offset is not None:
        weights["bias"] = constant(np.broadcast_to(offset, (count,)))
    y = block(
        "DepthwiseConv2D", picture, weights, kernel_size=1, use_bias=offset is not None, trainable=False,
        depthwise_initializer="ones",
    )  # fmt: skip
    return axes.reshaped(block, y, given)


def _check_last(shape: Any) -> None:
    axes.check_known(shape, [-1])
    axes.check_known(shape)


@lowers("Rescaling")
def rescaling(layer: Any, shape: Any) -> Plan | None:
    """With numbers for each feature: DepthwiseConv2D of one point, not trained."""
    if not isinstance(layer.scale, list) and not isinstance(layer.offset, list):
        return None
    _check_last(shape)
    return Plan(
        "DepthwiseConv2D of one point", lambda block, x: _by_feature(block, x, np.array(layer.scale), layer.offset)
    )


@lowers("Normalization")
def normalization(layer: Any, shape: Any) -> Plan:
    """Rescaling, or DepthwiseConv2D of one point, not trained: for statistics of all, or of the last axis."""
    mean, variance = (np.asarray(s.numpy() if hasattr(s, "numpy") else s, np.float64) for s in _statistics(layer))
    deviation = np.maximum(np.sqrt(variance), _LEAST_DEVIATION)
    whole = mean.size == 1 and deviation.size == 1
    if not whole:
        axis = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
        if [a % len(shape) for a in axis] != [len(shape) - 1]:
            raise Refused("its statistics are not those of the last axis.", "use axis=-1 or axis=None.")
        _check_last(shape)

    def build(block: Block, x: Any) -> Any:
        if whole:
            one, other = float(mean.ravel()[0]), float(deviation.ravel()[0])
            if layer.invert:
                return block("Rescaling", x, scale=other, offset=one)
            return block("Rescaling", block("Rescaling", x, scale=1.0, offset=-one), scale=1.0 / other)
        m, d = mean.ravel(), deviation.ravel()
        if layer.invert:
            return _by_feature(block, x, d, m)
        return _by_feature(block, _by_feature(block, x, None, -m), 1.0 / d)

    return Plan("Rescaling" if whole else "DepthwiseConv2D of one point", build)


def _statistics(layer: Any) -> tuple[Any, Any]:
    return layer.mean, layer.variance

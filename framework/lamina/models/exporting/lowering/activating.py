"""Activation functions that TensorFlow.js lacks, made of layers that it has."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from lamina import activations
from lamina.models.exporting.lowering import axes
from lamina.models.exporting.lowering.plans import Block, Plan, Refused, lowers
from lamina.models.exporting.words import ACTIVATIONS

Function = Callable[[Block, Any], Any]


def _scaled(block: Block, x: Any, scale: float, offset: float = 0.0) -> Any:
    return block("Rescaling", x, scale=scale, offset=offset)


def _named(name: str) -> Function:
    return lambda block, x: block("Activation", x, activation=name)


def _rectified(block: Block, x: Any, most: float | None = None) -> Any:
    return block("ReLU", x, max_value=most)


def _below(block: Block, x: Any, threshold: float = 0.0) -> Any:
    """max(threshold - x, 0)."""
    return _rectified(block, _scaled(block, x, -1.0, threshold))


def _hard_sigmoid(block: Block, x: Any) -> Any:
    return _scaled(block, _rectified(block, _scaled(block, x, 1.0, 3.0), 6.0), 1.0 / 6.0)


def _clipped(block: Block, x: Any, bound: float) -> Any:
    """x, at least -bound and at most bound."""
    return _scaled(block, _rectified(block, _scaled(block, x, 1.0, bound), 2.0 * bound), 1.0, -bound)


def _hard_silu(block: Block, x: Any) -> Any:
    return block("Multiply", [x, _hard_sigmoid(block, x)])


def _log_sigmoid(block: Block, x: Any) -> Any:
    return _scaled(block, _named("softplus")(block, _scaled(block, x, -1.0)), -1.0)


def _tanh_shrink(block: Block, x: Any) -> Any:
    return block("Add", [x, _scaled(block, _named("tanh")(block, x), -1.0)])


def _soft_shrink(block: Block, x: Any) -> Any:
    beyond = _rectified(block, _scaled(block, x, -1.0, -0.5))
    return block("Add", [_rectified(block, _scaled(block, x, 1.0, -0.5)), _scaled(block, beyond, -1.0)])


def _hard_shrink(block: Block, x: Any) -> Any:
    beyond = block("ThresholdedReLU", _scaled(block, x, -1.0), theta=0.5)
    return block("Add", [block("ThresholdedReLU", x, theta=0.5), _scaled(block, beyond, -1.0)])


def _sparse_sigmoid(block: Block, x: Any) -> Any:
    return _scaled(block, _rectified(block, _scaled(block, x, 1.0, 1.0), 2.0), 0.5)


def _sparse_plus(block: Block, x: Any) -> Any:
    curve = _rectified(block, _scaled(block, x, 1.0, 1.0), 2.0)
    beyond = _rectified(block, _scaled(block, x, 1.0, -1.0))
    return block("Add", [_scaled(block, block("Multiply", [curve, curve]), 0.25), beyond])


def _gelu_new(block: Block, x: Any) -> Any:
    cube = _scaled(block, block("Multiply", [x, x, x]), 0.044715)
    gate = _named("tanh")(block, _scaled(block, block("Add", [x, cube]), math.sqrt(2.0 / math.pi)))
    return block("Multiply", [x, _scaled(block, gate, 0.5, 0.5)])


COMPOSED: Final[Mapping[str, Function]] = {
    "celu": _named("elu"),
    "gelu_new": _gelu_new,
    "hard_shrink": _hard_shrink,
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": _hard_silu,
    "hard_tanh": lambda block, x: _clipped(block, x, 1.0),
    "leaky_relu": lambda block, x: block("LeakyReLU", x, negative_slope=0.2),
    "log_sigmoid": _log_sigmoid,
    "soft_shrink": _soft_shrink,
    "sparse_plus": _sparse_plus,
    "sparse_sigmoid": _sparse_sigmoid,
    "tanh_shrink": _tanh_shrink,
}
"""Functions by name, for the settings that they have as activations."""


def name_of(function: Any) -> str:
    """The name of an activation; of an object with a config, that of its class."""
    found = activations.serialize(function)
    return found if isinstance(found, str) else str(found.get("class_name"))


def is_known(function: Any) -> bool:
    """Whether TensorFlow.js has an activation. Raises Refused if it cannot be made of what it has either."""
    name = name_of(function)
    if name not in ACTIVATIONS and name not in COMPOSED:
        raise Refused(
            f"TensorFlow.js has no activation {name!r}.", f"use one of {', '.join(sorted({*ACTIVATIONS, *COMPOSED}))}."
        )
    return name in ACTIVATIONS


def activated(block: Block, x: Any, function: Any) -> Any:
    """An activation of x."""
    name = name_of(function)
    if name == "linear":
        return x
    return _named(name)(block, x) if name in ACTIVATIONS else COMPOSED[name](block, x)


@lowers("Activation")
def activation(layer: Any, shape: Any) -> Plan | None:
    """Of functions that TensorFlow.js lacks: what they are made of."""
    if is_known(layer.activation):
        return None
    return Plan(f"layers that give {name_of(layer.activation)}", lambda b, x: activated(b, x, layer.activation))


@lowers("Dense")
def dense(layer: Any, shape: Any) -> Plan | None:
    """With an activation that TensorFlow.js lacks: Dense, and what the activation is made of."""
    if is_known(layer.activation):
        return None

    def build(block: Block, x: Any) -> Any:
        weights = {label: block.own(label) for label in ("kernel", "bias") if label != "bias" or layer.use_bias}
        kept = ("kernel_initializer", "kernel_regularizer", "kernel_constraint", "bias_initializer",
                "bias_regularizer", "bias_constraint", "use_bias", "units")  # fmt: skip
        return activated(block, block("Dense", x, weights, **block.chosen(*kept)), layer.activation)

    return Plan(f"Dense, and layers that give {name_of(layer.activation)}", build)


@lowers("ReLU")
def relu(layer: Any, shape: Any) -> Plan | None:
    """With a slope or a threshold: what it is made of."""
    slope, threshold, most = layer.negative_slope, layer.threshold, layer.max_value
    if not slope and not threshold:
        return None

    def build(block: Block, x: Any) -> Any:
        kept = block("ThresholdedReLU", x, theta=threshold) if threshold else x
        kept = _rectified(block, kept, most) if most is not None or not threshold else kept
        if not slope:
            return kept
        return block("Add", [kept, _scaled(block, _below(block, x, threshold), -slope)])

    return Plan("ReLU, ThresholdedReLU and a line below", build)


@lowers("ELU")
def elu(layer: Any, shape: Any) -> Plan | None:
    """With another alpha than 1: ReLU, and alpha times the rest."""
    if layer.alpha == 1:
        return None

    def build(block: Block, x: Any) -> Any:
        rest = _named("elu")(block, _scaled(block, _below(block, x), -1.0))
        return block("Add", [_rectified(block, x), _scaled(block, rest, layer.alpha)])

    return Plan("ReLU, and alpha times elu below 0", build)


@lowers("Softmax")
def softmax(layer: Any, shape: Any) -> Plan | None:
    """Along another axis than the last: Permute around it."""
    found = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    if len(found) > 1:
        return None
    rank = len(shape)
    axis = found[0] % rank
    if axis == rank - 1:
        return None
    if axis == 0:
        raise Refused("its axis is that of the batch.", "choose another axis.")
    order = [a for a in range(1, rank) if a != axis] + [axis]
    back = [order.index(a) + 1 for a in range(1, rank)]

    def build(block: Block, x: Any) -> Any:
        return axes.permuted(block, block("Softmax", axes.permuted(block, x, order), axis=-1), back)

    return Plan("Softmax of the last axis", build)


@lowers("Identity", "ActivityRegularization")
def identity(layer: Any, shape: Any) -> Plan:
    """Activation, linear."""
    notes = ("its penalty is not part of training there",) if layer.class_name == "ActivityRegularization" else ()
    return Plan("Activation, linear", lambda block, x: block("Activation", x, activation="linear"), notes, single=True)

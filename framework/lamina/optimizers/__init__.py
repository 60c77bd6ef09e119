"""Optimizers: how gradients change Variables.

An update rule is a pure function of tensors, written in ops; the base stages all of its results and assigns them at
the end. All state is Variables, so that steps can be recorded and replayed. Knows ops, gradients and the registry;
knows nothing of layers or models.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lamina import serialization
from lamina.errors import ArgumentTypeError
from lamina.optimizers import schedules
from lamina.optimizers.adafactor import Adafactor
from lamina.optimizers.adam import Adam, AdamW
from lamina.optimizers.adaptive import Adadelta, Adagrad, Adamax, RMSprop
from lamina.optimizers.ftrl import Ftrl
from lamina.optimizers.lamb import Lamb
from lamina.optimizers.lion import Lion
from lamina.optimizers.loss_scale import LossScaleOptimizer
from lamina.optimizers.muon import Muon
from lamina.optimizers.nadam import Nadam
from lamina.optimizers.optimizer import Optimizer
from lamina.optimizers.schedule_free import ScheduleFreeAdamW
from lamina.optimizers.sgd import SGD, Momentum

__all__ = [
    "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion",
    "LossScaleOptimizer", "Momentum", "Muon", "Nadam", "Optimizer", "RMSprop", "ScheduleFreeAdamW", "deserialize",
    "get", "schedules", "serialize",
]  # fmt: skip

ALIASES: Final[dict[str, str]] = {}


def get(identifier: Any) -> Any:
    """The optimizer that a name, config, class or optimizer stands for; None for None.

    Names may be spelled as in Keras or TensorFlow.js. A config of TensorFlow.js, whose keys are as ``learningRate``,
    makes an optimizer that takes the steps of TensorFlow.js. Raises UnknownNameError, SerializationError,
    ArgumentTypeError.

    >>> get("adam").get_config()["learning_rate"]
    0.001
    """
    found = serialization.get_object("optimizers", identifier, Optimizer, ALIASES)
    if found is None or isinstance(found, Optimizer):
        return found
    raise ArgumentTypeError(f"{identifier!r} is not an optimizer.", expected="an Optimizer, its name or its config.")


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """The config of an optimizer, as ``deserialize`` takes it, without its state.

    >>> serialize(SGD(0.5))["class_name"]
    'SGD'
    """
    return serialization.serialize(optimizer)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The optimizer of a config; ``custom_objects`` names classes of your own.

    Raises UnknownNameError or SerializationError if the config names none.

    >>> deserialize(serialize(SGD(0.5))).learning_rate.numpy().item()
    0.5
    """
    with serialization.custom_object_scope(custom_objects or {}):
        return serialization.deserialize("optimizers", config, Optimizer, ALIASES)  # type: ignore[type-abstract]

"""Optimizers: how gradients change Variables.

An update rule is a pure function of tensors, written in ops; the base stages all of its results and assigns them at
the end. All state is Variables, so that steps can be recorded and replayed. Knows ops, gradients and the registry;
knows nothing of layers or models.
"""

from __future__ import annotations

from typing import Any, Final

from lamina.errors import ArgumentTypeError
from lamina.optimizers import schedules
from lamina.optimizers.adam import Adam
from lamina.optimizers.adaptive import Adadelta, Adagrad, Adamax, RMSprop
from lamina.optimizers.optimizer import Optimizer
from lamina.optimizers.sgd import SGD, Momentum
from lamina.serialization import get_object

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "Adamax", "Momentum", "Optimizer", "RMSprop", "get", "schedules"]

ALIASES: Final[dict[str, str]] = {}


def get(identifier: Any) -> Any:
    """The optimizer that a name, config, class or optimizer stands for; None for None.

    Names may be spelled as in Keras or TensorFlow.js. Raises UnknownNameError, SerializationError, ArgumentTypeError.

    >>> get("adam").get_config()["learning_rate"]
    0.001
    """
    found = get_object("optimizers", identifier, Optimizer, ALIASES)
    if found is None or isinstance(found, Optimizer):
        return found
    raise ArgumentTypeError(f"{identifier!r} is not an optimizer.", expected="an Optimizer, its name or its config.")

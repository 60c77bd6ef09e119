"""The state of an optimizer as ``.h5`` files of Keras have it: a list in an order that changed over the years."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from lamina.errors import ModelFileError
from lamina.io.checks import shown
from lamina.models.saving.sources import assign_all, values_of
from lamina_keras.hdf5 import Group
from lamina_keras.layer_weights import HostArray, Pair, named_in, put_arrays

OPTIMIZER_WEIGHTS: Final = "optimizer_weights"

_SLOTS: Final = frozenset(
    {"m", "v", "vhat", "u", "rms", "mg", "momentum", "accumulator", "linear", "accum_grad", "accum_var"}
)
"""How names end in files of Keras 2 before 2.11, in which a kind of state comes for all weights, then the next kind."""

_RATES: Final = ("learning_rate", "current_learning_rate")


def optimizer_group(optimizer: Any) -> Group | None:
    """The state of an optimizer in the order of Keras 3, None before there is any."""
    if not optimizer.built:
        return None
    group = Group()
    put_arrays(group, ((v.name, values_of(v)) for v in optimizer.variables))
    return group


def restore_optimizer(model: Any, group: Group, where: str, old: bool) -> None:
    """Gives the optimizer of a model the state of a file. Raises ModelFileError if it does not fit.

    ``old`` says that the file may be from before the order of now.
    """
    stored = [(name.removesuffix(":0"), array) for name, array in named_in(group, where).items()]
    if not stored:
        return
    optimizer = model.optimizer
    optimizer.build(model.trainable_weights)
    assign_all(_matched(optimizer, stored, where, old))


def _matched(optimizer: Any, stored: Sequence[tuple[str, HostArray]], where: str, old: bool) -> list[Pair]:
    """Variables and their values. The rate is passed over where the file has it and the optimizer has a schedule."""
    by_slots = old and any(name.rpartition("/")[2] in _SLOTS for name, _ in stored)
    variables = list(_by_slots(optimizer) if by_slots else optimizer.variables)
    rate = next((v for v in variables if v.name.rpartition("/")[2] == "learning_rate"), None)
    rates = [array for name, array in stored if name.rpartition("/")[2] in _RATES and not array.shape]
    values = [array for name, array in stored if name.rpartition("/")[2] not in _RATES or array.shape]
    others = [v for v in variables if v is not rate]
    if len(values) == 1 and not values[0].shape:
        others = others[:1]  # saved before the first step: the slots made now are as they were
    if [v.shape for v in others] != [array.shape for array in values]:
        raise ModelFileError(
            f"{where} has {len(values)} arrays for the optimizer {shown(optimizer.name)}, which has {len(others)}, or "
            "others of other shapes.",
            expected="the state of this optimizer for the weights of the model.",
            fix="load the model with compile=False, and compile it anew.",
        )
    pairs: list[Pair] = list(zip(others, values, strict=True))
    return pairs + ([(rate, np.asarray(rates[0]))] if rate is not None and rates else [])


def _by_slots(optimizer: Any) -> list[Any]:
    """The variables in the order of Keras 2: the count of steps, then each kind of state for all weights."""
    first, *slots = [v for v in optimizer.variables if v.name.rpartition("/")[2] != "learning_rate"]
    kinds = list(dict.fromkeys(v.name.rpartition("/")[2] for v in slots))
    return [first, *(v for kind in kinds for v in slots if v.name.rpartition("/")[2] == kind)]

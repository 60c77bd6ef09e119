"""What an optimizer remembers: the rate, the step count, and slots for each Variable it trains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

import numpy as np

from lamina import ops
from lamina.dtypes import FLOATING
from lamina.errors import ArgumentError, ArgumentTypeError, DTypeError, NotBuiltError, ShapeError
from lamina.optimizers.schedules import LearningRateSchedule, deserialize
from lamina.runtime.convert import host_view, numpy_dtype
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable, VariableGroup
from lamina.shapes import as_float

ITERATIONS: Final = "iter"
"""The name of the step count among saved weights, as TensorFlow.js writes it."""

AVERAGE: Final = "average"
"""The slot of a weight's moving average, for optimizers made with use_ema."""

ACCUMULATOR: Final = "gradient_accumulator"
"""The slot of gradients gathered since the last update, for optimizers made with gradient_accumulation_steps."""


class OptimizerState:
    """The Variables of an optimizer. Slots are made by ``build``, at the latest by the first step."""

    shared_slots: ClassVar[Mapping[str, float]] = {}
    """What the update rule keeps once for all Variables: the names and first values of float32 scalars."""

    def __init__(self, learning_rate: Any, name: str) -> None:
        self.name = name
        if isinstance(learning_rate, Mapping):
            learning_rate = deserialize(learning_rate)
        self._schedule = learning_rate if isinstance(learning_rate, LearningRateSchedule) else None
        rate = 0.0 if self._schedule else checked_rate(learning_rate)
        self._learning_rate = Variable(rate, trainable=False, name=f"{name}/learning_rate", dtype="float32")
        self._iterations = Variable(0, trainable=False, name=f"{name}/{ITERATIONS}", dtype="int32")
        self._shared = {
            slot: Variable(value, trainable=False, name=f"{name}/{slot}", dtype="float32")
            for slot, value in self.shared_slots.items()
        }
        self._variables: list[Variable] = []
        self._slots: dict[int, dict[str, Variable]] = {}

    @property
    def learning_rate(self) -> Any:
        """The learning rate, a Variable. Assigning a number, or a scalar tensor, changes its value.

        With a schedule, the rate of the next step, a tensor; steps that only gather gradients count, as in Keras.
        Assigning another schedule replaces it; a number is refused by ArgumentTypeError.
        """
        return self._learning_rate if self._schedule is None else self._schedule(self._iterations.value)

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if self._schedule is not None:
            if not isinstance(value, LearningRateSchedule):
                raise ArgumentTypeError(
                    f"the learning rate of {self.name!r} follows a schedule, and was given {value!r}.",
                    expected="another LearningRateSchedule.",
                    fix="make the optimizer with a number to change it by hand.",
                )
            self._schedule = value
            return
        is_tensor = isinstance(value, (Tensor, Variable))
        self._learning_rate.assign(ops.cast(value, "float32") if is_tensor else checked_rate(value))

    @property
    def iterations(self) -> Variable:
        """How often ``apply`` was called, an int32 Variable."""
        return self._iterations

    @property
    def _updates(self) -> Tensor:
        """How many updates were made, an int32 scalar."""
        return self._iterations.value

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The names of what the update rule keeps for each Variable, in the order of saved models."""
        return ()

    def slot_names_of(self, variable: Variable) -> tuple[str, ...]:
        """Those of ``slot_names`` that a Variable has: all, unless an update rule treats some in another way."""
        return self.slot_names

    def initial_slot(self, slot: str, variable: Variable) -> Tensor:
        """What a slot of a Variable holds before the first step: zeros, unless an update rule says otherwise."""
        return ops.zeros_like(variable)

    @property
    def setting_slot_names(self) -> tuple[str, ...]:
        """The slots that settings of the base add for every Variable."""
        return ()

    @property
    def saved_slot_names(self) -> tuple[str, ...]:
        """The slots that a saved model has room for; those that are not kept are saved as zeros."""
        return self.slot_names

    @property
    def slot_blocks(self) -> tuple[tuple[str, ...], ...]:
        """The slots in Keras's order, which has those of a block next to each other for each Variable."""
        return (self.slot_names,)

    @property
    def variables(self) -> list[Variable]:
        """All state in Keras's order: iterations, the learning rate if it is a number, the slots of settings, those of
        the update rule, and what it keeps once for all Variables.
        """
        rate = [] if self._schedule is not None else [self._learning_rate]
        blocks = (*((slot,) for slot in self.setting_slot_names), *self.slot_blocks)
        held = [
            self._slots[id(v)][slot]
            for block in blocks
            for v in self._variables
            for slot in block
            if slot in self._slots[id(v)]
        ]
        return [self._iterations, *rate, *held, *self._shared.values()]

    @property
    def built(self) -> bool:
        """Whether the slots of some Variables exist."""
        return bool(self._variables)

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the slots of those Variables that have none yet. Call it before a step is recorded.

        Raises ArgumentTypeError or DTypeError, and makes nothing, for something that cannot be trained.
        """
        fresh = list({id(v): v for v in variables if id(v) not in self._slots}.values())
        for variable in fresh:
            _check_trainable(variable)
        if fresh and not self._variables:
            for own in (self._iterations, self._learning_rate, *self._shared.values()):
                own.to(fresh[0].backend)
        for variable in fresh:
            self._slots[id(variable)] = {
                slot: Variable(self.initial_slot(slot, variable), trainable=False, name=f"{variable.name}/{slot}")
                for slot in (*self.slot_names_of(variable), *self.setting_slot_names)
            }
            self._variables.append(variable)
        if fresh:
            for members in self._alike(self._variables):
                slots = *self.slot_names_of(members[0]), *self.setting_slot_names
                VariableGroup([self._slots[id(v)][slot] for slot in slots for v in members])
                VariableGroup(members)

    def _alike(self, variables: Sequence[Variable]) -> list[list[Variable]]:
        """The Variables in groups that one call of the update rule can do."""
        found: dict[Any, list[Variable]] = {}
        for variable in variables:
            found.setdefault((variable.dtype, self.slot_names_of(variable)), []).append(variable)
        return list(found.values())

    def slots_of(self, variable: Variable) -> dict[str, Variable]:
        """The slots of one Variable, by name. Raises NotBuiltError if there are none yet."""
        found = self._slots.get(id(variable))
        if found is None:
            raise NotBuiltError(
                f"the optimizer {self.name!r} has no slots for {variable.name!r} yet.", fix="call optimizer.build."
            )
        return found

    def _saved(self) -> Iterator[tuple[str, tuple[int, ...], Variable | None]]:
        """The names and shapes of saved state, and the Variables that hold it, None where nothing is kept."""
        yield ITERATIONS, (), self._iterations
        for slot in (*self.saved_slot_names, *self.setting_slot_names):
            for v in self._variables:
                held = self._slots[id(v)].get(slot)
                if held is not None or slot not in self.slot_names:
                    yield f"{v.name}/{slot}", v.shape if held is None else held.shape, held
        for slot, held in self._shared.items():
            yield slot, (), held

    @property
    def save_names(self) -> list[str]:
        """The names of ``get_weights`` in TensorFlow.js's spelling: "iter", then "<variable>/m" and so on."""
        return [name for name, _, _ in self._saved()] if self._variables else [ITERATIONS]

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """The state as saved: iterations, then slot by slot the values of all Variables. Only the former if unbuilt."""
        return [np.array(view) for view in self.weight_views()]

    def weight_views(self) -> list[np.ndarray[Any, Any]]:
        """What ``get_weights`` gives, where possible in the state's own memory: to be read at once, and not kept."""
        if not self._variables:
            return [host_view(self._iterations.value)]
        return [np.zeros(shape, np.float32) if v is None else host_view(v.value) for _, shape, v in self._saved()]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Restores what ``get_weights`` gave, by position; iterations alone start the slots afresh.

        Raises ArgumentError, ShapeError or NotBuiltError, and changes nothing, if the number or a shape differs, or
        ``build`` was not called before.
        """
        saved = list(self._saved())
        arrays = [np.asarray(w) for w in weights]
        if len(arrays) > 1 and not self._variables:
            raise NotBuiltError("the optimizer has no slots yet.", fix="call build(variables) before set_weights.")
        if len(arrays) not in (1, len(saved)):
            raise ArgumentError(
                f"{len(arrays)} arrays for the state of the optimizer {self.name!r}.",
                expected=f"{len(saved)}: {', '.join(self.save_names)}.",
            )
        for (name, shape, _), array in zip(saved, arrays, strict=False):
            if shape != array.shape:
                raise ShapeError(f"the saved state of {name!r} has shape {array.shape}.", expected=f"{shape}.")
        targets = [(held, array) for (_, _, held), array in zip(saved, arrays, strict=False) if held is not None]
        values = [array.astype(numpy_dtype(held.dtype), copy=False) for held, array in targets]
        for (held, _), value in zip(targets, values, strict=True):
            held.assign(value)
        if len(arrays) == 1:
            self._reset_slots()

    def _reset_slots(self) -> None:
        for variable in self._variables:
            for slot, held in self._slots[id(variable)].items():
                held.assign(self.initial_slot(slot, variable))
        for slot, value in self.shared_slots.items():
            self._shared[slot].assign(value)


def checked_rate(value: Any) -> float:
    """A learning rate as a float. Raises ArgumentTypeError or ArgumentError if it is no finite number from 0 up."""
    if isinstance(value, (Tensor, Variable)):
        value = value.numpy().item() if value.size == 1 else value
    return as_float(value, "learning_rate", minimum=0.0)


def _check_trainable(variable: Any) -> None:
    if not isinstance(variable, Variable):
        raise ArgumentTypeError(f"{variable!r} cannot be trained.", expected="a Variable.")
    if variable.dtype not in FLOATING:
        raise DTypeError(
            f"the Variable {variable.name!r} has dtype {variable.dtype}, which cannot be trained.",
            expected=f"one of {', '.join(FLOATING)}.",
        )

"""The base of optimizers: settings, the ways to call one, and the staging of a step."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from lamina import ops
from lamina.autodiff.gradients import gradients_of_variables
from lamina.errors import ArgumentError, ArgumentTypeError, GradientError, NotBuiltError
from lamina.optimizers.clipping import Clipping, positive
from lamina.optimizers.schedules import serialize
from lamina.optimizers.staging import Staged, averaged, decayed, every, fitting_gradient, gathered
from lamina.optimizers.state import ACCUMULATOR, AVERAGE, OptimizerState
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.serialization import construct
from lamina.shapes import as_bool, as_float, as_int

Tensors = Sequence[Tensor]
Slots = Mapping[str, Sequence[Tensor]]
Update = tuple[Sequence[Tensor], Mapping[str, Sequence[Tensor]]]
"""New parameters, and new slots by name."""

Pairs = list[tuple[Variable, Tensor]]


class Optimizer(OptimizerState, ABC):
    """Base of optimizers. A subclass names its slots and gives ``update``, a pure function of tensors.

    ``learning_rate`` is a Variable that can be assigned at any time, also by ``optimizer.learning_rate = 0.1``; or
    a schedule, a function of the number of steps. At most one of ``clipnorm`` (of each gradient), ``clipvalue``
    (of each element) and ``global_clipnorm`` (of all gradients together) limits gradients. ``weight_decay`` takes
    that share times the rate off every weight at each step. ``use_ema`` keeps moving averages of the weights with
    the momentum ``ema_momentum``, and every ``ema_overwrite_frequency`` steps puts them in place.
    ``loss_scale_factor`` is what losses were multiplied by, and gradients are divided by.
    ``gradient_accumulation_steps`` updates at every n-th call only, with the mean gradient; the averages move at
    every call and are the weights themselves until the first update, as in Keras.

    A subclass may name its own arguments in ``own_settings``, for its config. Raises ArgumentError for a rate below 0
    and settings that are none or exclude each other; when it is applied, ShapeError if gradients do not fit their
    Variables.

    >>> class Descent(Optimizer):
    ...     def update(self, parameters, gradients, slots, rate, step):
    ...         return [p - rate * g for p, g in zip(parameters, gradients)], {}
    >>> w = Variable([1.0, 2.0], name="w")
    >>> Descent(0.5).apply([[1.0, 1.0]], [w])
    >>> w.numpy().tolist()
    [0.5, 1.5]
    """

    own_settings: ClassVar[tuple[str, ...]] = ()
    """The arguments of a subclass that it keeps under their own names: ``get_config`` gives them."""

    def __init__(
        self,
        learning_rate: Any = 0.01,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
    ) -> None:
        self.weight_decay: float | None = (
            None if weight_decay is None else as_float(weight_decay, "weight_decay", minimum=0.0)
        )
        self.clipping: Clipping = Clipping(clipnorm, clipvalue, global_clipnorm)
        self.use_ema: bool = as_bool(use_ema, "use_ema")
        self.ema_momentum: float = as_float(ema_momentum, "ema_momentum", minimum=0.0)
        if self.ema_momentum > 1.0:
            raise ArgumentError(f"ema_momentum is {ema_momentum}.", expected="a number between 0 and 1.")
        self.ema_overwrite_frequency: int | None = _count(ema_overwrite_frequency, "ema_overwrite_frequency", 1)
        self.loss_scale_factor: float | None = positive(loss_scale_factor, "loss_scale_factor")
        self.gradient_accumulation_steps: int | None = _count(
            gradient_accumulation_steps, "gradient_accumulation_steps", 2
        )
        super().__init__(learning_rate, name or type(self).__name__.lower())
        self._seen: dict[str, list[Variable]] = {}
        self._undecayed: list[Variable] = []
        self._undecayed_names: tuple[str, ...] = ()

    @property
    def _updates(self) -> Tensor:
        steps = self.gradient_accumulation_steps
        return self._iterations.value if steps is None else ops.floor_divide(self._iterations.value, steps)

    @abstractmethod
    def update(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        """New parameters and new slots, computed with ops only.

        ``parameters`` and ``gradients`` are of one floating dtype, the scalar ``rate`` too; ``slots`` has a list as
        long for each of their ``slot_names_of``, and a list of one for each of ``shared_slots``; ``step`` is the
        number of this update, from 1, an int32 scalar.
        """

    @property
    def setting_slot_names(self) -> tuple[str, ...]:
        averages = (AVERAGE,) if self.use_ema else ()
        return averages + ((ACCUMULATOR,) if self.gradient_accumulation_steps else ())

    def minimize(
        self, f: Callable[[], Any], return_cost: bool = False, var_list: Sequence[Variable] | None = None
    ) -> Tensor | None:
        """One step that makes the scalar ``f()`` smaller; returns its value before the step if ``return_cost``.

        ``var_list`` None means every trainable Variable that ``f`` reads. Raises GradientError, and changes nothing, if
        there is none.
        """
        costs: list[Tensor] = []

        def scaled() -> Tensor:
            costs.append(to_tensor(f()))
            return self.scale_loss(costs[0])

        _, pairs = gradients_of_variables(scaled, var_list)
        self.apply([gradient for _, gradient in pairs], [variable for variable, _ in pairs])
        return costs[0] if return_cost else None

    def scale_loss(self, loss: Tensor) -> Tensor:
        """The loss times ``loss_scale_factor``: what gradients are to be taken of."""
        return loss if self.loss_scale_factor is None else ops.multiply(loss, self.loss_scale_factor)

    def compute_gradients(
        self, f: Callable[[], Any], var_list: Sequence[Variable] | None = None
    ) -> tuple[Tensor, dict[str, Tensor | None]]:
        """The value of the scalar ``f()`` and its gradients by Variable name, as ``apply_gradients`` takes them."""
        value, pairs = gradients_of_variables(f, var_list)
        for variable, _ in pairs:
            same = self._seen.setdefault(variable.name, [])
            if not any(v is variable for v in same):
                same.append(variable)
        return value, {variable.name: gradient for variable, gradient in pairs}

    def apply_gradients(self, gradients: Any) -> None:
        """Like ``apply``, for pairs (gradient, Variable), a dict from name to gradient, or a list of
        ``{"name": ..., "tensor": ...}``. Names are those of Variables that this optimizer has seen.

        Raises ArgumentError for a name that is unknown or stands for several Variables.
        """
        if isinstance(gradients, Mapping):
            gradients = [(gradient, self._named(name)) for name, gradient in gradients.items()]
        pairs = [(g["tensor"], self._named(g["name"])) if isinstance(g, Mapping) else tuple(g) for g in gradients]
        if any(len(pair) != 2 for pair in pairs):
            raise ArgumentTypeError("apply_gradients got something else.", expected="pairs (gradient, Variable).")
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])

    def _named(self, name: str) -> Variable:
        known: list[Variable] = [*self._seen.get(name, ()), *(v for v in self._variables if v.name == name)]
        found = list({id(v): v for v in known}.values())
        if len(found) != 1:
            raise ArgumentError(
                f"the name {name!r} stands for {len(found)} Variables of this optimizer.",
                expected="the name of one Variable that it was built with or computed gradients of.",
                fix="pass pairs (gradient, Variable).",
            )
        return found[0]

    def apply(self, grads: Iterable[Any], variables: Sequence[Variable] | None = None) -> None:
        """One update. ``variables`` None means those the optimizer was built with; a gradient None skips its Variable.

        Everything is computed before anything is assigned: if it raises, no Variable has changed. Raises GradientError
        if all gradients are None, ShapeError or DTypeError if one does not fit its Variable.
        """
        self._staged(self._pairs(list(grads), variables)).assign()

    def _staged(self, pairs: Pairs) -> Staged:
        """The new values of everything that a step changes."""
        trained = [variable for variable, _ in pairs]
        self.build(trained)
        gathering, staged = Staged(), Staged()
        gradients, due = self._gathered(pairs, gathering)
        self._stage_updates(list(zip(trained, self.clipping(gradients), strict=True)), staged)
        if due is not None:
            staged.only_if(due)
        self._stage_averages(trained, staged)
        self._stage_constraints(trained, staged)
        staged[self._iterations] = ops.add(self._iterations, 1)
        return gathering.joined(staged)

    def _gathered(self, pairs: Pairs, staged: Staged) -> tuple[list[Tensor], Tensor | None]:
        """The gradients to use, and whether it is time to use them (None: always)."""
        gradients = [g for _, g in pairs]
        if self.loss_scale_factor is not None:
            gradients = [ops.divide(g, self.loss_scale_factor) for g in gradients]
        steps = self.gradient_accumulation_steps
        if steps is None:
            return gradients, None
        due = every(steps, self._iterations)
        held = [self._slots[id(variable)][ACCUMULATOR] for variable, _ in pairs]
        return [gathered(g, h, steps, due, staged) for g, h in zip(gradients, held, strict=True)], due

    def _pairs(self, grads: Sequence[Any], variables: Sequence[Variable] | None) -> Pairs:
        if variables is None and not self._variables:
            raise NotBuiltError("the optimizer does not know the Variables yet.", fix="pass them, or call build.")
        targets = self._variables if variables is None else list(variables)
        if len(grads) != len(targets):
            raise ArgumentError(
                f"there are {len(grads)} gradients for {len(targets)} Variables.", expected="one for each, or None."
            )
        pairs = [(v, fitting_gradient(g, v)) for g, v in zip(grads, targets, strict=True) if g is not None]
        if not pairs:
            raise GradientError(
                "there is no gradient for any Variable.", fix="check that the loss depends on the Variables."
            )
        if len({id(v) for v, _ in pairs}) != len(pairs):
            raise ArgumentError("a Variable is given twice.", expected="each Variable once.", fix="add its gradients.")
        return pairs

    def _stage_updates(self, pairs: Pairs, staged: Staged) -> None:
        """Runs the update rule once for each dtype, and for each set of slots."""
        step = ops.add(self._updates, 1)
        current = to_tensor(self.learning_rate)
        gradients = {id(v): g for v, g in pairs}
        for group in self._alike([v for v, _ in pairs]):
            dtype = group[0].dtype
            rate = current if dtype == "float32" else ops.cast(current, dtype)
            held = {slot: [self._slots[id(v)][slot] for v in group] for slot in self.slot_names_of(group[0])}
            held.update({slot: [variable] for slot, variable in self._shared.items()})
            parameters = [self._decayed(v, rate) for v in group]
            slots = {slot: [h.value for h in variables] for slot, variables in held.items()}
            new, updated = self.update(parameters, [gradients[id(v)] for v in group], slots, rate, step)
            for variable, value in zip(group, new, strict=True):
                staged[variable] = value
            for slot, values in updated.items():
                for variable, value in zip(held[slot], values, strict=True):
                    staged[variable] = value

    def _decayed(self, variable: Variable, rate: Tensor) -> Tensor:
        decay = self.weight_decay_of(variable)
        return variable.value if decay is None or self._is_excluded(variable) else decayed(variable.value, decay, rate)

    def weight_decay_of(self, variable: Variable) -> float | None:
        """The weight decay of a Variable that is not excluded from it: that of all, unless an optimizer has several."""
        return self.weight_decay

    def _is_excluded(self, variable: Variable) -> bool:
        return any(v is variable for v in self._undecayed) or any(
            re.search(name, variable.name) for name in self._undecayed_names
        )

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Leaves Variables out of ``weight_decay``: those listed, and those whose name matches a regular expression."""
        self._undecayed = list(var_list or ())
        self._undecayed_names = tuple(var_names or ())

    def _stage_averages(self, variables: Sequence[Variable], staged: Staged) -> None:
        if not self.use_ema:
            return
        for variable in variables:
            held = self._slots[id(variable)][AVERAGE]
            staged[held] = averaged(held, staged[variable], self.ema_momentum, self._updates)
            if self.ema_overwrite_frequency is not None:
                due = every(self.ema_overwrite_frequency, self._updates)
                staged[variable] = ops.where(due, staged[held], staged[variable])

    def _stage_constraints(self, variables: Sequence[Variable], staged: Staged) -> None:
        for variable in variables:
            constraint = getattr(variable, "constraint", None)
            if constraint is not None:
                staged[variable] = constraint(staged[variable])

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Puts the moving averages in place of the weights, if ``use_ema`` keeps them; call it after training.

        Before the first step there are none, and nothing changes.
        """
        if self.use_ema and self._iterations.numpy() > 0:
            for variable in var_list:
                variable.assign(self.slots_of(variable)[AVERAGE])

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer, without its state but with the present learning rate."""
        return {
            "name": self.name,
            "learning_rate": self._rate_config(),
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipping.clipnorm,
            "global_clipnorm": self.clipping.global_clipnorm,
            "clipvalue": self.clipping.clipvalue,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
            **{name: getattr(self, name) for name in self.own_settings},
        }

    def _rate_config(self) -> Any:
        if self._schedule is not None:
            return serialize(self._schedule)
        return float(str(np.float32(self._learning_rate.numpy())))

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Optimizer:
        """The optimizer of a config; keys may be TensorFlow.js's. Raises SerializationError for an unknown key."""
        return construct(cls, config)


def _count(value: Any, name: str, minimum: int) -> int | None:
    return None if value is None else as_int(value, name, minimum=minimum)

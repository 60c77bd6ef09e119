"""States that layers carry from one batch to the next, which are no weights: they are neither trained nor saved."""

from __future__ import annotations

from collections.abc import Iterator

from lamina.errors import ArgumentError
from lamina.layers.weights import HasWeights
from lamina.runtime.variable import Variable


class CarriedStates:
    """The Variables of one layer; being no list, it is not taken for weights."""

    def __init__(self, variables: list[Variable]) -> None:
        self.variables = variables

    def reset(self) -> None:
        """Sets all to 0."""
        for variable in self.variables:
            variable.assign(variable * 0)


class HasCarriedStates(HasWeights):
    """Something in which states may be carried, by itself or by the layers it holds; ``Layer`` inherits it."""

    _carried: CarriedStates | None = None

    def _all_carried(self) -> Iterator[CarriedStates]:
        if self._carried is not None:
            yield self._carried
        for layer in self.sublayers():
            yield from layer._all_carried()

    @property
    def carried_states(self) -> list[Variable]:
        """What this layer and those in it carry from batch to batch, if they are stateful and built."""
        return [variable for carried in self._all_carried() for variable in carried.variables]

    @property
    def carried_batch_size(self) -> int | None:
        """The number of examples that every batch must have, because states are carried; None if it is free."""
        return next((variable.shape[0] for variable in self.carried_states), None)

    def reset_states(self) -> None:
        """Forgets what was carried from batch to batch. Raises ArgumentError if nothing in the layer is stateful."""
        found = list(self._all_carried())
        if not found:
            raise ArgumentError(
                f"{self.name!r} carries no states.",
                expected="a recurrent layer that is built with stateful=True, or something that holds one.",
            )
        for carried in found:
            carried.reset()

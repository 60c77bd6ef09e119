"""Losses that are scaled up while training, so that small gradients survive half precision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from lamina import ops
from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.optimizers.clipping import positive
from lamina.optimizers.optimizer import Optimizer, Pairs, Slots, Tensors, Update
from lamina.optimizers.staging import Staged
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.serialization import get_object, serialize
from lamina.shapes import as_int

SMALLEST: Final = 2.0**-126
"""What the scale does not fall below, the smallest float32 that divides well."""


class LossScaleOptimizer(Optimizer):
    """Multiplies losses by a scale, and gradients by its inverse before another optimizer uses them.

    A step whose gradients are not all finite changes no weight and no slot, and halves the scale; after
    ``dynamic_growth_steps`` finite steps in a row the scale doubles. All settings, rate and count of steps are those of
    ``inner_optimizer``, an optimizer, its name or its config. ``minimize`` and ``fit`` scale the loss; a step of your
    own takes gradients of ``scale_loss(loss)``.

    >>> w = Variable([1.0])
    >>> optimizer = LossScaleOptimizer("sgd", initial_scale=4.0)
    >>> optimizer.apply([[float("inf")]], [w])
    >>> w.numpy().tolist(), optimizer.dynamic_scale.numpy().item()
    ([1.0], 2.0)
    """

    def __init__(
        self,
        inner_optimizer: Any,
        initial_scale: float = 32768.0,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
    ) -> None:
        inner = get_object("optimizers", inner_optimizer, Optimizer)
        if not isinstance(inner, Optimizer) or isinstance(inner, LossScaleOptimizer):
            raise ArgumentTypeError(
                f"inner_optimizer is {inner_optimizer!r}.", expected="an optimizer that scales no loss itself."
            )
        scale = positive(initial_scale, "initial_scale")
        if scale is None:
            raise ArgumentError("initial_scale is None.", expected="a positive number.")
        super().__init__(0.0, name=name)
        self.inner_optimizer = inner
        self.initial_scale = scale
        self.dynamic_growth_steps: int = as_int(dynamic_growth_steps, "dynamic_growth_steps", minimum=1)
        self.step_counter: Variable = Variable(0, trainable=False, name=f"{self.name}/step_counter", dtype="int32")
        self.dynamic_scale: Variable = Variable(
            scale, trainable=False, name=f"{self.name}/dynamic_scale", dtype="float32"
        )
        self._variables, self._slots = inner._variables, inner._slots  # there is one set of them

    # -- what the inner optimizer has ------------------------------------------------------------------------------

    @property
    def learning_rate(self) -> Any:
        """That of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    @property
    def iterations(self) -> Variable:
        """That of the inner optimizer."""
        return self.inner_optimizer.iterations

    @property
    def slot_names(self) -> tuple[str, ...]:
        return self.inner_optimizer.slot_names

    def build(self, variables: Sequence[Variable]) -> None:
        """As for every optimizer."""
        first = not self.built
        self.inner_optimizer.build(variables)
        if first and self.built:
            for own in (self._iterations, self._learning_rate, self.step_counter, self.dynamic_scale):
                own.to(self._variables[0].backend)

    def update(self, parameters: Tensors, gradients: Tensors, slots: Slots, rate: Tensor, step: Tensor) -> Update:
        """The inner optimizer's rule."""
        return self.inner_optimizer.update(parameters, gradients, slots, rate, step)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """As the inner optimizer does."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """As the inner optimizer does."""
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    # -- state -----------------------------------------------------------------------------------------------------

    @property
    def variables(self) -> list[Variable]:
        """All state in Keras's order, the inner optimizer's last; the first two only hold their places."""
        own = [self._iterations, self._learning_rate, self.step_counter, self.dynamic_scale]
        return [*own, *self.inner_optimizer.variables]

    def _saved(self) -> Iterator[tuple[str, tuple[int, ...], Variable | None]]:
        yield from self.inner_optimizer._saved()
        yield "step_counter", (), self.step_counter
        yield "dynamic_scale", (), self.dynamic_scale

    def _reset_slots(self) -> None:
        self.inner_optimizer._reset_slots()
        self.step_counter.assign(0)
        self.dynamic_scale.assign(self.initial_scale)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer, without its state."""
        return {
            "name": self.name,
            "inner_optimizer": serialize(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    # -- a step ----------------------------------------------------------------------------------------------------

    def scale_loss(self, loss: Tensor) -> Tensor:
        """The loss times the scale: what gradients are to be taken of."""
        return ops.multiply(self.inner_optimizer.scale_loss(loss), ops.cast(self.dynamic_scale, loss.dtype))

    def _staged(self, pairs: Pairs) -> Staged:
        scale, counter = self.dynamic_scale.value, self.step_counter.value
        unscaled = [(variable, _unscaled(gradient, scale)) for variable, gradient in pairs]
        finite = _all_finite([gradient for _, gradient in unscaled])
        staged = self.inner_optimizer._staged(unscaled)
        staged.only_if(finite)
        grows = ops.logical_and(finite, ops.equal(counter, self.dynamic_growth_steps - 1))
        goes_on = ops.logical_and(finite, ops.logical_not(grows))
        doubled = ops.multiply(scale, 2.0)
        larger = ops.where(ops.logical_and(grows, ops.isfinite(doubled)), doubled, scale)
        staged[self.step_counter] = ops.where(goes_on, ops.add(counter, 1), 0)
        staged[self.dynamic_scale] = ops.where(finite, larger, ops.maximum(ops.multiply(scale, 0.5), SMALLEST))
        return staged


def _unscaled(gradient: Tensor, scale: Tensor) -> Tensor:
    """A gradient without the scale, which half precision may be too small for."""
    if gradient.dtype in ("float32", "float64"):
        return ops.divide(gradient, ops.cast(scale, gradient.dtype))
    return ops.cast(ops.divide(ops.cast(gradient, "float32"), scale), gradient.dtype)


def _all_finite(tensors: Sequence[Tensor]) -> Tensor:
    found = [ops.all(ops.isfinite(tensor)) for tensor in tensors]
    result = found[0]
    for one in found[1:]:
        result = ops.logical_and(result, one)
    return result

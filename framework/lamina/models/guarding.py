"""Steps that are taken back when they give numbers that are not finite, and the search for where these came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from lamina import ops
from lamina.autodiff import Tape
from lamina.autodiff.gradients import tape_gradients
from lamina.dtypes import FLOATING
from lamina.errors import GradientError
from lamina.layers.layer import Layer
from lamina.models.steps import with_sublayers
from lamina.runtime.backends import get_backend
from lamina.runtime.listeners import listening
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.structures import flatten


class Guard:
    """Keeps weights, slots and random streams as they were if a training step gives a number that is not finite."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.finite: Variable = Variable(True, trainable=False, name="guard/finite")
        self.culprit: str | None = None

    def begin(self) -> Guard:
        """Starts anew: all was good so far."""
        self.finite.to(self._model._home())
        self.finite.assign(True)
        self.culprit = None
        return self

    def guarded(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """The same step, but for its writes: they hold only if loss, weights and slots stay finite."""

        def run(*batch: Any) -> Any:
            kept = self._kept()
            before = [(variable, variable.value) for variable in kept]
            returned = step(*batch)
            changed = [(v, old, new) for v, old in before if (new := v.value)._array is not old._array]
            good = ops.logical_and(self.finite, _all_finite(self._watched(returned, changed)))
            for variable, old, new in changed:
                variable.assign(ops.where(good, new, old))
            self.finite.assign(good)
            return returned

        return run

    def _kept(self) -> list[Variable]:
        metrics = {id(v) for metric in self._model.metrics for v in metric.variables}
        return [v for v in self._model.state_variables() if id(v) not in metrics]

    def _watched(self, returned: Any, changed: list[Any]) -> list[Tensor]:
        loss = returned.get("loss") if isinstance(returned, dict) else self._model._last_loss
        values = [new for _, _, new in changed] + ([loss] if isinstance(loss, Tensor) else [])
        return [value for value in values if value.dtype in FLOATING]

    def look(self, data: Any, arrays: list[Any]) -> None:
        """After a step: finds out what went wrong with its batch, if something did."""
        if self.culprit is None and not bool(self.finite.numpy()):
            self._model.stop_training = True
            self.culprit = find_culprit(self._model, data.batch(arrays, get_backend()))


def _all_finite(values: list[Tensor]) -> Tensor:
    good: Any = True
    for value in values:
        good = ops.logical_and(good, ops.all(ops.isfinite(value)))
    return ops.tensor(good)


def find_culprit(model: Any, batch: Any) -> str:
    """What first is not finite in a step on a batch: a layer's output, the loss, a gradient, or the update."""
    if any(not _is_finite(leaf) for leaf in flatten(batch.x)):
        return "the input data x"
    seen: list[tuple[Layer, Any]] = []
    tape = Tape(model.trainable_weights)
    with listening(tape), _watching(model, seen):
        y_pred = model(batch.x, training=True)
        loss = model.compute_loss(batch.x, batch.y, y_pred, batch.sample_weight, training=True)
    for layer, outputs in seen:
        if not all(map(_is_finite, flatten(outputs))):
            bad = next((v for v in layer.own_weights() if not _is_finite(v)), None)
            return f"the output of {_described(layer)}" if bad is None else f"the weight {bad.name!r}"
    if not _is_finite(loss):
        return "the loss, of outputs that are finite"
    try:
        gradients = {id(v): g for v, g in tape_gradients(tape, loss, model.trainable_weights)}
    except GradientError:
        gradients = {}
    for layer, _ in reversed(seen):
        for variable in layer.own_weights():
            gradient = gradients.get(id(variable))
            if gradient is not None and not _is_finite(gradient):
                return f"the gradient of {variable.name!r}, in {_described(layer)}"
    return "the optimizer's update, of gradients that are finite"


def _described(layer: Layer) -> str:
    return f"the layer {layer.name!r} ({type(layer).__name__})"


def _is_finite(value: Any) -> bool:
    array = value.numpy() if hasattr(value, "numpy") else np.asarray(value)
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())


@contextmanager
def _watching(model: Any, seen: list[tuple[Layer, Any]]) -> Iterator[None]:
    """Notes what every layer in the model returns, in the order in which they end."""
    layers = [layer for layer in {id(x): x for x in with_sublayers(model)}.values() if layer is not model]

    def noting(layer: Layer, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            outputs = call(*args, **kwargs)
            seen.append((layer, outputs))
            return outputs

        return run

    try:
        for layer in layers:
            layer.__dict__["call"] = noting(layer, layer.call)
        yield
    finally:
        for layer in layers:
            layer.__dict__.pop("call", None)

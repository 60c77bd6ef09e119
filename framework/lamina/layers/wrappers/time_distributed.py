"""A layer at each step of a sequence."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.errors import ShapeError
from lamina.layers.recurrent.states import map_shapes
from lamina.layers.wrapper import Wrapper
from lamina.runtime.tensor import Tensor
from lamina.structures import map_structure


class TimeDistributed(Wrapper):
    """Applies a layer to each step of a sequence by itself, with the same weights.

    Input (batch, time, ...), output (batch, time, ...). All steps go through the layer at once, as further examples of
    one batch; one after the other only through a layer that carries states, and in training through one that keeps
    statistics: a ``BatchNormalization`` inside normalizes each step by itself. A mask (batch, time) goes on to what
    comes after; the layer inside gets each step's part if its ``call`` takes a mask. As Keras. Raises ArgumentTypeError
    for what is no layer, ShapeError for an input of fewer than three axes.

    >>> import lamina
    >>> TimeDistributed(lamina.layers.Dense(4))(lamina.zeros((2, 5, 3))).shape
    (2, 5, 4)
    """

    supports_masking = True

    def check_input(self, input_shape: Any) -> None:
        if len(input_shape) < 3:
            raise ShapeError(
                f"TimeDistributed got an input of shape {input_shape}.", expected="at least 3 axes: (batch, time, ...)."
            )
        self.layer.check_input(_step(input_shape))

    def build(self, input_shape: Any) -> None:
        self.build_wrapped(self.layer, _step(input_shape))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the inner layer's output, with the time after the batch."""
        found = self.layer.compute_output_shape(_step(input_shape))
        return map_shapes(lambda shape: (shape[0], input_shape[1], *shape[1:]), found)

    def call(self, inputs: Tensor, training: bool = False, mask: Any = None) -> Any:
        if mask is not None and mask.shape[:2] != inputs.shape[:2]:
            raise ShapeError(
                f"TimeDistributed got an input of shape {inputs.shape} and a mask of shape {mask.shape}.",
                expected=f"a mask of shape {inputs.shape[:2]}.",
            )
        settings: dict[str, Any] = {"training": training} if self.layer.takes("training") else {}
        mask = mask if self.layer.takes("mask") else None
        keeps_statistics = any(not variable.trainable for variable in self.layer.weights)
        if self.layer.stateful or (training and self.layer.trainable and keeps_statistics):
            return self._step_by_step(inputs, mask, settings)
        batch, time = inputs.shape[:2]
        together = _together(inputs)
        if mask is not None:
            settings["mask"] = _together(mask)
        outputs = self.layer(together, **settings)
        return map_structure(lambda y: ops.reshape(y, (batch, time, *y.shape[1:])), outputs)

    def _step_by_step(self, inputs: Tensor, mask: Any, settings: dict[str, Any]) -> Any:
        """One step after the other, for a layer that carries states of its batch."""
        outputs = []
        for t, step in enumerate(ops.unstack(inputs, 1)):
            masked = {} if mask is None else {"mask": mask[:, t]}
            outputs.append(self.layer(step, **settings, **masked))
        return ops.stack(outputs, 1)


def _step(shape: Any) -> tuple[Any, ...]:
    return (shape[0], *shape[2:])


def _together(x: Tensor) -> Tensor:
    """The time as part of the batch."""
    return ops.reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))

"""Moving averages of the weights in place of the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.models.callbacks.callback import Callback
from lamina.optimizers.state import AVERAGE


class SwapEMAWeights(Callback):
    """Evaluates and predicts with the moving averages that an optimizer made with ``use_ema`` keeps.

    With ``swap_on_epoch`` they are in place from the end of each epoch to the beginning of the next one, for callbacks
    that come after this one, such as ``ModelCheckpoint``. Raises ArgumentError if there are no averages.

    >>> import lamina
    >>> model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))])
    >>> model.compile(lamina.optimizers.SGD(0.1, use_ema=True), "mse")
    >>> x, y = [[1.0, 2.0]], [[1.0]]
    >>> history = model.fit(x, y, validation_data=(x, y), callbacks=SwapEMAWeights(), verbose=0)
    >>> list(history.history)
    ['loss', 'val_loss']
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        if not isinstance(swap_on_epoch, bool):
            raise ArgumentTypeError(f"swap_on_epoch is {swap_on_epoch!r}.", expected="True or False.")
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False

    def on_train_begin(self, logs: Any = None) -> None:
        self._check()
        self._swapped = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._swap(back=True)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.swap_on_epoch:
            self._swap()

    def put_back(self) -> None:
        """Puts the weights back, before ``fit`` puts the averages in place for good."""
        self._swap(back=True)

    def on_test_begin(self, logs: Any = None) -> None:
        self._check()
        self._swap()

    def on_test_end(self, logs: Any = None) -> None:
        self._swap(back=True)

    def on_predict_begin(self, logs: Any = None) -> None:
        self._check()
        self._swap()

    def on_predict_end(self, logs: Any = None) -> None:
        self._swap(back=True)

    def _check(self) -> None:
        if not getattr(self.model.optimizer, "use_ema", False):
            raise ArgumentError(
                "SwapEMAWeights needs moving averages, and the optimizer keeps none.",
                fix="make the optimizer with use_ema=True.",
            )

    def _swap(self, *, back: bool = False) -> None:
        optimizer = self.model.optimizer
        if self._swapped is not back or not optimizer.built:
            return
        for variable in self.model.trainable_weights:
            average = optimizer.slots_of(variable)[AVERAGE]
            value = variable.value
            variable.assign(average.value)
            average.assign(value)
        self._swapped = not back

    def get_state(self) -> Mapping[str, Any]:
        return {"swapped": self._swapped}

    def set_state(self, state: Mapping[str, Any]) -> None:
        self._swapped = state["swapped"]

"""Training that ends by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lamina.errors import ArgumentTypeError
from lamina.models.callbacks.callback import Callback
from lamina.models.callbacks.monitoring import Monitor
from lamina.shapes import as_float, as_int


class EarlyStopping(Monitor):
    """Stops when a number has not improved for ``patience`` epochs.

    It improves if it is better than the best by more than ``min_delta``; as long as it is no better than ``baseline``,
    if that is given, the epochs are counted on, and the first that does not improve may be the last. Epochs before
    ``start_from_epoch`` do not count. ``restore_best_weights`` gives the model the weights of the best epoch when
    training ends, however it ends. With ``patience`` 0, as with 1, the first epoch that is no better is the last; as in
    Keras and TensorFlow.js.

    ``mode`` "auto" takes numbers named like accuracies to be better the greater they are, all others the smaller. The
    callback warns if the number is not in the logs. ``stopped_epoch``, ``best``, ``best_epoch`` and ``wait`` tell.
    ``monitor`` is the name of the number.

    >>> import lamina
    >>> model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))])
    >>> model.compile(lamina.optimizers.SGD(0.0), "mse")
    >>> stopping = EarlyStopping("loss", patience=2)
    >>> len(model.fit([[1.0, 2.0]], [[1.0]], epochs=9, callbacks=stopping, verbose=0).epoch)
    3
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience: int = as_int(patience, "patience", minimum=0)
        self.verbose = verbose
        self.baseline: float | None = None if baseline is None else as_float(baseline, "baseline")
        if not isinstance(restore_best_weights, bool):
            raise ArgumentTypeError(f"restore_best_weights is {restore_best_weights!r}.", expected="True or False.")
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch: int = as_int(start_from_epoch, "start_from_epoch", minimum=0)
        self._start()

    def _start(self) -> None:
        self.wait: int = 0
        self.stopped_epoch: int = 0
        self.best_epoch: int = 0
        self.best = None
        self.best_weights: list[np.ndarray[Any, Any]] | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        self._start()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        value = self.found(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self.improves(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.improves(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose:
                print(f"Restoring the weights of epoch {self.best_epoch + 1}")
            self.model.set_weights(self.best_weights)

    def get_state(self) -> Mapping[str, Any]:
        names = ("wait", "stopped_epoch", "best", "best_epoch", "best_weights")
        return {name: getattr(self, name) for name in names}

    def set_state(self, state: Mapping[str, Any]) -> None:
        self.wait = state["wait"]
        self.stopped_epoch = state["stopped_epoch"]
        self.best_epoch = state["best_epoch"]
        self.best, self.best_weights = state["best"], state["best_weights"]


class TerminateOnNaN(Callback):
    """Stops before an update is applied that would make the loss or a weight NaN or infinite.

    The weights, the optimizer and the random streams stay as they were before that step. ``culprit`` then says what
    first was not finite: the data, a layer's output, a weight, the loss, a gradient or the update. ``raise_error``
    raises a RuntimeError with this text; otherwise it is printed, and training ends as if it were done.

    Each step costs a check of all that it changes, so this callback is not free.

    >>> import lamina
    >>> model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))])
    >>> model.compile("sgd", "mse")
    >>> watching = TerminateOnNaN()
    >>> history = model.fit([[1.0, float("nan")]], [[1.0]], callbacks=watching, verbose=0)  # doctest: +ELLIPSIS
    batch 0: a number is not finite, first in the input data x; ...
    """

    watches_values = True

    def __init__(self, raise_error: bool = False) -> None:
        if not isinstance(raise_error, bool):
            raise ArgumentTypeError(f"raise_error is {raise_error!r}.", expected="True or False.")
        self.raise_error = raise_error
        self.culprit: str | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        self.culprit = None

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.culprit = self.model.first_not_finite
        if self.culprit is not None:
            message = f"batch {batch}: a number is not finite, first in {self.culprit}; this step was not applied"
            self.model.stop_training = True
            if self.raise_error:
                raise RuntimeError(message)
            print(f"{message}, and training ends.")

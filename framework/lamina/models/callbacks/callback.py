"""What is told about training while it runs: the hooks, and the numbers that come with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar


class Callback:
    """Base of callbacks: override what you want to hear. ``model`` and ``params`` are set before training.

    ``logs`` map names to numbers; those of batches are worked out when they are first looked at. Epochs and batches are
    counted from 0. Set ``model.stop_training = True`` to stop. With ``steps_per_execution`` n, only every n-th batch is
    told.

    A callback that remembers something gives it in ``get_state`` and takes it back in ``set_state``: so a run that
    ``BackupAndRestore`` takes up again goes on as if it had never stopped. In the middle of an epoch it goes on without
    a second ``on_epoch_begin``. Raises nothing by itself; what a callback raises ends training.

    >>> class Losses(Callback):
    ...     def on_train_begin(self, logs=None):
    ...         self.losses = []
    ...     def on_train_batch_end(self, batch, logs=None):
    ...         self.losses.append(logs["loss"])
    ...     def get_state(self):
    ...         return {"losses": self.losses}
    ...     def set_state(self, state):
    ...         self.losses = list(state["losses"])
    """

    model: Any = None
    params: Mapping[str, Any] = {}
    comes_last: ClassVar[bool] = False
    """Whether it must be told after all others."""
    watches_values: ClassVar[bool] = False
    """Whether steps must be taken back that give numbers which are not finite."""

    def set_model(self, model: Any) -> None:
        """Gives the model that is being trained."""
        self.model = model

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Gives ``epochs``, ``steps``, ``verbose`` and the names in ``metrics``."""
        self.params = params

    def get_state(self) -> Mapping[str, Any]:
        """What must be kept for a run to go on: numbers, strings, None, NumPy arrays, lists and dicts of them."""
        return {}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Takes back what ``get_state`` gave; called after ``on_train_begin``."""

    def on_train_begin(self, logs: Any = None) -> None:
        """Training begins."""

    def on_train_end(self, logs: Any = None) -> None:
        """Training has ended."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """An epoch begins."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """An epoch has ended, validation included."""

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Another name of ``on_train_batch_begin``."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Another name of ``on_train_batch_end``."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """A training batch begins."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """A training batch has been applied."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Any = None) -> None:
        """Evaluation begins, also that of ``fit``'s validation data."""

    def on_test_end(self, logs: Any = None) -> None:
        """Evaluation has ended."""

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """A batch of evaluation begins."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """A batch of evaluation has ended."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """Prediction begins."""

    def on_predict_end(self, logs: Any = None) -> None:
        """Prediction has ended."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """A batch of prediction begins."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """A batch of prediction has ended; ``logs["outputs"]`` are its predictions."""


HOOKS: tuple[str, ...] = tuple(name for name in vars(Callback) if name.startswith("on_"))
"""The names of all hooks."""


class Logs(Mapping[str, Any]):
    """Numbers by name, worked out at the first look.

    ``compute`` is the function that works them out, and is called once at most. Raises what it raises.

    >>> logs = Logs(lambda: {"loss": 0.5})
    >>> logs["loss"]
    0.5
    """

    def __init__(self, compute: Callable[[], dict[str, Any]]) -> None:
        self._compute = compute
        self._found: dict[str, Any] | None = None

    def _values(self) -> dict[str, Any]:
        if self._found is None:
            self._found = self._compute()
        return self._found

    def __getitem__(self, name: str) -> Any:
        return self._values()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values())

    def __len__(self) -> int:
        return len(self._values())

    def __repr__(self) -> str:
        return repr(self._values())

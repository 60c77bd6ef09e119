"""Training that goes on where it was stopped."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from lamina.errors import ArgumentTypeError, NotBuiltError
from lamina.models.callbacks.callback import Callback
from lamina.models.callbacks.checkpoints import checked_frequency


class BackupAndRestore(Callback):
    """Keeps the run in a folder after each epoch, or every ``save_freq`` batches, and takes it up again from there.

    A run that was killed at any moment, and is started again with the same model, data and settings, ends with the
    same weights, optimizer state, history and callbacks, bit for bit, as one that was never stopped (on the same
    machine and backend). Kept are: all Variables, random streams and the order of the examples, metrics in the middle
    of an epoch, the history, and what the ``get_state`` of each callback gives. Data that come as a generator, or as
    an iterable that does not know its passes by number, are gone through up to the place where the run stopped.

    Each save is whole or does not happen, and the one before it stays, as with ``double_checkpoint`` in Keras, whatever
    that is here. When training has come to its end the backup is removed, unless ``delete_checkpoint`` is False; when
    it was ended by Ctrl-C, the run is kept as it is then. This callback is told after all others.

    Raises ModelFileError when training begins if the backup is of another model. ``backup_dir`` is the folder.

    >>> import lamina, tempfile
    >>> model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))])
    >>> model.compile("sgd", "mse")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     history = model.fit([[1.0, 2.0]], [[1.0]], callbacks=BackupAndRestore(folder), verbose=0)
    >>> history.epoch
    [0]
    """

    comes_last = True

    def __init__(
        self,
        backup_dir: Any,
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        for name, value in (("double_checkpoint", double_checkpoint), ("delete_checkpoint", delete_checkpoint)):
            if not isinstance(value, bool):
                raise ArgumentTypeError(f"{name} is {value!r}.", expected="True or False.")
        self.backup_dir: Any = os.fspath(backup_dir)
        self.save_freq: Any = checked_frequency(save_freq)
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._batches = 0
        self._backup: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        from lamina.models.resuming import Backup

        if self.model is None or self.model._run_of_fit is None:
            raise NotBuiltError("BackupAndRestore works within fit only.", fix="pass it to fit(callbacks=[...]).")
        self._batches = 0
        self._backup = Backup(self.backup_dir)
        self._backup.load(self.model, self.model._run_of_fit)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.save_freq != "epoch":
            self._batches += self.model.steps_per_execution
            if self._batches >= self.save_freq:
                self._batches = 0
                run = self.model._run_of_fit
                run.logs = dict(logs or {})
                self._backup.save(self.model, run, run.epoch, batch + 1)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            self._backup.save(self.model, self.model._run_of_fit, epoch + 1, 0)

    def keep_interrupted(self) -> None:
        """Keeps a run that was ended by Ctrl-C, before other callbacks do what they do at the end."""
        run = self.model._run_of_fit
        self._backup.save(self.model, run, run.epoch, run.batch)

    def on_train_end(self, logs: Any = None) -> None:
        if self.delete_checkpoint and not self.model._run_of_fit.interrupted:
            self._backup.remove()

    def get_state(self) -> Mapping[str, Any]:
        return {"batches": self._batches}

    def set_state(self, state: Mapping[str, Any]) -> None:
        self._batches = state["batches"]

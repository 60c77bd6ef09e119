"""Epochs as lines of a file."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from typing import Any

from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.models.callbacks.callback import Callback


class CSVLogger(Callback):
    """Writes one line for each epoch: its number, then the logs in the order of their names.

    A line is there whole or not at all. ``append`` goes on with a file that is there; otherwise it is replaced when the
    first line is written. A number that an epoch does not have is written as ``NA``. ``filename`` is the path of the
    file, ``separator`` stands between the columns. Raises OSError if the file cannot be written.

    >>> import lamina, pathlib, tempfile
    >>> model = lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,))])
    >>> model.compile("sgd", "mse")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     history = model.fit([[1.0, 2.0]], [[1.0]], callbacks=CSVLogger(f"{folder}/log.csv"), verbose=0)
    ...     print(pathlib.Path(folder, "log.csv").read_text().split()[0])
    epoch,loss
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        if not isinstance(separator, str) or len(separator) != 1:
            raise ArgumentError(f"separator is {separator!r}.", expected="one character.")
        if not isinstance(append, bool):
            raise ArgumentTypeError(f"append is {append!r}.", expected="True or False.")
        self.filename: Any = os.fspath(filename)
        self.separator = separator
        self.append = append
        self._names: list[str] | None = None
        self._size = 0

    def on_train_begin(self, logs: Any = None) -> None:
        there = self.append and os.path.exists(self.filename)
        self._names, self._size = None, os.path.getsize(self.filename) if there else 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = dict(logs or {})
        if self._names is None:
            self._begin(logs)
        assert self._names is not None
        self._write([epoch, *(_shown(logs.get(name, "NA")) for name in self._names)])

    def _begin(self, logs: Mapping[str, Any]) -> None:
        """The first line of this training: names, in a file that is new or has none yet."""
        names = sorted(logs)
        if self.model is not None and not any(name.startswith("val_") for name in names) and self._validates():
            names += [f"val_{name}" for name in names if name in self.model.metrics_names]
        self._names = names
        self._truncate()
        if self._size == 0:
            self._write(["epoch", *names])
        elif not self._ends_with_newline():
            self._put(b"\n")

    def _validates(self) -> bool:
        run = getattr(self.model, "_run_of_fit", None)
        return run is not None and run.held_out is not None

    def _ends_with_newline(self) -> bool:
        with open(self.filename, "rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"

    def _truncate(self) -> None:
        with open(self.filename, "ab") as file:
            file.truncate(self._size)

    def _write(self, cells: list[Any]) -> None:
        text = io.StringIO()
        csv.writer(text, delimiter=self.separator, lineterminator="\n").writerow(cells)
        self._put(text.getvalue().encode("utf-8"))

    def _put(self, line: bytes) -> None:
        """One write at the end of the file, so that nobody ever reads half a line."""
        descriptor = os.open(self.filename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
        self._size += len(line)

    def get_state(self) -> Mapping[str, Any]:
        return {"names": self._names, "size": self._size}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Goes on after the last line that this state knows; lines after it are written again."""
        self._names, self._size = state["names"], state["size"]
        if not os.path.exists(self.filename) or os.path.getsize(self.filename) < self._size:
            self._names, self._size = None, 0
        elif self._names is not None:
            self._truncate()


def _shown(value: Any) -> Any:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, (list, tuple)) else value

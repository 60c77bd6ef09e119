"""Training as TensorBoard shows it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from lamina.errors import ArgumentError, ArgumentTypeError, BackendNotAvailableError
from lamina.models.callbacks.callback import Callback
from lamina.shapes import as_int


class TensorBoard(Callback):
    """Writes event files for TensorBoard: ``log_dir/train`` and ``log_dir/validation``. Needs tensorboardX.

    Numbers of epochs are named as in Keras: ``epoch_loss``, with the learning rate as ``epoch_learning_rate``. With
    ``update_freq`` "batch", or a number n, those of every (n-th) batch too: ``batch_loss``. ``histogram_freq`` n writes
    the distribution of each weight every n-th epoch; with ``write_images`` also weights as pictures. ``write_graph``
    writes the summary and the config of the model as text. ``write_steps_per_second`` adds the speed of each epoch.

    ``profile_batch`` and ``embeddings_freq`` are refused but for 0: ``lamina.profile`` measures, and there is no
    projector. Raises BackendNotAvailableError, which says what to install, without tensorboardX.
    ``embeddings_metadata`` is for the projector, and can only be None.

    >>> logging = TensorBoard("logs", update_freq="epoch", histogram_freq=1)  # then: tensorboard --logdir logs
    >>> logging.log_dir
    'logs'
    """

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        self.log_dir: Any = os.fspath(log_dir)
        self.histogram_freq: int = as_int(histogram_freq, "histogram_freq", minimum=0)
        for name, value in (
            ("write_graph", write_graph),
            ("write_images", write_images),
            ("write_steps_per_second", write_steps_per_second),
        ):
            if not isinstance(value, bool):
                raise ArgumentTypeError(f"{name} is {value!r}.", expected="True or False.")
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq: int | None = _frequency(update_freq)
        if profile_batch not in (0, None, False):
            raise ArgumentError(
                f"profile_batch is {profile_batch!r}.", expected="0.", fix="measure with lamina.profile."
            )
        if embeddings_freq not in (0, None, False) or embeddings_metadata is not None:
            raise ArgumentError("embeddings cannot be written.", expected="embeddings_freq=0.")
        self._writers: dict[str, Any] = {}
        self._steps = 0
        self._before = (0.0, 0)

    def on_train_begin(self, logs: Any = None) -> None:
        _summary_writer()
        self._steps = 0
        if self.write_graph:
            self._write_graph()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._before = (time.perf_counter(), self._steps)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._steps += self.model.steps_per_execution
        if self.update_freq is not None and self._steps % self.update_freq < self.model.steps_per_execution:
            for name, value in (logs or {}).items():
                self._scalar("train", f"batch_{name}", value, self._steps)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = dict(logs or {})
        for name, value in logs.items():
            run = "validation" if name.startswith("val_") else "train"
            self._scalar(run, f"epoch_{name.removeprefix('val_')}", value, epoch)
        if "learning_rate" not in logs:
            rate = float(self.model.optimizer.learning_rate.numpy())
            self._scalar("train", "epoch_learning_rate", rate, epoch)
        if self.write_steps_per_second:
            began, steps = self._before
            seconds = max(time.perf_counter() - began, 1e-9)
            self._scalar("train", "epoch_steps_per_second", (self._steps - steps) / seconds, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        for writer in self._writers.values():
            writer.flush()

    def on_train_end(self, logs: Any = None) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def _writer(self, run: str) -> Any:
        if run not in self._writers:
            self._writers[run] = _summary_writer()(os.path.join(self.log_dir, run))
        return self._writers[run]

    def _scalar(self, run: str, name: str, value: Any, step: int) -> None:
        if isinstance(value, (int, float)):
            self._writer(run).add_scalar(name, value, step)

    def _write_weights(self, epoch: int) -> None:
        writer = self._writer("train")
        for variable in self.model.weights:
            values = variable.numpy()
            writer.add_histogram(f"{variable.name}/histogram", values, epoch)
            if self.write_images and 1 <= values.ndim <= 2:
                span = float(values.max() - values.min()) or 1.0
                image = (values.reshape(1, -1) if values.ndim == 1 else values) - values.min()
                writer.add_image(f"{variable.name}/image", (image / span)[None], epoch)

    def _write_graph(self) -> None:
        lines: list[str] = []
        self.model.summary(print_fn=lines.append)
        writer = self._writer("train")
        writer.add_text("model/summary", "\n".join(f"    {line}" for line in lines), 0)
        if getattr(self.model, "graph", None) is not None:
            config = json.dumps(self.model.get_config(), indent=1, default=str)
            writer.add_text("model/config", "\n".join(f"    {line}" for line in config.splitlines()), 0)

    def get_state(self) -> Mapping[str, Any]:
        return {"steps": self._steps}

    def set_state(self, state: Mapping[str, Any]) -> None:
        self._steps = state["steps"]


def _frequency(given: Any) -> int | None:
    """Every how many batches numbers are written; None for epochs only."""
    if given == "epoch":
        return None
    return 1 if given == "batch" else as_int(given, "update_freq", minimum=1)


def _summary_writer() -> Any:
    try:
        from tensorboardX import SummaryWriter
    except ImportError as error:
        raise BackendNotAvailableError(
            "the TensorBoard callback needs tensorboardX, which is not installed.",
            fix="pip install 'lamina[tensorboard]'",
        ) from error
    return SummaryWriter

"""What is measured, as plain data: networks, batches, how many steps. A new workload is one entry in ``WORKLOADS``.

Examples and labels are made here from fixed seeds, so that every library starts from the same numbers and
sees the same batches in the same order.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from benchmarks.networks import Array, Network, dense, lstm, residual, transformer, two_convolutions


@dataclass(frozen=True)
class Workload:
    """One thing that is timed. ``kind`` names the function of an implementation that runs it."""

    name: str
    title: str
    unit: ClassVar[str] = "us"
    kind: ClassVar[str]


@dataclass(frozen=True)
class Training(Workload):
    """Steps of training with Adam on sparse cross-entropy from logits, without shuffling."""

    network: Network
    batch: int
    batches: int = 200
    epochs: int = 1
    learning_rate: float = 1e-3
    epsilon: float = 1e-7
    kind: ClassVar[str] = "training"

    @property
    def steps(self) -> int:
        """Steps in one call of the task."""
        return self.batches * self.epochs

    def data(self) -> tuple[Array, Array]:
        """Examples, and labels that a linear teacher gives; a fifth of them are wrong, so that the loss stays up."""
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        x = rng.standard_normal((self.batch * self.batches, *self.network.input_shape), np.float32)
        teacher = rng.standard_normal((int(np.prod(self.network.input_shape)), self.network.classes), np.float32)
        y = (x.reshape(len(x), -1) @ teacher).argmax(1)
        wrong = rng.random(len(y)) < 0.2
        return x, np.where(wrong, rng.integers(0, self.network.classes, len(y)), y).astype(np.int32)

    def in_batches(self) -> list[tuple[Array, Array]]:
        """The same data cut into batches."""
        x, y = self.data()
        return [(x[i : i + self.batch], y[i : i + self.batch]) for i in range(0, len(x), self.batch)]


@dataclass(frozen=True)
class Prediction(Workload):
    """Calls of ``predict`` on the same few examples."""

    network: Network
    rows: int = 1
    steps: ClassVar[int] = 1
    kind: ClassVar[str] = "prediction"

    def examples(self) -> Array:
        """What is predicted from."""
        return np.random.default_rng(2).standard_normal((self.rows, *self.network.input_shape), np.float32)


@dataclass(frozen=True)
class Import(Workload):
    """Import statements in fresh processes; the first is lamina's, the second what it is compared with."""

    statements: tuple[tuple[str, bool], ...]
    unit: ClassVar[str] = "ms"
    kind: ClassVar[str] = "import"


WORKLOADS: tuple[Workload, ...] = (
    Import(
        "import",
        "Import, in a fresh process",
        (("import lamina", True), ("import lamina.models, lamina.layers", True), ("import numpy", False)),
    ),
    Training("train-30-16-16-2", "Training step, 30-16-16-2, batch 32, Adam", dense(30, 16, 16, 2), batch=32),
    Training("train-784-32-10", "Training step, 784-32-10, batch 128, Adam", dense(784, 32, 10), batch=128),
    Training(
        "train-784-512-512-10",
        "Training step, 784-512-512-10, batch 256, Adam",
        dense(784, 512, 512, 10),
        batch=256,
        batches=20,
    ),
    Training(
        "train-2-convolutions",
        "Training step, two convolutions (32 and 64) on 28x28, batch 64, Adam",
        two_convolutions(),
        batch=64,
        batches=10,
    ),
    Training(
        "train-3-residual-blocks",
        "Training step, three residual blocks on 32x32x16, batch 32, Adam",
        residual(3, 32, 16),
        batch=32,
        batches=5,
    ),
    Training(
        "train-lstm-64", "Training step, LSTM(64) on 50x32, batch 32, Adam", lstm(50, 32, 64), batch=32, batches=20
    ),
    Training(
        "train-2-transformer-blocks",
        "Training step, two transformer blocks on 64x128, 4 heads, batch 16, Adam",
        transformer(2, 64, 128, 4),
        batch=16,
        batches=8,
    ),
    Prediction("predict-784-32-10", "predict of one row, 784-32-10", dense(784, 32, 10)),
)


def find(name: str) -> Workload:
    """The workload of a name. Raises KeyError that lists the names."""
    for workload in WORKLOADS:
        if workload.name == name:
            return workload
    raise KeyError(f"no workload {name!r}; there are {', '.join(w.name for w in WORKLOADS)}")

"""What is measured, as plain data: networks, batches, how many steps. A new workload is one entry in ``WORKLOADS``.

Weights, examples and labels are made here from fixed seeds, so that every library starts from the same numbers and
sees the same batches in the same order.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class LayerSpec:
    """One layer: its class in Keras's spelling, and its settings."""

    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Network:
    """Layers in a row, on examples of ``input_shape``; the last one gives logits."""

    input_shape: tuple[int, ...]
    layers: tuple[LayerSpec, ...]

    @property
    def classes(self) -> int:
        """How many logits there are."""
        return int(self.layers[-1].settings["units"])

    def weights(self) -> list[Array]:
        """The first weights, in the order of Keras's ``get_weights``: Glorot's uniform kernels, zero biases."""
        rng = np.random.default_rng(1)
        shape, found = self.input_shape, []
        for layer in self.layers:
            arrays, shape = INITIAL[layer.kind](rng, shape, layer.settings)
            found += arrays
        return found


def _dense(
    rng: np.random.Generator, shape: tuple[int, ...], settings: Mapping[str, Any]
) -> tuple[list[Array], tuple[int, ...]]:
    units = settings["units"]
    limit = (6.0 / (shape[-1] + units)) ** 0.5
    kernel = rng.uniform(-limit, limit, (shape[-1], units)).astype(np.float32)
    return [kernel, np.zeros(units, np.float32)], (*shape[:-1], units)


INITIAL = {"Dense": _dense}
"""By kind of layer: its first weights and the shape that it gives."""


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


def dense(*sizes: int, activation: str = "relu") -> Network:
    """A network of Dense layers: the inputs, the hidden units, the logits."""
    hidden = [LayerSpec("Dense", {"units": units, "activation": activation}) for units in sizes[1:-1]]
    return Network((sizes[0],), (*hidden, LayerSpec("Dense", {"units": sizes[-1]})))


WORKLOADS: tuple[Workload, ...] = (
    Import(
        "import",
        "Import, in a fresh process",
        (("import lamina", True), ("import lamina.models, lamina.layers", True), ("import numpy", False)),
    ),
    Training("train-30-16-16-2", "Training step, 30-16-16-2, batch 32, Adam", dense(30, 16, 16, 2), batch=32),
    Training("train-784-32-10", "Training step, 784-32-10, batch 128, Adam", dense(784, 32, 10), batch=128),
    Prediction("predict-784-32-10", "predict of one row, 784-32-10", dense(784, 32, 10)),
)


def find(name: str) -> Workload:
    """The workload of a name. Raises KeyError that lists the names."""
    for workload in WORKLOADS:
        if workload.name == name:
            return workload
    raise KeyError(f"no workload {name!r}; there are {', '.join(w.name for w in WORKLOADS)}")

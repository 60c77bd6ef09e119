"""What is measured, as plain data: networks, batches, how many steps. A new workload is one entry in ``WORKLOADS``.

Examples and labels are made here from fixed seeds, so that every library starts from the same numbers and
sees the same batches in the same order.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from benchmarks.costs import Cost, prediction_cost, training_cost
from benchmarks.networks import Array, Network, dense, lstm, residual, transformer, two_convolutions
from benchmarks.summary import Role


@dataclass(frozen=True)
class Workload:
    """One thing that is timed. ``kind`` names the function of an implementation that runs it."""

    name: str
    title: str
    unit: ClassVar[str] = "us"
    kind: ClassVar[str]
    warm_up: ClassVar[int] = 2
    """Calls of the task before anything is timed."""
    repeats: ClassVar[bool] = True
    """Whether a short task is done over and over in a round."""

    @property
    def steps(self) -> int:
        """Steps in one call of the task."""
        return 1

    @property
    def most_rounds(self) -> int:
        """How many rounds are enough, however many were asked for."""
        return 1000

    def floor(self) -> Cost | None:
        """What a step has to compute and to move at the least; None where that is not worked out."""
        return None


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
        return self.batches * self.epochs

    def floor(self) -> Cost:
        return training_cost(self.network, self.batch)

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
    """Calls of ``predict`` on the same examples, in batches of 32 as is usual."""

    network: Network
    rows: int = 1
    batch: ClassVar[int] = 32
    kind: ClassVar[str] = "prediction"

    def floor(self) -> Cost:
        return prediction_cost(self.network, self.rows)

    def examples(self) -> Array:
        """What is predicted from."""
        return np.random.default_rng(2).standard_normal((self.rows, *self.network.input_shape), np.float32)

    def in_batches(self) -> list[Array]:
        """The same cut into batches."""
        x = self.examples()
        return [x[i : i + self.batch] for i in range(0, len(x), self.batch)]


@dataclass(frozen=True)
class FirstStep(Workload):
    """A new model to the end of its first training step: building, ``compile``, whatever is compiled or recorded."""

    network: Network
    batch: int
    unit: ClassVar[str] = "ms"
    kind: ClassVar[str] = "first_step"
    warm_up: ClassVar[int] = 1
    repeats: ClassVar[bool] = False

    @property
    def most_rounds(self) -> int:
        return 3

    def training(self) -> Training:
        """The one step, as a training."""
        return Training(self.name, self.title, self.network, self.batch, batches=1)


@dataclass(frozen=True)
class PeakMemory(Workload):
    """The most memory that a process has used after an epoch of training: its libraries are part of that."""

    network: Network
    batch: int
    batches: int = 10
    unit: ClassVar[str] = "MB"
    kind: ClassVar[str] = "training"
    warm_up: ClassVar[int] = 1
    repeats: ClassVar[bool] = False

    @property
    def most_rounds(self) -> int:
        return 2

    def training(self) -> Training:
        """The epoch."""
        return Training(self.name, self.title, self.network, self.batch, self.batches)


@dataclass(frozen=True)
class Building(Workload):
    """A model of so many Dense layers of 16 units is made, its weights included."""

    layers: int
    unit: ClassVar[str] = "ms"
    kind: ClassVar[str] = "building"
    warm_up: ClassVar[int] = 1

    @property
    def most_rounds(self) -> int:
        return 3 if self.layers >= 1000 else 11

    @property
    def network(self) -> Network:
        """The layers."""
        return dense(16, *[16] * self.layers)


@dataclass(frozen=True)
class EagerOp(Workload):
    """One op by itself, called as users call it, on float32 of so many elements (of square matrices for a product)."""

    op: str
    size: int
    kind: ClassVar[str] = "eager"

    @property
    def steps(self) -> int:
        return 1000 if self.size < 1000 else 5

    def arrays(self) -> tuple[Array, Array]:
        """Two arguments; an op of one takes the first."""
        side = round(self.size**0.5)
        shape = (side, side) if self.op == "matmul" else (self.size,)
        one, other = (np.random.default_rng(seed).standard_normal(shape, np.float32) for seed in (1, 2))
        return one, other

    def floor(self) -> Cost:
        side = round(self.size**0.5)
        return {
            "matmul": Cost(2.0 * side**3, 12.0 * side**2),
            "add": Cost(0.0, 12.0 * self.size),
            "relu": Cost(0.0, 8.0 * self.size),
            "sum": Cost(0.0, 4.0 * self.size),
        }[self.op]


@dataclass(frozen=True)
class Import(Workload):
    """Import statements in fresh processes."""

    statements: tuple[Statement, ...]
    unit: ClassVar[str] = "ms"
    kind: ClassVar[str] = "import"


@dataclass(frozen=True)
class Statement:
    """An import that is timed: ours, what it is compared with, or (``floor``) what it cannot do without."""

    text: str
    role: Role
    needs: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The statement, and what was set for it."""
        return " ".join([*(f"{key}={value}" for key, value in self.environment), self.text])


IMPORTS = Import(
    "import",
    "Import, in a fresh process",
    (
        Statement("import lamina", "ours"),
        Statement("import lamina.models, lamina.layers", "ours"),
        Statement("import numpy", "floor"),
        Statement("import torch", "peer", ("torch",)),
        Statement("import jax", "peer", ("jax",)),
        Statement("import keras", "peer", ("keras", "jax"), (("KERAS_BACKEND", "jax"),)),
        Statement("import keras", "peer", ("keras", "torch"), (("KERAS_BACKEND", "torch"),)),
    ),
)


class Subject(NamedTuple):
    """One of the seven networks: its name in the workloads, in words, and how it is trained."""

    name: str
    words: str
    network: Network
    batch: int
    batches: int = 200


SUBJECTS: tuple[Subject, ...] = (
    Subject("30-16-16-2", "30-16-16-2", dense(30, 16, 16, 2), 32),
    Subject("784-32-10", "784-32-10", dense(784, 32, 10), 128),
    Subject("784-512-512-10", "784-512-512-10", dense(784, 512, 512, 10), 256, 20),
    Subject("2-convolutions", "two convolutions (32 and 64) on 28x28", two_convolutions(), 64, 10),
    Subject("3-residual-blocks", "three residual blocks on 32x32x16", residual(3, 32, 16), 32, 5),
    Subject("lstm-64", "LSTM(64) on 50x32", lstm(50, 32, 64), 32, 20),
    Subject("2-transformer-blocks", "two transformer blocks on 64x128, 4 heads", transformer(2, 64, 128, 4), 16, 8),
)

WIDTHS = (8, 32, 128, 512, 2048)
"""Units of the two hidden layers of the networks on which one sees how the cost of a step grows."""

WORKLOADS: tuple[Workload, ...] = (
    IMPORTS,
    *(
        Training(f"train-{s.name}", f"Training step, {s.words}, batch {s.batch}, Adam", s.network, s.batch, s.batches)
        for s in SUBJECTS
    ),
    *(Prediction(f"predict-{s.name}", f"predict of one row, {s.words}", s.network) for s in SUBJECTS),
    *(Prediction(f"predict-1000-{s.name}", f"predict of 1,000 rows, {s.words}", s.network, 1000) for s in SUBJECTS),
    *(
        FirstStep(f"first-step-{s.name}", f"From nothing to the first step, {s.words}", s.network, s.batch)
        for s in SUBJECTS
    ),
    *(
        PeakMemory(f"memory-{s.name}", f"Peak memory of training, {s.words}", s.network, s.batch, min(s.batches, 20))
        for s in SUBJECTS
    ),
    *(Building(f"build-{n}", f"Building a model of {n:,} layers", n) for n in (10, 100, 1000)),
    *(
        EagerOp(f"eager-{op}-{n}", f"Eager {op} on {n:,} elements", op, n)
        for op in ("add", "relu", "sum", "matmul")
        for n in (10, 1_000_000)
    ),
    *(
        Training(f"size-{w}", f"Training step, 64-{w}-{w}-10, batch 64, Adam", dense(64, w, w, 10), 64, 20)
        for w in WIDTHS
    ),
)


def find(name: str) -> Workload:
    """The workload of a name. Raises KeyError that lists the names."""
    for workload in WORKLOADS:
        if workload.name == name:
            return workload
    raise KeyError(f"no workload {name!r}; there are {', '.join(w.name for w in WORKLOADS)}")


def chosen(names: Sequence[str]) -> list[Workload]:
    """Those of the names, in the order of ``WORKLOADS``; a name may be the start of several. None means all.

    >>> [w.name for w in chosen(["import", "build"])]
    ['import', 'build-10', 'build-100', 'build-1000']
    """
    if not names:
        return list(WORKLOADS)
    known = [w.name for w in WORKLOADS]
    found = {k for name in names for k in ([name] if name in known else [k for k in known if k.startswith(f"{name}-")])}
    for name in names:
        if not any(k == name or k.startswith(f"{name}-") for k in found):
            find(name)
    return [w for w in WORKLOADS if w.name in found]

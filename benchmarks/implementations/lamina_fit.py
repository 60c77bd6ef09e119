"""lamina through ``compile``, ``fit`` and ``predict``, and op by op, on the backend that LAMINA_BACKEND names."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import lamina
from benchmarks.implementations.blocks import made_of, model_of
from benchmarks.workloads import Building, EagerOp, FirstStep, Prediction, Training
from lamina import losses, optimizers


def _compiled(workload: Training) -> Any:
    model = model_of(workload.network, lamina)
    model.compile(
        optimizer=optimizers.Adam(workload.learning_rate, epsilon=workload.epsilon),
        loss=losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=bool(os.environ.get("BENCHMARKS_JIT")),
    )
    return model


def training(workload: Training) -> Callable[[], float]:
    x, y = workload.data()
    model = _compiled(workload)

    def task() -> float:
        told = model.fit(x, y, batch_size=workload.batch, epochs=workload.epochs, shuffle=False, verbose=0)
        return told.history["loss"][-1]

    return task


def prediction(workload: Prediction) -> Callable[[], float]:
    x = workload.examples()
    model = model_of(workload.network, lamina)

    def task() -> float:
        return float(model.predict(x, verbose=0)[0, 0])

    return task


def first_step(workload: FirstStep) -> Callable[[], float]:
    step = workload.training()
    x, y = step.data()

    def task() -> float:
        told = _compiled(step).fit(x, y, batch_size=step.batch, shuffle=False, verbose=0)
        return float(told.history["loss"][-1])

    return task


def building(workload: Building) -> Callable[[], float]:
    return lambda: float(len(made_of(workload.network, lamina).weights))


OPS = {"add": lamina.add, "relu": lamina.relu, "sum": lamina.sum, "matmul": lamina.matmul}


def eager(workload: EagerOp) -> Callable[[], float]:
    x, y = map(lamina.tensor, workload.arrays())
    op, arguments = OPS[workload.op], (x,) if workload.op in ("relu", "sum") else (x, y)
    steps = range(workload.steps)

    def task() -> float:
        for _ in steps:
            found = op(*arguments)
        return float(found.numpy().ravel()[0])

    return task

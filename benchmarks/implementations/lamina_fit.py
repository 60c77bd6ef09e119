"""lamina through ``compile``, ``fit`` and ``predict``, on the backend that LAMINA_BACKEND names."""

from __future__ import annotations

from collections.abc import Callable

import lamina
from benchmarks.implementations.blocks import model_of
from benchmarks.workloads import Prediction, Training
from lamina import losses, optimizers


def training(workload: Training) -> Callable[[], float]:
    x, y = workload.data()
    model = model_of(workload.network, lamina)
    model.compile(
        optimizer=optimizers.Adam(workload.learning_rate, epsilon=workload.epsilon),
        loss=losses.SparseCategoricalCrossentropy(from_logits=True),
    )

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

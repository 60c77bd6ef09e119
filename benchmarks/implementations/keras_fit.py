"""Keras through ``compile``, ``fit`` and ``predict`` with its own defaults, on the backend that KERAS_BACKEND names."""

from __future__ import annotations

from collections.abc import Callable

import keras

from benchmarks.implementations.blocks import model_of
from benchmarks.workloads import Prediction, Training


def training(workload: Training) -> Callable[[], float]:
    x, y = workload.data()
    model = model_of(workload.network, keras)
    model.compile(
        optimizer=keras.optimizers.Adam(workload.learning_rate, epsilon=workload.epsilon),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )

    def task() -> float:
        told = model.fit(x, y, batch_size=workload.batch, epochs=workload.epochs, shuffle=False, verbose=0)
        return float(told.history["loss"][-1])

    return task


def prediction(workload: Prediction) -> Callable[[], float]:
    x = workload.examples()
    model = model_of(workload.network, keras)

    def task() -> float:
        return float(model.predict(x, verbose=0)[0, 0])

    return task

"""Keras through ``compile``, ``fit`` and ``predict`` with its own defaults, on the backend that KERAS_BACKEND names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from benchmarks.workloads import Network, Prediction, Training


def _model(network: Network) -> Any:
    parts = [getattr(keras.layers, layer.kind)(**layer.settings) for layer in network.layers]
    model = keras.Sequential([keras.Input(network.input_shape), *parts])
    model.set_weights(network.weights())
    return model


def training(workload: Training) -> Callable[[], float]:
    x, y = workload.data()
    model = _model(workload.network)
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
    model = _model(workload.network)

    def task() -> float:
        return float(model.predict(x, verbose=0)[0, 0])

    return task

"""lamina through ``compile``, ``fit`` and ``predict``, on the backend that LAMINA_BACKEND names."""

from __future__ import annotations

from collections.abc import Callable

import lamina
from benchmarks.workloads import Network, Prediction, Training
from lamina import layers, losses, optimizers


def _model(network: Network) -> lamina.Sequential:
    model = lamina.Sequential()
    for i, layer in enumerate(network.layers):
        first = {"input_shape": network.input_shape} if i == 0 else {}
        model.add(getattr(layers, layer.kind)(**layer.settings, **first))
    model.set_weights(network.weights())
    return model


def training(workload: Training) -> Callable[[], float]:
    x, y = workload.data()
    model = _model(workload.network)
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
    model = _model(workload.network)

    def task() -> float:
        return float(model.predict(x, verbose=0)[0, 0])

    return task

"""How a model was compiled, as Keras 3 writes it and as lamina reads it, and the state of its optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina.models.saving.training import compile_as, training_config
from lamina_keras.objects import Config, keras_value, named


def compile_config(model: Any) -> Config:
    """The arguments of ``compile``, in full."""
    training = training_config(model)
    optimizer = training["optimizer"]
    return {
        "optimizer": named("optimizers", optimizer["class_name"], keras_value(optimizer["config"])),
        "loss": keras_value(training["loss"], "loss"),
        "loss_weights": training["loss_weights"],
        "metrics": keras_value(training["metrics"], "metrics"),
        "weighted_metrics": keras_value(training["weighted_metrics"], "metrics"),
        "run_eagerly": False,
        "steps_per_execution": 1,
        "jit_compile": "auto",
    }


def compile_as_keras(model: Any, config: Any) -> bool:
    """Compiles a model as a ``compile_config`` says. False if it was not compiled."""
    if not isinstance(config, Mapping) or config.get("optimizer") is None:
        return False
    compile_as(model, config)
    return True

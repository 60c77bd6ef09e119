"""How a model was compiled, in TensorFlow.js's words: what its ``trainingConfig`` may hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lamina import losses
from lamina.losses import Loss

LOSSES: Final = (
    "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_logarithmic_error",
    "squared_hinge", "hinge", "categorical_hinge", "logcosh", "categorical_crossentropy",
    "sparse_categorical_crossentropy", "binary_crossentropy", "kullback_leibler_divergence", "poisson",
    "cosine_proximity",
)  # fmt: skip
"""The losses that TensorFlow.js knows by name, as its files spell them."""

RENAMED_LOSSES: Final = {
    "cosine_similarity": "cosine_proximity",
    "kl_divergence": "kullback_leibler_divergence",
    "log_cosh": "logcosh",
}
"""Losses that have another name there: ours, and theirs."""

METRICS: Final = (
    "accuracy", "acc", "crossentropy", "ce", "binary_accuracy", "categorical_accuracy", "precision",
    "categorical_crossentropy", "sparse_categorical_crossentropy", "mse", "mae", "mape", "cosine",
)  # fmt: skip
"""The metrics that it knows by name."""

OPTIMIZERS: Final = {
    "SGD": {"learningRate": "learning_rate"},
    "Momentum": {"learningRate": "learning_rate", "momentum": "momentum", "useNesterov": "use_nesterov"},
    "Adadelta": {"learningRate": "learning_rate", "rho": "rho", "epsilon": "epsilon"},
    "Adagrad": {"learningRate": "learning_rate", "initialAccumulatorValue": "initial_accumulator_value"},
    "Adam": {"learningRate": "learning_rate", "beta1": "beta_1", "beta2": "beta_2", "epsilon": "epsilon"},
    "RMSProp": {"learningRate": "learning_rate", "decay": "rho", "momentum": "momentum", "epsilon": "epsilon",
                "centered": "centered"},
}  # fmt: skip
"""Its optimizers whose state it can restore, their settings, and the names that these have here."""

SAME_STEPS: Final = ("SGD", "Momentum", "Adagrad", "Adam", "RMSProp")
"""Those that make the steps of Keras's, or nearly so; others are written in the form of TensorFlow.js only."""


def tfjs_training_config(model: Any) -> dict[str, Any] | None:
    """The training configuration as TensorFlow.js writes it; None if it would not understand all of it."""
    loss = _each(model._loss_given, loss_name)
    metrics = _each(model._metrics_given, lambda name: name if name in METRICS else None)
    optimizer = _optimizer(model.optimizer)
    if model._loss_weights_given is not None or optimizer is None or _incomplete(loss, model._loss_given):
        return None
    if model._metrics_given is not None and _incomplete(metrics, model._metrics_given):
        return None
    return {"loss": loss, "metrics": metrics or [], "optimizer_config": optimizer}


def _each(given: Any, name_of: Any) -> Any:
    """What was given, in its structure, each name as TensorFlow.js has it, None where it has none."""
    if isinstance(given, Mapping):
        return {key: _each(value, name_of) for key, value in given.items()}
    if isinstance(given, (list, tuple)):
        return [_each(value, name_of) for value in given]
    return None if given is None else name_of(given)


def loss_name(given: Any) -> str | None:
    loss = losses.get(given)
    name = RENAMED_LOSSES.get(loss.name, loss.name) if isinstance(loss, Loss) else None
    return name if name in LOSSES and losses.get(name).get_config() == loss.get_config() else None


def _incomplete(names: Any, given: Any) -> bool:
    """Whether some part has no name there."""
    if isinstance(names, dict):
        return any(_incomplete(names[key], given[key]) for key in names)
    if isinstance(names, list):
        return any(_incomplete(name, one) for name, one in zip(names, given, strict=True))
    return names is None


def _optimizer(optimizer: Any) -> dict[str, Any] | None:
    """The optimizer; None if it has settings that TensorFlow.js does not have."""
    name, config = type(optimizer).__name__, optimizer.get_config()
    name = {"RMSprop": "RMSProp"}.get(name, name)
    keys = OPTIMIZERS.get(name)
    if keys is None or not isinstance(config["learning_rate"], float):
        return None
    if name not in SAME_STEPS and config.get("form") is None:
        return None
    written = {theirs: config[own] for theirs, own in keys.items()}
    plain = type(optimizer).from_config(written).get_config()
    if {**plain, "name": None, "form": None} != {**config, "name": None, "form": None}:
        return None
    return {"class_name": name, "config": written}

"""How a model was compiled, the state of its optimizer and of its random streams, to plain values and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lamina import losses, metrics
from lamina.errors import LaminaError, ModelFileError, UnsafeModelError
from lamina.layers.config import plain
from lamina.serialization import serialize


def training_config(model: Any) -> dict[str, Any]:
    """How the model was compiled, in full."""
    return {
        "optimizer": serialize(model.optimizer),
        "loss": plain(_objects(model._loss_given, losses.get)),
        "metrics": plain(_objects(model._metrics_given, metrics.get)),
        "weighted_metrics": plain(_objects(model._weighted_metrics_given, metrics.get)),
        "loss_weights": plain(model._loss_weights_given),
    }


def _objects(given: Any, get: Any) -> Any:
    """What compile was given, with functions and classes made objects that have a config; names stay names."""
    if isinstance(given, Mapping):
        return {key: _objects(value, get) for key, value in given.items()}
    if isinstance(given, (list, tuple)):
        return [_objects(value, get) for value in given]
    return given if given is None or isinstance(given, str) else get(given)


def compile_as(model: Any, training: Any) -> None:
    """Compiles a model as ``training_config`` says that it was."""
    if isinstance(training, Mapping):
        model.compile(
            optimizer=training.get("optimizer"),
            loss=training.get("loss"),
            metrics=training.get("metrics"),
            weighted_metrics=training.get("weighted_metrics"),
            loss_weights=training.get("loss_weights"),
        )


def compile_as_tfjs(model: Any, training: Any) -> None:
    """Compiles a model as a ``trainingConfig`` of TensorFlow.js says."""
    if isinstance(training, Mapping):
        model.compile(
            optimizer=training.get("optimizer_config"), loss=training.get("loss"), metrics=training.get("metrics")
        )


def optimizer_weights(optimizer: Any) -> list[tuple[str, np.ndarray[Any, Any]]]:
    return list(zip(optimizer.save_names, optimizer.weight_views(), strict=True))


def restore_optimizer(model: Any, arrays: list[np.ndarray[Any, Any]]) -> None:
    if not arrays:
        return
    if model.optimizer is None:
        raise ModelFileError("the file holds the state of an optimizer, and names none.")
    try:
        model.optimizer.build(model.trainable_weights)
        model.optimizer.set_weights(arrays if len(arrays) > 1 else [arrays[0], *model.optimizer.get_weights()[1:]])
    except LaminaError as error:
        raise ModelFileError(f"the optimizer state in the file does not fit the model: {error}") from error


def seeds(model: Any) -> list[list[int]]:
    return [g.state.numpy().tolist() for g in model.seed_generators]


def restore_seeds(model: Any, found: Any) -> None:
    generators = model.seed_generators
    if found is None or not generators:
        return
    if not isinstance(found, list) or len(found) != len(generators) or not all(map(_is_state, found)):
        raise UnsafeModelError("the random state in the file does not fit the model.", expected="two int32 per layer.")
    for generator, pair in zip(generators, found, strict=True):
        generator.state.assign(np.array(pair, np.int32))


def _is_state(pair: Any) -> bool:
    """Whether it is what the state of a random stream may be: two int32."""
    return isinstance(pair, list) and len(pair) == 2 and all(type(n) is int and -(2**31) <= n < 2**31 for n in pair)

"""TensorFlow.js's losses, metrics, activations, initializers, regularizers and constraints, and its optimizers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from adapting import NotOffered, is_undefined
from comparing import TRAINED, assert_near, assert_plausible, assert_result
from layer_calls import check_gradients, run, tensors
from spelling import snake, snake_config

import lamina
from lamina import activations, constraints, initializers, losses, metrics, ops, optimizers, regularizers

Record = dict[str, Any]

ROOMS = {
    "activation": activations,
    "initializer": initializers,
    "regularizer": regularizers,
    "constraint": constraints,
}


def component(kind: str, name: str, config: Any = None) -> Callable[..., Any]:
    """What TensorFlow.js's name stands for: a function of ``args`` as recorded."""
    if kind in ("loss", "metric"):
        return _loss_or_metric(kind, name)
    found = ROOMS[kind].get(name if not config else {"class_name": name, "config": snake_config(config)})
    return found  # type: ignore[no-any-return]


def _loss_or_metric(kind: str, name: str) -> Callable[..., Any]:
    """The function of that name with one value per sample; a few of TensorFlow.js's own are known here otherwise."""
    if name in OTHERWISE:
        return OTHERWISE[name]
    found = getattr(losses if kind == "loss" else metrics, RENAMED.get(name, snake(name)), None)
    if found is None:
        raise NotOffered(f"lamina has no {kind} {RENAMED.get(name, snake(name))}")
    return found  # type: ignore[no-any-return]


def _l2_normalize(x: Any, axis: Any = None) -> Any:
    x = ops.cast(x, "float32")
    return lamina.layers.UnitNormalization(axis=list(range(x.ndim)) if axis is None else axis)(x)


def _sigmoid_cross_entropy(labels: Any, logits: Any) -> Any:
    return losses.sigmoid_cross_entropy(labels, logits, reduction="none")


RENAMED: Final = {
    "cosineProximity": "cosine_similarity",
    "kullbackLeiblerDivergence": "kl_divergence",
    "logcosh": "log_cosh",
    "r2Score": "r2_score",
    "topKCategoricalAccuracy": "top_k_categorical_accuracy",
}
"""Names that Keras spells otherwise."""
OTHERWISE: Final[dict[str, Callable[..., Any]]] = {
    "binaryAccuracy": lambda *args: ops.mean(metrics.binary_accuracy(*args), axis=-1),
    "l2Normalize": _l2_normalize,
    "sigmoidCrossEntropyWithLogits": _sigmoid_cross_entropy,
}
"""Helpers of TensorFlow.js's losses that are something else here."""


def check_loss_or_metric(record: Record) -> None:
    """The values, or of random ones shapes and means, and the gradients."""
    function = component(record["kind"], record["name"], record.get("config"))
    given = [None if is_undefined(x) else x for x in record["args"]]
    vjp = record.get("vjp") or {}
    if record["kind"] == "initializer":
        found = function(tuple(given[0]), *given[1:])
    elif "grads" in vjp:
        cotangents = [entry["cotangent"] for entry in vjp["cotangents"]]
        paths = [["args", *entry["wrt"]] for entry in vjp["grads"]]
        found, gradients = run([], lambda a: function(*a["args"]), {"args": given}, cotangents, paths)
        check_gradients(gradients, vjp["grads"])
    else:
        found = function(*tensors(given))
    if record.get("random"):
        assert_plausible(found, record["result"], record["stats"])
    else:
        assert_result(found, record["result"])


def check_optimizer(record: Record) -> None:
    """Every step's new values, and the state after the last."""
    optimizer = optimizers.get({"class_name": record["className"], "config": record["config"]})
    variables: dict[str, Any] = {}
    for number, step in enumerate(record["steps"]):
        _step(optimizer, variables, step, number)
    for recorded, found in zip(record.get("optimizer_weights_after", ()), optimizer.get_weights(), strict=False):
        assert_result(found, recorded["value"], recorded["name"], TRAINED)
    if "optimizer_weights_after" in record:
        names = [recorded["name"] for recorded in record["optimizer_weights_after"]]
        assert optimizer.save_names == names, f"{optimizer.save_names}, recorded {names}"


def _values(step: Record, key: str) -> list[Any]:
    return [v["value"] if isinstance(v, dict) else v for v in step.get(key, ())]


def _step(optimizer: Any, variables: dict[str, Any], step: Record, number: int) -> None:
    if "config" in step:
        optimizer.learning_rate = step["config"]["learningRate"]
    for name, value in zip(step["names"], _values(step, "before"), strict=False):
        if name in variables:
            variables[name].assign(np.asarray(value, np.float32))
        else:
            variables[name] = lamina.Variable(np.asarray(value, np.float32), name=name)
    trained = [variables[name] for name in step["names"]]
    optimizer.apply(step["grads"], trained)
    for variable, after in zip(trained, _values(step, "after"), strict=True):
        assert_near(variable.numpy(), after, f"step {number}: {variable.name}", TRAINED)

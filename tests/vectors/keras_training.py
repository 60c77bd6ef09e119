"""Keras's losses, metrics, optimizers, schedules, activations, initializers, regularizers and constraints.

Each is made of its recorded config, which ``get_config`` has to give again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import configs
import numpy as np
from comparing import TRAINED, assert_near, assert_plausible, assert_result
from layer_calls import check_gradients, run, tensors

import lamina
from lamina import activations, constraints, initializers, losses, metrics, optimizers, regularizers

Record = dict[str, Any]


def _made(room: Any, record: Record) -> Any:
    make = getattr(room, "deserialize", None) or room.get
    found = make({"class_name": record["class_name"], "config": record["config"]})
    configs.check_config(found, record["config"])
    return found


def _check_value_and_gradient(call: Callable[[Any], Any], x: Any, record: Record, gradient: str) -> None:
    """The result, and where it is recorded the gradient of sum(result * cotangent) with respect to x."""
    if gradient in record:
        cotangent = record.get("cotangent", np.ones((), np.float32))
        found, (slope,) = run([], lambda given: call(given["x"]), {"x": x}, [cotangent], [["x"]])
        check_gradients([slope], [{"wrt": [gradient], "grad": record[gradient]}])
    else:
        found = call(tensors(x))
    assert_result(found, record["result"])


# -- losses --------------------------------------------------------------------------------------------------------


def check_loss(record: Record) -> None:
    """A class on labels and predictions, or a function with one value per sample."""
    y_true = tensors(record["y_true"])
    if record["kind"] == "loss_function":
        function = getattr(losses, record["name"])
        kwargs = tensors(record["kwargs"])
        if record.get("self_reference"):
            function = _self_referring(function)
        assert_result(function(y_true, tensors(record["y_pred"]), **kwargs), record["result"])
        return
    loss = _made(losses, record)
    weight = tensors(record.get("sample_weight"))

    def call(y_pred: Any) -> Any:
        if "y_pred_mask" in record:
            y_pred = lamina.layers.masks.with_mask(y_pred, tensors(record["y_pred_mask"]))
        return loss(y_true, y_pred, sample_weight=weight)

    _check_value_and_gradient(call, record["y_pred"], record, "grad_y_pred")


def _self_referring(function: Any) -> Any:
    """The circle loss with its own labels and embeddings as reference."""

    def call(y_true: Any, y_pred: Any, **kwargs: Any) -> Any:
        return function(y_true, y_pred, y_true, y_pred, **kwargs)

    return call


# -- metrics -------------------------------------------------------------------------------------------------------


def check_metric(record: Record) -> None:
    """The result after each update, the state after the last, and the result after a reset."""
    metric = _made(metrics, record)
    for number, step in enumerate(record["steps"]):
        given = [tensors(step[key]) for key in ("y_true", "y_pred", "values") if key in step]
        metric.update_state(*given, sample_weight=tensors(step.get("sample_weight")))
        assert_result(metric.result(), step["result"], f"result {number}")
    found = [v.name.rpartition("/")[2] for v in metric.variables]
    names = [v["name"] for v in record["variables_after"]]
    assert found == names, f"variables {found}, recorded {names}"
    for variable, after in zip(metric.variables, record["variables_after"], strict=True):
        assert_result(variable, after["value"], variable.name)
    metric.reset_state()
    assert_result(metric.result(), record["result_after_reset"], "result after reset_state")


# -- optimizers ----------------------------------------------------------------------------------------------------


def check_optimizer(record: Record) -> None:
    """The variables, the state and the rate after each step."""
    optimizer = _made(optimizers, record)
    variables = [lamina.Variable(v["value"], name=v["name"]) for v in record["variables"]]
    optimizer.build(variables)
    _check_state(optimizer, [v["value"] for v in record["optimizer_variables_initial"]], "at first")
    for number, step in enumerate(record["steps"]):
        optimizer.apply(tensors(step["grads"]), variables)
        for variable, after in zip(variables, step["after"], strict=True):
            assert_near(variable.numpy(), after, f"step {number}: {variable.name}", TRAINED)
        rate = np.asarray(lamina.tensor(optimizer.learning_rate).numpy())
        assert_near(rate, step["learning_rate"], f"step {number}: learning rate")
        _check_state(optimizer, step["optimizer_variables"], f"step {number}")
    if "after_finalize" in record:
        optimizer.finalize_variable_values(variables)
        for variable, after in zip(variables, record["after_finalize"], strict=True):
            assert_near(variable.numpy(), after, f"finalized {variable.name}", TRAINED)


def _check_state(optimizer: Any, recorded: list[Any], where: str) -> None:
    """All state, in Keras's order; names are of lamina's own."""
    found = [variable.name for variable in optimizer.variables]
    assert len(found) == len(recorded), f"{where}: {len(recorded)} recorded, found {found}"
    for variable, value in zip(optimizer.variables, recorded, strict=True):
        assert_result(variable, value, f"{where}: {variable.name}", TRAINED)


# -- the rest ------------------------------------------------------------------------------------------------------


def check_misc(record: Record) -> None:
    """An activation, initializer, regularizer, constraint or schedule."""
    kind = record["kind"]
    if kind == "activation":
        function = activations.get(record["name"])
        _check_value_and_gradient(lambda x: function(x, **record["kwargs"]), record["x"], record, "grad_x")
    elif kind in ("initializer", "initializer_stats"):
        _check_initializer(record)
    elif kind == "schedule":
        schedule = _made(optimizers.schedules, record)
        found = np.asarray([lamina.tensor(schedule(step)).numpy() for step in record["steps"]])
        assert_near(found, record["values"], "rates")
    else:
        found = _made(regularizers if kind == "regularizer" else constraints, record)
        _check_value_and_gradient(found, record["x"], record, "grad_x")


def _check_initializer(record: Record) -> None:
    found = _made(initializers, record)(tuple(record["shape"]))
    if "result" in record:
        assert_result(found, record["result"])
    elif "gram_of_smaller_side" in record:
        matrix = found.numpy().reshape(-1, found.shape[-1])
        smaller = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
        assert_near(smaller @ smaller.T, record["gram_of_smaller_side"], "Gram matrix")
    else:
        described = {"shape": record["shape"], "dtype": "float32"}
        assert_plausible(found, described, record["stats"])
        spread, recorded = float(np.std(found.numpy())), record["stats"]["std"]
        assert abs(spread - recorded) <= 0.1 * recorded, f"standard deviation {spread}, recorded {recorded}"

"""TensorFlow.js's models: what predict, evaluate, fit and trainOnBatch gave, and what they refused.

The model is loaded as a saved one is. Compared are results, the whole history, weights and the state of the optimizer
after training; where a run was random only which values the history has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import model_files
import numpy as np
from comparing import TRAINED, VALUES, Tolerance, as_array, assert_near, assert_result
from model_making import by_saved_name, made, saved_name
from spelling import snake

from lamina import callbacks
from lamina.errors import LaminaError
from lamina.structures import flatten

Record = dict[str, Any]


def check(record: Record) -> None:
    """One thing done with a model."""
    CHECKS[record["kind"]](record)


def check_error(record: Record) -> None:
    """Doing it raises an error of lamina's own, with a model that loads."""
    model = made(record)
    try:
        found = ATTEMPTS[record["kind"]](record, model)
    except LaminaError:
        return
    raise AssertionError(f"nothing was raised, but {found!r:.80} came; recorded: {record['error']['message']:.120}")


def _settings(record: Record, *names: str) -> dict[str, Any]:
    """Those of the recorded arguments that are named here, in lamina's spelling."""
    given = {snake(key): value for key, value in (record.get("args") or {}).items()}
    return {name: given[name] for name in names if given.get(name) is not None}


def unlisted(value: Any) -> Any:
    """A list of one tensor stands for the tensor."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


# -- predict, evaluate ---------------------------------------------------------------------------------------------


def predict(record: Record, model: Any = None) -> Any:
    """What ``predict`` gives."""
    return (model or made(record)).predict(unlisted(record["inputs"]), **_settings(record, "batch_size"))


def predict_on_batch(record: Record, model: Any = None) -> Any:
    """What ``predict_on_batch`` gives."""
    return (model or made(record)).predict_on_batch(unlisted(record["inputs"]))


def evaluate(record: Record, model: Any = None) -> Any:
    """What ``evaluate`` gives, in the order of ``metrics_names``."""
    settings = _settings(record, "batch_size", "sample_weight", "steps")
    return (model or made(record)).evaluate(unlisted(record["x"]), unlisted(record["y"]), verbose=0, **settings)


def _check_outputs(found: Any, recorded: Any) -> None:
    outputs, expected = flatten(found), flatten(recorded)
    assert len(outputs) == len(expected), f"{len(outputs)} outputs, recorded {len(expected)}"
    for i, (output, value) in enumerate(zip(outputs, expected, strict=True)):
        assert_result(output, value, f"output {i}")


def check_values(found: Any, recorded: Any, tolerance: Tolerance = VALUES) -> None:
    """Loss and metrics as numbers, each near by itself: some are large."""
    values, expected = numbers(found), numbers(recorded)
    assert values.shape == expected.shape, f"values {values}, recorded {expected}"
    for i, (value, number) in enumerate(zip(values, expected, strict=True)):
        assert_near(value, number, f"value {i} of {expected}", tolerance)


def numbers(values: Any) -> np.ndarray[Any, Any]:
    """Losses and metrics, one or several, as one array."""
    return np.concatenate([np.ravel(as_array(value)).astype(np.float64) for value in flatten([values])])


# -- training ------------------------------------------------------------------------------------------------------


def _check_train_on_batch(record: Record) -> None:
    model = made(record)
    found = train_on_batch(record, model)
    if not record["deterministic"]:
        return
    check_values(found, record["result"], TRAINED)
    check_trained(model, record)


def train_on_batch(record: Record, model: Any = None) -> Any:
    """What ``train_on_batch`` gives."""
    return (model or made(record)).train_on_batch(unlisted(record["x"]), unlisted(record["y"]))


def _check_fit(record: Record) -> None:
    model = made(record)
    history = fit(record, model)
    labels = _labels(record, model)
    keys = [labels.get(key, key) for key in history.history]
    assert set(keys) == set(record["history_keys"]), f"the history has {keys}, recorded {record['history_keys']}"
    assert history.epoch == record["epochs_run"], f"epochs {history.epoch}, recorded {record['epochs_run']}"
    if not record["deterministic"]:
        return
    for key, values in histories(record, model, history):
        recorded = np.asarray(record["history"][key], np.float64)
        assert_near(_diverged_alike(values, recorded), recorded, f"history of {key}", TRAINED)
    check_trained(model, record)


def histories(
    record: Record, model: Any, history: Any, beside: Sequence[str] = ()
) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """The values of each epoch by TensorFlow.js's names, without some."""
    labels = _labels(record, model)
    for key, values in history.history.items():
        if labels.get(key, key) not in beside:
            yield labels.get(key, key), np.asarray(values, np.float64)


def fit(record: Record, model: Any = None) -> Any:
    """The history of ``fit``. What was recorded is in order, or one batch whose order means nothing."""
    names = ("batch_size", "epochs", "initial_epoch", "validation_split", "validation_data", "class_weight",
             "sample_weight", "steps_per_epoch", "validation_steps")  # fmt: skip
    settings = _settings(record, *names)
    if "class_weight" in settings:
        settings["class_weight"] = _class_weight(settings["class_weight"])
    recorded = record.get("callbacks")
    listed = [_early_stopping(config) for config in recorded] if isinstance(recorded, list) else [_Stop(record)]
    x, y = unlisted(record["x"]), unlisted(record["y"])
    return (model or made(record)).fit(x, y, shuffle=False, verbose=0, callbacks=listed, **settings)


def _class_weight(given: Any) -> Any:
    if isinstance(given, list):
        return unlisted([_class_weight(entry) for entry in given])
    if isinstance(given, Mapping):
        return {int(k) if k.isdigit() else k: _class_weight(v) for k, v in given.items()}
    return given


def _early_stopping(config: Mapping[str, Any]) -> Any:
    settings = {snake(key): value for key, value in config.items() if key != "className"}
    return callbacks.EarlyStopping(**settings)


class _Stop(callbacks.Callback):
    """Stops after the last epoch that was run, as a callback did that is not recorded."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        self.last = record.get("epochs_run", [])[-1:]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if [epoch] == self.last:
            self.model.stop_training = True


def _labels(record: Record, model: Any) -> dict[str, str]:
    """lamina's names in histories to TensorFlow.js's, which shortens ``accuracy`` to ``acc``."""
    theirs = record["compile"]["metrics_names"]
    names = dict(zip(model.metrics_names, theirs, strict=True))
    return {**names, **{f"val_{ours}": f"val_{name}" for ours, name in names.items()}}


def _diverged_alike(found: np.ndarray[Any, Any], recorded: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Infinities as NaN where NaN is recorded: the order of operations decides what overflows first."""
    lost = np.isnan(recorded) & ~np.isfinite(found) if found.shape == recorded.shape else False
    return np.where(lost, recorded, found)


def check_trained(model: Any, record: Record) -> None:
    """The weights, and the state of the optimizer."""
    weights = by_saved_name(model)
    for recorded in record["weights_after"]:
        name = saved_name(recorded)
        found = _diverged_alike(weights[name].numpy(), recorded["value"])
        assert_result(found, recorded["value"], f"{name} after training", TRAINED)
    _check_optimizer_state(model, weights, record)


def _check_optimizer_state(model: Any, weights: Mapping[str, Any], record: Record) -> None:
    """The count of steps and, in their order, the slots of each weight."""
    state = record["optimizer_state_after"]
    count = int(model.optimizer.iterations.numpy())
    assert count == state["iterations"], f"{count} iterations, recorded {state['iterations']}"
    names = {w[key]: saved_name(w) for key in ("originalName", "name") for w in record["weights_after"] if key in w}
    lists = [found for found in state.get("slots", {}).values() if isinstance(found, list)]
    for index, slot in enumerate(lists):
        for recorded in slot:
            name = names[recorded["name"].rpartition("/")[0]]
            found = list(model.optimizer.slots_of(weights[name]).values())
            assert len(found) == len(lists), f"{len(found)} slots of {name}, recorded {len(lists)}"
            held = _diverged_alike(found[index].numpy(), recorded["value"])
            assert_result(held, recorded["value"], f"{recorded['name']} after training", TRAINED)


def _compile(record: Record, model: Any) -> Any:
    given = record["args"]
    model.compile(optimizer=given["optimizer"], loss=given["loss"], metrics=given["metrics"])
    return model


# -- summary -------------------------------------------------------------------------------------------------------


def _check_summary(record: Record) -> None:
    """Names, kinds, shapes and parameters of the layers; not how the table is drawn."""
    model = made(record)
    for name, trainable in record["layer_trainable"]:
        model.get_layer(name).trainable = trainable
    if not record["model_trainable"]:
        model.trainable = False
    lines: list[str] = []
    model.summary(line_length=400, print_fn=lines.append)
    rows = model_files.summary_rows(record["lines"])
    for row in rows:
        assert any(model_files.says(line, row) for line in lines), f"no line for {row}"
    for line in (line.rstrip() for line in record["lines"] if "params: " in line):
        said = any(other == line or other.startswith(f"{line} (") for other in lines)  # lamina adds the bytes
        assert said, f"no line {line!r}, but {lines[-4:]}"


CHECKS: Final[Mapping[str, Callable[[Record], None]]] = {
    "predict": lambda record: _check_outputs(predict(record), record["outputs"]),
    "predictOnBatch": lambda record: _check_outputs(predict_on_batch(record), record["outputs"]),
    "evaluate": lambda record: check_values(evaluate(record), record["result"]),
    "trainOnBatch": _check_train_on_batch,
    "fit": _check_fit,
    "summary": _check_summary,
    "save": model_files.check_save,
    "load": model_files.check_load,
    "modelFromJSON": model_files.check_from_json,
}
ATTEMPTS: Final[Mapping[str, Callable[[Record, Any], Any]]] = {
    "predict": predict,
    "predictOnBatch": predict_on_batch,
    "evaluate": evaluate,
    "trainOnBatch": train_on_batch,
    "fit": fit,
    "compile": _compile,
}

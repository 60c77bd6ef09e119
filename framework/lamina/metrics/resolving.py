"""From what a user writes in ``metrics=[...]`` to a metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lamina.metrics.accuracy import BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy
from lamina.metrics.metric import Metric
from lamina.metrics.probabilistic import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
from lamina.metrics.reductions import MeanMetricWrapper
from lamina.serialization import custom_object_scope, get_object, serialize_as

ALIASES: Final = {
    "acc": "Accuracy",
    "bce": "BinaryCrossentropy",
    "ce": "CategoricalCrossentropy",
    "cosine": "cosine_proximity",
    "crossentropy": "CategoricalCrossentropy",
    "kld": "KLDivergence",
    "kullbackleiblerdivergence": "KLDivergence",
    "logcosh": "LogCoshError",
    "mae": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError",
    "mse": "MeanSquaredError",
    "msle": "MeanSquaredLogarithmicError",
    "rmse": "RootMeanSquaredError",
}
"""Short names. "cosine" is TensorFlow.js's, and negative as there; "cosine_similarity" is Keras's."""

Sizes = Sequence[int | None]


def get(identifier: Any) -> Any:
    """The metric that a name, config, class, function or metric stands for; None for None.

    A function ``f(y_true, y_pred)`` is wrapped in a mean. "accuracy" here means equality, "crossentropy" that of
    one-hot labels; ``resolve`` chooses the kind that fits a model's output, as ``compile`` does. Raises
    UnknownNameError, SerializationError, ArgumentTypeError.

    >>> get("binaryAccuracy").name
    'binary_accuracy'
    """
    found = get_object("metrics", identifier, Metric, ALIASES)
    return found if found is None or isinstance(found, Metric) else MeanMetricWrapper(found)


def serialize(metric: Any) -> Any:
    """What stands for a metric in a config: see ``lamina.serialization.serialize_as``.

    Raises SerializationError for what has no name.

    >>> serialize(BinaryAccuracy(threshold=0.25))["config"]["threshold"]
    0.25
    """
    return serialize_as("metrics", metric, ALIASES)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The metric of a config or name, where ``custom_objects`` are known too.

    Raises UnknownNameError for a name that nothing has.

    >>> deserialize(serialize(BinaryAccuracy(threshold=0.25))).settings
    {'threshold': 0.25}
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)


def resolve(identifier: Any, y_true_shape: Sizes, y_pred_shape: Sizes, loss_name: str | None = None) -> Any:
    """Like ``get``, but "accuracy", "acc", "crossentropy" and "ce" become the kind that fits labels and output.

    Shapes include the batch axis, whose size may be None. The metric is named as the user wrote it. ``y_true_shape``
    and ``y_pred_shape`` are the shapes of labels and output, ``loss_name`` is the name of the loss. Raises
    UnknownNameError for a name that nothing has.

    >>> type(resolve("acc", (None, 10), (None, 10))).__name__, resolve("acc", (None, 10), (None, 10)).name
    ('CategoricalAccuracy', 'acc')
    """
    word = identifier.lower() if isinstance(identifier, str) else None
    if word in ("accuracy", "acc"):
        return resolve_accuracy(y_true_shape, y_pred_shape, loss_name, name=identifier)
    if word in ("crossentropy", "ce"):
        return resolve_crossentropy(y_true_shape, y_pred_shape, loss_name, name=identifier)
    return get(identifier)


def resolve_accuracy(
    y_true_shape: Sizes, y_pred_shape: Sizes, loss_name: str | None = None, *, name: str = "accuracy"
) -> Metric:
    """The accuracy that fits: binary, sparse categorical or categorical.

    Binary for one output or the loss binary_crossentropy; sparse for its loss, or for labels with fewer axes than the
    output or one number in place of several; else categorical. ``y_true_shape`` and ``y_pred_shape`` are the shapes of
    labels and output, ``loss_name`` is the name of the loss. Raises nothing.

    >>> type(resolve_accuracy((None,), (None, 10))).__name__
    'SparseCategoricalAccuracy'
    """
    kind = _kind(y_true_shape, y_pred_shape, loss_name)
    made: Metric = {
        "binary": BinaryAccuracy,
        "sparse": SparseCategoricalAccuracy,
        "categorical": CategoricalAccuracy,
    }[kind](name=name)
    return made


def resolve_crossentropy(
    y_true_shape: Sizes, y_pred_shape: Sizes, loss_name: str | None = None, *, name: str = "crossentropy"
) -> Metric:
    """The cross entropy that fits, by the rules of ``resolve_accuracy``.

    ``y_true_shape`` and ``y_pred_shape`` are the shapes of labels and output, ``loss_name`` is the name of the loss.
    Raises nothing.

    >>> type(resolve_crossentropy((None, 1), (None, 1))).__name__
    'BinaryCrossentropy'
    """
    kind = _kind(y_true_shape, y_pred_shape, loss_name)
    made: Metric = {
        "binary": BinaryCrossentropy,
        "sparse": SparseCategoricalCrossentropy,
        "categorical": CategoricalCrossentropy,
    }[kind](name=name)
    return made


def _kind(y_true_shape: Sizes, y_pred_shape: Sizes, loss_name: str | None) -> str:
    loss = (loss_name or "").replace("_", "").lower()
    last_true = y_true_shape[-1] if len(y_true_shape) > 1 else 1
    last_pred = y_pred_shape[-1] if len(y_pred_shape) > 1 else 1
    if loss == "sparsecategoricalcrossentropy":
        return "sparse"
    if last_pred == 1 or loss == "binarycrossentropy":
        return "binary"
    if len(y_true_shape) < len(y_pred_shape) or (last_true == 1 and last_pred != 1):
        return "sparse"
    return "categorical"

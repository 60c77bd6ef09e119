"""Losses against recorded results, by name, and with bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import losses, ops
from lamina.errors import (
    ArgumentError,
    ArgumentTypeError,
    DataError,
    DTypeError,
    SerializationError,
    ShapeError,
    UnknownNameError,
)
from recorded import assert_near, gradient_of, records

# Keras compares the labels of one sample with the predictions of all in CategoricalGeneralizedCrossEntropy.
CLASSES = (
    "BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy", "CategoricalFocalCrossentropy",
    "CategoricalHinge", "CosineSimilarity", "Dice", "Hinge", "Huber", "KLDivergence", "LogCosh", "MeanAbsoluteError",
    "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson",
    "SparseCategoricalCrossentropy", "SquaredHinge", "Tversky",
)  # fmt: skip
FUNCTIONS = (
    "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy", "categorical_focal_crossentropy",
    "categorical_hinge", "cosine_similarity", "dice", "hinge", "huber", "kl_divergence", "log_cosh",
    "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error",
    "poisson", "sparse_categorical_crossentropy", "squared_hinge", "tversky",
)  # fmt: skip
TENSORFLOW_JS = {
    "cosineProximity": "cosine_similarity",
    "kullbackLeiblerDivergence": "kl_divergence",
    "logcosh": "log_cosh",
    **{
        head + "".join(part.title() for part in rest): "_".join([head, *rest])
        for head, *rest in (name.split("_") for name in FUNCTIONS)
        if not {head, *rest} & {"cosine", "dice", "focal", "hinge", "huber", "kl", "log", "tversky"}
        or {head, *rest} == {"categorical", "hinge"}
    },
}
"""Its hinges take labels of 0 and 1 as they are, so they are left out."""


@pytest.mark.parametrize("name", [*CLASSES, "CTC", "Circle"])
def test_classes_as_keras(name: str) -> None:
    for record in records("keras", "losses.jsonl.gz", kind="loss", class_name=name):
        loss = losses.get({"class_name": name, "config": record["config"]})
        more = (record.get("sample_weight"), record.get("y_pred_mask"))
        assert_near(loss(record["y_true"], record["y_pred"], *more), record["result"], record["id"])
        assert loss.get_config() == record["config"]
        if "grad_y_pred" in record:

            def value(p: Any, loss: Any = loss, record: Any = record, more: Any = more) -> Any:
                return loss(record["y_true"], p, *more)

            found = gradient_of(value, record["y_pred"], record["cotangent"])
            assert_near(found, record["grad_y_pred"], f"gradient of {record['id']}")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_as_keras(name: str) -> None:
    for record in records("keras", "losses.jsonl.gz", kind="loss_function", name=name):
        found = getattr(losses, name)(record["y_true"], record["y_pred"], **record["kwargs"])
        assert_near(found, record["result"], record["id"])


@pytest.mark.parametrize(("theirs", "name"), TENSORFLOW_JS.items())
def test_functions_as_tensorflow_js(theirs: str, name: str) -> None:
    for record in records("tensorflow.js", "losses_metrics.jsonl.gz", kind="loss", name=theirs):
        y_true, y_pred, *flags = record["args"]
        if theirs == "kullbackLeiblerDivergence" and np.min(y_true) < 0.0:
            continue  # no probabilities, and clipped in one place of two
        if name == "sparse_categorical_crossentropy":
            y_true = np.asarray(y_true).reshape(np.shape(y_pred)[:-1])
        found = getattr(losses, name)(y_true, y_pred, *flags)
        assert_near(found, record["result"], record["id"])


@pytest.mark.parametrize("spelling", ["mse", "MSE", "meanSquaredError", "mean_squared_error", "MeanSquaredError"])
def test_spellings(spelling: str) -> None:
    assert type(losses.get(spelling)) is losses.MeanSquaredError


def test_get_takes_objects_classes_functions_and_none() -> None:
    loss = losses.MeanAbsoluteError()
    assert losses.get(loss) is loss
    assert isinstance(losses.get(losses.MeanAbsoluteError), losses.MeanAbsoluteError)
    assert losses.get(lambda t, p: ops.sum(t - p, axis=-1))([[1.0, 2.0]], [[0.0, 0.0]]).item() == 3.0
    assert losses.get(None) is None


def test_unknown_name() -> None:
    with pytest.raises(UnknownNameError, match="no loss named 'mean_cubed_error'"):
        losses.get("mean_cubed_error")


def test_unknown_key() -> None:
    with pytest.raises(SerializationError, match="has the key 'axes'"):
        losses.get({"class_name": "MeanSquaredError", "config": {"axes": 1}})


def test_a_wrapped_function_is_saved_by_its_name() -> None:
    config = losses.serialize(losses.get(losses.huber))
    assert config["config"]["fn"] == "huber"
    again = losses.get(config)
    assert again.fn is losses.huber
    with pytest.raises(SerializationError, match="no name leads to it"):
        losses.get(lambda t, p: p).get_config()
    with pytest.raises(SerializationError, match="not the name of a function"):
        losses.get({"class_name": "LossFunctionWrapper", "config": {"fn": "Huber"}})


def test_generalized_cross_entropy() -> None:
    values = losses.categorical_generalized_cross_entropy([[1], [0]], [[0.75, 0.25], [0.64, 0.36]], 0.5).numpy()
    np.testing.assert_allclose(values, [1.0, 0.4], rtol=1e-5)
    near = losses.CategoricalGeneralizedCrossEntropy(q=1e-4, reduction=None)([1, 0], [[0.5, 0.5], [0.5, 0.5]])
    np.testing.assert_allclose(near.numpy(), np.log(2.0), rtol=1e-2)


def test_sparse_labels_along_another_axis() -> None:
    y_pred = np.random.default_rng(1).uniform(0.1, 1.0, (2, 3, 4)).astype(np.float32)
    y_true = np.array([[0, 1, 2, 0], [2, 2, 1, 0]], np.int32)
    loss = losses.SparseCategoricalCrossentropy(axis=1, ignore_class=2)
    wanted = losses.SparseCategoricalCrossentropy(ignore_class=2)(y_true, y_pred.transpose(0, 2, 1)).item()
    assert loss(y_true, y_pred).item() == pytest.approx(wanted)
    assert loss(y_true[:, None], y_pred).item() == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: losses.MeanSquaredError(reduction="average"), ArgumentError),
        (lambda: losses.BinaryCrossentropy(label_smoothing=2.0), ArgumentError),
        (lambda: losses.CategoricalCrossentropy()([1, 2], [[0.5, 0.5], [0.1, 0.9]]), ShapeError),
        (lambda: losses.SparseCategoricalCrossentropy()([[1, 0]], [[0.5, 0.5]]), ShapeError),
        (lambda: losses.BinaryCrossentropy()([[1.0, 0.0]], [[0.5]]), ShapeError),
        (lambda: losses.MeanSquaredError()([[1.0]], [[0.5]], sample_weight=[1.0, 2.0]), ShapeError),
        (lambda: losses.MeanSquaredError()([["cat"]], [[0.5]]), DTypeError),
    ],
)
def test_bad_input(make: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        make()


def test_weights_stand_for_samples_even_where_the_last_axis_is_as_long() -> None:
    values = losses.MeanSquaredError(reduction=None)(np.zeros((2, 2, 1)), np.ones((2, 2, 1)), [1.0, 3.0])
    assert values.tolist() == [[1.0, 1.0], [3.0, 3.0]]


def test_float64_labels_do_not_widen_the_loss() -> None:
    prediction = lamina.tensor([[0.5]], dtype="float32")
    assert losses.MeanSquaredError()(np.array([[1.0]]), prediction).dtype == "float32"


@pytest.mark.parametrize("name", ["BinaryCrossentropy", "CategoricalCrossentropy", "KLDivergence", "Poisson"])
def test_half_precision_is_not_enough_for_logarithms(name: str) -> None:
    y_true, y_pred = np.array([[0.0, 1.0]], np.float16), np.array([[1.0, 0.0]], np.float16)
    for room in (losses, lamina.metrics):
        found = getattr(room, name)()(y_true, y_pred)
        wanted = getattr(room, name)()(y_true.astype(np.float32), y_pred.astype(np.float32))
        assert (found.dtype, found.item()) == ("float32", wanted.item())
        assert np.isfinite(found.item())


def test_from_logits_is_exact_where_probabilities_saturate() -> None:
    loss = losses.BinaryCrossentropy(from_logits=True)([[0.0]], [[100.0]])
    assert loss.item() == pytest.approx(100.0)


@pytest.mark.parametrize("name", CLASSES)
def test_replayed_as_eager(name: str) -> None:
    loss = losses.get(name)
    sparse = name.startswith("Sparse")
    y_true = np.array([1, 0], np.int32) if sparse else np.eye(3, dtype=np.float32)[:2]
    step = lamina.function(lambda t, p, w: loss(t, p, w))
    for i in range(5):
        y_pred = np.full((2, 3), 0.2 + 0.1 * i, np.float32)
        weight = np.array([1.0, i], np.float32)
        assert step(y_true, y_pred, weight).item() == loss(y_true, y_pred, weight).item()
    assert step.programs


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: losses.Huber(delta=0.0), ArgumentError, "delta is 0.0"),
        (lambda: losses.Huber(delta=float("nan")), ArgumentError, "delta is nan"),
        (lambda: losses.Huber(delta="1"), ArgumentTypeError, "delta is '1'"),
        (lambda: losses.Tversky(alpha=-1.0), ArgumentError, "alpha is -1.0"),
        (lambda: losses.Dice(axis="1"), ArgumentTypeError, "axis is '1'"),
        (lambda: losses.Dice(axis=[0, 1.5]), ArgumentTypeError, r"axis\[1\] is 1.5"),
        (lambda: losses.CosineSimilarity(axis=None), ArgumentTypeError, "axis is None"),
        (lambda: losses.BinaryCrossentropy(from_logits=1), ArgumentTypeError, "from_logits is 1"),
        (lambda: losses.BinaryFocalCrossentropy(gamma=-2), ArgumentError, "gamma is -2"),
        (lambda: losses.BinaryFocalCrossentropy(apply_class_balancing="no"), ArgumentTypeError, "balancing is"),
        (lambda: losses.CategoricalFocalCrossentropy(alpha=True), ArgumentTypeError, "alpha is True"),
        (lambda: losses.CategoricalGeneralizedCrossEntropy(q=1.0), ArgumentError, "q is 1.0"),
        (lambda: losses.SparseCategoricalCrossentropy(ignore_class=0.5), ArgumentTypeError, "ignore_class is 0.5"),
        (lambda: losses.Poisson(name=3), ArgumentTypeError, "name is 3"),
        (lambda: losses.KLDivergence()([[0.5, 0.5]], [[1.0]]), ShapeError, "kl_divergence"),
    ],
)
def test_settings_are_refused_by_name(make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()


def test_masks() -> None:
    y_true, y_pred = np.zeros((2, 3, 1), np.float32), np.arange(6.0, dtype=np.float32).reshape(2, 3, 1)
    mask = np.array([[True, True, False], [True, False, False]])
    loss = losses.MeanAbsoluteError()
    hung = lamina.tensor(y_pred)
    hung._mask = lamina.tensor(mask)
    assert loss(y_true, hung).item() == loss(y_true, y_pred, mask=mask).item() == pytest.approx(4 / 3)
    both = loss(y_true, hung, mask=np.array([[False, True, True], [True, True, True]])).item()
    assert both == pytest.approx(2.0)
    by_row = loss(y_true, hung, [[2.0], [4.0]]).item()
    assert by_row == pytest.approx((0 + 2 + 12) / 3)
    by_sample = losses.MeanAbsoluteError(reduction="mean_with_sample_weight")(y_true, hung, [1.0, 0.5])
    assert by_sample.item() == pytest.approx((0 + 1 + 1.5) / 2.5)


def test_class_numbers_are_checked_before_the_first_step() -> None:
    model = lamina.Sequential([lamina.layers.Dense(3, activation="softmax")])
    model.compile("sgd", losses.CategoricalGeneralizedCrossEntropy())
    with pytest.raises(DataError, match="class number 3"):
        model.fit(np.zeros((2, 2)), np.array([0, 3]), verbose=0)

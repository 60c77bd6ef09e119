"""Regularizers against recorded results, by name, and with bad input."""

from __future__ import annotations

from typing import Any

import pytest

from lamina import regularizers
from lamina.errors import ArgumentError, ArgumentTypeError, ShapeError, UnknownNameError
from lamina.serialization import serialize
from recorded import assert_near, gradient_of, records


@pytest.mark.parametrize("name", ["L1", "L2", "L1L2", "OrthogonalRegularizer"])
def test_as_keras(name: str) -> None:
    for record in records("keras", "misc.jsonl.gz", kind="regularizer", class_name=name):
        made = regularizers.get({"class_name": name, "config": record["config"]})
        assert_near(made(record["x"]), record["result"], record["id"])
        assert made.get_config() == record["config"]
        if "grad_x" in record:
            assert_near(gradient_of(made, record["x"], 1.0), record["grad_x"], f"gradient of {record['id']}")


def test_as_tensorflow_js() -> None:
    for record in records("tensorflow.js", "losses_metrics.jsonl.gz", kind="regularizer", name="L1L2"):
        made = regularizers.get({"class_name": "L1L2", "config": record["config"]})
        assert_near(made(record["args"][0]), record["result"], record["id"])


@pytest.mark.parametrize("spelling", ["l1l2", "l1_l2", "L1L2"])
def test_spellings(spelling: str) -> None:
    assert type(regularizers.get(spelling)) is regularizers.L1L2


def test_get() -> None:
    assert regularizers.get(None) is None
    assert regularizers.get("l1").l1 == 0.01
    assert regularizers.get(serialize(regularizers.L2(0.5))).l2 == 0.5
    with pytest.raises(UnknownNameError):
        regularizers.get("l3")


@pytest.mark.parametrize(
    ("value", "error"), [(-1.0, ArgumentError), ("0.1", ArgumentTypeError), (True, ArgumentTypeError)]
)
def test_bad_settings(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="l2 is"):
        regularizers.L2(value)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: regularizers.OrthogonalRegularizer(mode="row"), ArgumentError, "mode is 'row'"),
        (lambda: regularizers.OrthogonalRegularizer(factor=-1.0), ArgumentError, "factor is -1.0"),
        (lambda: regularizers.OrthogonalRegularizer()([1.0, 2.0]), ShapeError, "two axes"),
    ],
)
def test_bad_settings_of_the_orthogonal_one(make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()


def test_one_row_is_orthogonal_to_all_others() -> None:
    assert regularizers.OrthogonalRegularizer()([[1.0, 2.0]]).item() == 0.0
    columns = regularizers.OrthogonalRegularizer(1.0, "columns")
    assert columns([[1.0, 1.0], [0.0, 0.0]]).item() == pytest.approx(1.0)


def test_other_names_of_the_same() -> None:
    assert regularizers.l1_l2 is regularizers.L1L2
    assert regularizers.deserialize(regularizers.serialize(regularizers.orthogonal_regularizer(0.5))).factor == 0.5

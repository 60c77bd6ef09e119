"""Constraints against recorded results, by name, and with bad input."""

from __future__ import annotations

from typing import Any

import pytest

from lamina import constraints
from lamina.errors import ArgumentError, ArgumentTypeError, UnknownNameError
from recorded import assert_near, records

NAMES = ("MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm")


@pytest.mark.parametrize("name", NAMES)
def test_as_keras(name: str) -> None:
    for record in records("keras", "misc.jsonl.gz", kind="constraint", class_name=name):
        made = constraints.get({"class_name": name, "config": record["config"]})
        assert_near(made(record["x"]), record["result"], record["id"])
        assert made.get_config() == record["config"]


@pytest.mark.parametrize("name", NAMES)
def test_as_tensorflow_js(name: str) -> None:
    for record in records("tensorflow.js", "losses_metrics.jsonl.gz", kind="constraint", name=name):
        made = constraints.get({"class_name": name, "config": record["config"]})
        assert_near(made(record["args"][0]), record["result"], record["id"])


@pytest.mark.parametrize("spelling", ["max_norm", "maxNorm", "MaxNorm"])
def test_spellings(spelling: str) -> None:
    assert type(constraints.get(spelling)) is constraints.MaxNorm


def test_get() -> None:
    assert constraints.get(None) is None
    with pytest.raises(UnknownNameError):
        constraints.get("min_norm")


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: constraints.MaxNorm(-1.0), ArgumentError),
        (lambda: constraints.MaxNorm("2"), ArgumentTypeError),
        (lambda: constraints.MinMaxNorm(2.0, 1.0), ArgumentError),
        (lambda: constraints.MinMaxNorm(rate=1.5), ArgumentError),
        (lambda: constraints.UnitNorm(axis="0"), ArgumentTypeError),
        (lambda: constraints.MaxNorm(axis=[0, True]), ArgumentTypeError),
    ],
)
def test_bad_settings(make: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        make()
